//! Container before operator, where it is allowed; operator before default; and each mode's own fields.

use cloudspout_tests::docker::Docker;

use crate::{host, id, once, once_with};

/// Three containers: one that names nothing, one that does by its environment, one by its labels.
fn write_three(docker: &Docker) {
    docker.write("plain", &[], b"plain\n", b"");
    let env = ["-e", "LOGSPOUT_GROUP=env-{{.Name}}", "-e", "LOGSPOUT_STREAM={{.ID}}", "-e", "APP_NAME=shop"];
    docker.write("by-env", &env, b"by-env\n", b"");
    let labels = ["--label", "awslogs.group=label-group", "--label", "awslogs.tag={{.Name}}-tag"];
    docker.write("by-label", &labels, b"by-label\n", b"");
}

#[test]
fn without_leave_no_container_chooses_its_names() {
    let docker = Docker::any();
    write_three(&docker);
    let host = host();
    let (arrived, _) = once(&docker, &[]);
    let place = |name: &str| format!("{host}|{name}");
    arrived.assert(&[
        ("plain", &place("plain")),
        ("by-env", &place("by-env")),
        ("by-label", &place("by-label")),
    ]);
}

#[test]
fn with_leave_the_container_wins_over_the_operator_and_the_operator_over_the_default() {
    let docker = Docker::any();
    write_three(&docker);
    let short = id(&docker, "by-env")[..12].to_owned();
    let options = ["--allow-overrides", "labels,env", "--group", "/all/{{.Name}}"];
    let (arrived, outcome) = once(&docker, &options);
    outcome.assert_code(0);
    arrived.assert(&[
        ("plain", "/all/plain|plain"),
        ("by-env", &format!("env-by-env|{short}")),
        ("by-label", "label-group|by-label-tag"),
    ]);
    let (arrived, _) = once_with(&docker, &["--stream", "all"], |program| {
        program.env("CLOUDSPOUT_GROUP", "of-env").env("CLOUDSPOUT_ALLOW_OVERRIDES", "labels")
    });
    // A stream that the operator names wins over a tag, as with Docker's own daemon options.
    arrived.assert(&[("plain", "of-env|all"), ("by-env", "of-env|all"), ("by-label", "label-group|all")]);
}

#[test]
fn as_logspout_ids_are_whole_and_what_fails_gives_the_default() {
    let docker = Docker::any();
    write_three(&docker);
    docker.write("broken", &["-e", "LOGSPOUT_STREAM={{upper .Name}}"], b"broken\n", b"");
    docker.write("no-label", &["-e", "LOGSPOUT_GROUP={{.Lbl \"nope\"}}"], b"no-label\n", b"");
    docker.write("ignored", &["-e", "LOGSPOUT=IGNORE"], b"ignored\n", b"");
    let (host, full) = (host(), id(&docker, "by-env"));
    let (arrived, outcome) = once_with(&docker, &["--compat", "logspout"], |program| {
        program.env("LOGSPOUT_STREAM", "{{.LoggerHost}}-{{.Name}}").env("LOGSPOUT_GROUP", "{{.Region}}")
    });
    let outcome = outcome.assert_code(0);
    let place = |group: &str, name: &str| format!("{group}|{host}-{name}");
    arrived.assert(&[
        ("plain", &place("eu-central-1", "plain")),
        ("by-env", &format!("env-by-env|{full}")),
        ("by-label", &place("label-group", "by-label")),
        ("broken", "eu-central-1|broken"),
        ("no-label", &place(&host, "no-label")),
    ]);
    for words in ["its variable LOGSPOUT_STREAM", "function \"upper\" not defined", "label nope"] {
        assert!(outcome.stderr.contains(words), "{words} is not in:\n{}", outcome.stderr);
    }
}

#[test]
fn as_awslogs_the_group_has_to_be_given_and_the_stream_is_the_full_id() {
    let docker = Docker::any();
    write_three(&docker);
    let (_, outcome) = once(&docker, &["--compat", "awslogs"]);
    outcome.assert_complaint(3, &["must specify a value for log opt 'awslogs-group'"]);
    let (arrived, _) = once(&docker, &["--compat", "awslogs", "--group", "g", "--create-group", "true"]);
    let place = |name: &str| format!("g|{}", id(&docker, name));
    arrived.assert(&[
        ("plain", &place("plain")),
        ("by-env", &place("by-env")),
        ("by-label", &place("by-label")),
    ]);
    // logspout's fields are not there.
    let (_, outcome) =
        once(&docker, &["--compat", "awslogs", "--group", "g", "--stream", "{{.Env.APP_NAME}}"]);
    outcome.assert_complaint(3, &["can't evaluate field Env in type *logger.Info"]);
}

#[test]
fn what_a_container_chooses_wrongly_is_said_and_nothing_is_lost() {
    let docker = Docker::any();
    docker.write("wrong", &["--label", "awslogs.stream={{.Nope}}"], b"wrong\n", b"");
    docker.write("odd", &["--label", "awslogs.group=my app: 1*"], b"odd\n", b"");
    let (arrived, outcome) = once(&docker, &["--allow-overrides", "labels", "--group", "g"]);
    arrived.assert(&[("wrong", "g|wrong"), ("odd", "my_app__1_|odd")]);
    let outcome = outcome.assert_code(0);
    for words in ["its label awslogs.stream", "can't evaluate field Nope", "`my app: 1*`", "container odd ("]
    {
        assert!(outcome.stderr.contains(words), "{words} is not in:\n{}", outcome.stderr);
    }
}

#[test]
fn when_a_container_was_made_can_be_part_of_its_name() {
    let docker = Docker::any();
    docker.write("dated", &[], b"dated\n", b"");
    let created = docker.docker(&["inspect", "--format", "{{.Created}}", "dated"]);
    let created = String::from_utf8(created).expect("UTF-8");
    let template = "{{.Name}}-{{.ContainerCreated.Format \"2006-01-02T15.04.05\"}}";
    let (arrived, _) = once(&docker, &["--group", "g", "--stream", template]);
    arrived.assert(&[("dated", &format!("g|dated-{}", created[..19].replace(':', ".")))]);
}

#[test]
fn a_container_chooses_where_its_events_begin_and_whether_its_group_is_made() {
    let docker = Docker::any();
    let labels =
        ["--label", "awslogs.multiline-pattern=^START", "--label", "awslogs.credentials-endpoint=/x"];
    docker.write("java", &labels, b"START one\n  at two\nSTART three\n", b"");
    docker.write("plain", &[], b"a\nb\n", b"");
    let (arrived, outcome) = once(&docker, &["--allow-overrides", "labels", "--group", "g"]);
    arrived.assert(&[
        ("START one\n  at two", "g|java"),
        ("START three", "g|java"),
        ("a", "g|plain"),
        ("b", "g|plain"),
    ]);
    assert!(outcome.assert_code(0).stderr.contains("its label awslogs.credentials-endpoint is passed over"));
    docker.write(
        "unmade",
        &["--label", "awslogs.create-group=false", "--label", "awslogs.group=not-made"],
        b"x\n",
        b"",
    );
    let (_, outcome) = once(&docker, &["--allow-overrides", "labels", "--group", "g"]);
    assert!(outcome.stderr.contains("log group not-made does not exist"), "{}", outcome.stderr);
}

#[test]
fn a_containers_log_options_choose_its_tag_and_name_its_extra_attributes() {
    let docker = Docker::any();
    let tag = "tag={{.Name}}/{{index (.ExtraAttributes nil) \"com.example.team\"}}{{.ExtraAttributes nil}}";
    let options = ["--log-opt", tag, "--log-opt", "labels-regex=^com\\.", "--log-opt", "env-regex=^STAGE$"];
    let rest =
        ["--label", "com.example.team=blue", "--label", "other=x", "-e", "STAGE=prod", "-e", "STAGES=no"];
    docker.write("app", &[&options[..], &rest].concat(), b"line\n", b"");
    let stream = "app/bluemap[STAGE_prod com.example.team_blue]";
    for (allowed, place) in [("log-opts", format!("g|{stream}")), ("labels", "g|app".to_owned())] {
        let (arrived, outcome) = once(&docker, &["--group", "g", "--allow-overrides", allowed]);
        outcome.assert_code(0);
        arrived.assert(&[("line", &place)]);
    }
}
