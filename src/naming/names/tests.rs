use super::*;
use crate::naming::Terms;
use crate::time::Millis;

fn machine(host_name: &str) -> Machine {
    Machine { host_name: host_name.into(), region: "eu-central-1".into(), instance_id: "i-1".into() }
}

fn container() -> Arc<Container> {
    Arc::new(Container {
        id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".into(),
        name: "web".into(),
        image_name: "nginx:1".into(),
        labels: vec![("app".into(), "shop: 1".into())],
        env: vec!["STAGE=prod".into()],
        ..Container::default()
    })
}

/// The container with labels and variables that name things.
fn opinionated(labels: &[(&str, &str)], env: &[&str]) -> Arc<Container> {
    let mut container = Container::clone(&container());
    container.labels.extend(labels.iter().map(|(key, value)| (String::from(*key), String::from(*value))));
    container.env.extend(env.iter().map(|pair| String::from(*pair)));
    Arc::new(container)
}

fn mode(mode: Mode) -> NamingOptions {
    let overrides = match mode {
        Mode::Own | Mode::Awslogs => Overrides::NONE,
        Mode::Logspout => Overrides { labels: true, env: true, log_options: false },
    };
    NamingOptions { mode, overrides, ..NamingOptions::default() }
}

fn names(group: &str, stream: &str, options: &NamingOptions) -> Names {
    Names::parse(group, stream, options, machine("node-1")).unwrap()
}

/// Both names of standard output, and how often something was remarked.
fn named(names: &Names, container: &Arc<Container>) -> (String, String, usize) {
    let Named { destinations, remarks } = names.of(container);
    let destination = destinations.unwrap().stdout.destination;
    (destination.group().to_owned(), destination.stream().to_owned(), remarks.len())
}

#[test]
fn templates_see_the_container_and_the_host() {
    for (template, name) in [
        ("plain", "plain"),
        ("{{.Hostname}}/{{.Name}}", "node-1/web"),
        ("{{.ID}}", "0123456789ab"),
        ("{{.FullID}}", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        ("{{.ImageName}}", "nginx_1"),
        ("{{index .ContainerLabels \"app\"}}", "shop_ 1"),
        ("{{index .Labels \"nope\"}}-", "-"),
        ("{{.Lbl \"app\"}}", "shop_ 1"),
        ("{{.Env.STAGE}}", "prod"),
        ("{{range .ContainerEnv}}{{.}}{{end}}", "STAGE=prod"),
        ("{{upper .Name}}", "WEB"),
        ("{{.Region}} {{.InstanceID}}", "eu-central-1 i-1"),
    ] {
        let names = names("g", template, &NamingOptions::default());
        assert_eq!(named(&names, &container()).1, name, "{template}");
    }
}

#[test]
fn where_both_have_a_name_the_mode_decides() {
    let full = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    for (of, template, name) in [
        (Mode::Own, "{{.ID}}", "0123456789ab"),
        (Mode::Awslogs, "{{.ID}}", "0123456789ab"),
        (Mode::Logspout, "{{.ID}}", full),
        (Mode::Own, "x{{.Lbl \"nope\"}}", "x"),
        // What fails gives the default name.
        (Mode::Logspout, "x{{.Lbl \"nope\"}}", "web"),
        (Mode::Logspout, "{{upper .Name}}", "web"),
        (Mode::Logspout, "{{.FullID}}", "web"),
        (Mode::Logspout, "{{.Name", "web"),
        (Mode::Logspout, "{{.InstanceID}}-{{.Name}}", "i-1-web"),
        (Mode::Logspout, "{{.Env.NOPE}}", "<no value>"),
    ] {
        assert_eq!(named(&names("g", template, &mode(of)), &container()).1, name, "{of:?} {template}");
    }
    for template in ["{{.Env.STAGE}}", "{{.Lbl \"app\"}}", "{{.LoggerHost}}", "{{.ImageFullName}}"] {
        let error = Names::parse("g", template, &mode(Mode::Awslogs), machine("h")).unwrap_err().to_string();
        assert!(error.contains("in type *logger.Info"), "{error}");
    }
}

#[test]
fn each_mode_has_its_defaults() {
    let full = container().id.clone();
    for (of, group, stream, tag, expected) in [
        (Mode::Own, "", "", None, ("node-1", "web")),
        (Mode::Logspout, "", "", None, ("node-1", "web")),
        (Mode::Awslogs, "g", "", None, ("g", full.as_str())),
        (Mode::Awslogs, "g", "", Some("{{.Name}}/{{.ID}}"), ("g", "web/0123456789ab")),
        (Mode::Awslogs, "g", "s", Some("{{.Name}}"), ("g", "s")),
    ] {
        let options = NamingOptions { tag: tag.map(str::to_owned), ..mode(of) };
        let (group, stream, _) = named(&names(group, stream, &options), &container());
        assert_eq!((group.as_str(), stream.as_str()), expected, "{of:?} {tag:?}");
    }
    assert_eq!(Names::parse("", "s", &mode(Mode::Awslogs), machine("h")).unwrap_err(), NamingError::NoGroup);
}

#[test]
fn a_container_chooses_before_the_operator_where_it_may() {
    let chooses =
        opinionated(&[("awslogs.group", "{{.Name}}-own")], &["LOGSPOUT_GROUP=x", "LOGSPOUT_STREAM={{.ID}}"]);
    let allowed = |labels, env| NamingOptions {
        overrides: Overrides { labels, env, log_options: false },
        ..NamingOptions::default()
    };
    for (options, group, stream) in [
        (allowed(false, false), "g", "s"),
        (allowed(true, false), "web-own", "s"),
        (allowed(false, true), "x", "0123456789ab"),
        (allowed(true, true), "web-own", "0123456789ab"),
    ] {
        assert_eq!(named(&names("g", "s", &options), &chooses), (group.into(), stream.into(), 0));
    }
    let origin = names("g", "", &allowed(true, true)).of(&opinionated(&[("awslogs.tag", "t")], &[]));
    let choice = origin.destinations.unwrap().stdout;
    assert_eq!(
        (choice.group_by, choice.stream_by),
        (Origin::Operator(Key::Group), Origin::Label("awslogs.tag"))
    );
    // As where Docker's daemon has options of its own: a stream that is named wins over any tag.
    let both = opinionated(&[("awslogs.tag", "t")], &[]);
    assert_eq!(named(&names("g", "s", &allowed(true, false)), &both).1, "s");
}

#[test]
fn what_a_container_chooses_wrongly_is_passed_over_and_said() {
    let options = NamingOptions {
        overrides: Overrides { labels: true, env: true, log_options: true },
        ..NamingOptions::default()
    };
    for wrong in ["{{", "{{.Nmae}}", "{{index .ContainerEnv 77}}"] {
        let container = opinionated(&[("awslogs.stream", wrong)], &[]);
        assert_eq!(named(&names("g", "s", &options), &container), ("g".into(), "s".into(), 1), "{wrong}");
    }
    let container = opinionated(&[], &["LOGSPOUT_GROUP={{.Nmae}}"]);
    let spout = mode(Mode::Logspout);
    assert_eq!(named(&names("g", "s", &spout), &container), ("node-1".into(), "s".into(), 1));
}

#[test]
fn standard_error_goes_where_it_is_told_to() {
    let options =
        NamingOptions { stderr_stream: Some("{{.Name}}/stderr".into()), ..NamingOptions::default() };
    let sides = names("g", "{{.Name}}", &options).of(&container()).destinations.unwrap();
    assert_eq!(sides.stdout.destination, Destination::for_tests("g", "web"));
    assert_eq!(sides.stderr.destination, Destination::for_tests("g", "web/stderr"));
    let sides = names("g", "s", &NamingOptions::default()).of(&container()).destinations.unwrap();
    assert_eq!(sides.stdout, sides.stderr);
}

#[test]
fn what_leaves_the_confines_is_refused_and_never_renamed() {
    let options = NamingOptions {
        confine: Some("/team-a/".into()),
        overrides: Overrides { labels: true, env: false, log_options: false },
        ..NamingOptions::default()
    };
    for (group, label, taken) in [
        ("/team-a/{{.Name}}", "", true),
        ("/team-a/x", "/team-a/y", true),
        ("/team-a/x", "/team-b/y", false),
        ("/team-a", "", false),
        (" /team-a/x", "", false),
        ("/TEAM-A/x", "", false),
        ("{{.Hostname}}", "", false),
        ("/team-a/{{index .ContainerEnv 77}}", "", false),
    ] {
        let container = opinionated(&[("awslogs.group", label)], &[]);
        let destinations = names(group, "s", &options).of(&container).destinations;
        assert_eq!(destinations.is_ok(), taken, "{group} {label}: {destinations:?}");
        if let Err(reason) = destinations {
            assert!(reason.contains("web (0123456789ab)") && reason.contains("/team-a/"), "{reason}");
        }
    }
    let apart = NamingOptions { stderr_group: Some("/elsewhere".into()), ..options };
    assert!(names("/team-a/x", "s", &apart).of(&container()).destinations.is_err());
}

#[test]
fn what_cannot_be_used_is_refused_before_it_is_needed() {
    for (template, reason) in [
        ("{{.Name", "unclosed action"),
        ("{{.Nmae}}", "can't evaluate field Nmae"),
        ("{{nope .Name}}", "function \"nope\" not defined"),
    ] {
        let error = Names::parse(template, "s", &NamingOptions::default(), machine("h")).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(reason) && error.contains("--group"), "{error}");
    }
}

#[test]
fn a_name_that_had_to_be_changed_is_remarked_on() {
    let names = names("{{.Lbl \"app\"}}", "{{index .ContainerEnv 7}}", &NamingOptions::default());
    assert_eq!(named(&names, &container()), ("shop__1".into(), "web".into(), 2));
}

#[test]
fn a_template_is_rendered_against_a_container() {
    let names = names("g", "s", &NamingOptions::default());
    assert_eq!(names.render("{{upper .Name}}", &container()), Ok("WEB".into()));
    assert!(names.render("{{.Nope}}", &container()).unwrap_err().contains("can't evaluate field Nope"));
}

#[test]
fn what_else_a_container_chooses_is_read_or_passed_over_and_said() {
    let options = NamingOptions {
        overrides: Overrides { labels: true, env: false, log_options: false },
        ..NamingOptions::default()
    };
    let of = |labels: &[(&str, &str)]| names("g", "s", &options).terms_of(&opinionated(labels, &[]));
    let (terms, remarks) = of(&[
        ("awslogs.create-group", "F"),
        ("awslogs.create-stream", "true"),
        ("awslogs.force-flush-interval-seconds", "2"),
        ("awslogs.multiline-pattern", "^X"),
    ]);
    assert_eq!((terms.create_group, terms.create_stream), (Some(false), Some(true)));
    assert_eq!(terms.flush_after, Some(Millis(2_000)));
    assert!(remarks.is_empty(), "{remarks:?}");
    for (label, value) in [
        ("awslogs.create-group", "maybe"),
        ("awslogs.force-flush-interval-seconds", "0"),
        ("awslogs.grup", "x"),
    ] {
        let (terms, remarks) = of(&[(label, value)]);
        assert_eq!(terms, Terms::default(), "{label}");
        assert!(remarks.len() == 1 && remarks[0].contains(label), "{remarks:?}");
    }
    // Who may not choose is not even heard.
    let names = names("g", "s", &NamingOptions::default());
    let (_, remarks) = names.terms_of(&opinionated(&[("awslogs.create-group", "maybe")], &[]));
    assert!(remarks.is_empty(), "{remarks:?}");
}
