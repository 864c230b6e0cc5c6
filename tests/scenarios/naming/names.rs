//! `cloudspout names`: what would become of each container, and why, without AWS.

use cloudspout_tests::docker::Docker;
use cloudspout_tests::program::{Outcome, Program};
use serde_json::{Value, json};

use crate::{host, id};

/// Without credentials, Region or endpoint: nothing is asked of AWS.
fn names(docker: &Docker, options: &[&str]) -> Outcome {
    Program::bare("names").args(&["--docker-host", &docker.host()]).args(options).finish()
}

fn as_json(docker: &Docker, options: &[&str]) -> Vec<Value> {
    let outcome = names(docker, &[&["--json"], options].concat()).assert_code(0);
    outcome.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn write_two(docker: &Docker) {
    docker.write("web", &["--label", "awslogs.group=shop"], b"", b"");
    docker.write("db", &["-e", "LOGSPOUT=ignore"], b"", b"");
}

#[test]
fn each_container_is_told_its_names_and_who_chose_them() {
    let docker = Docker::any();
    write_two(&docker);
    let told =
        names(&docker, &["--allow-overrides", "labels", "--stream", "{{.Name}}/{{.ID}}"]).assert_code(0);
    let short = &id(&docker, "web")[..12];
    for line in [
        format!("web ({short})"),
        "  log group   shop  by its label awslogs.group".to_owned(),
        format!("  log stream  web/{short}  by the operator's template {{{{.Name}}}}/{{{{.ID}}}}"),
        "  left out: its environment or a label asks for it".to_owned(),
    ] {
        assert!(told.stdout.lines().any(|told| told == line), "{line:?} is not in:\n{}", told.stdout);
    }
    let all = as_json(&docker, &["--stderr-stream", "err"]);
    let place = |stream: &str, by: &str| json!({ "logGroupName": host(), "groupBy": "the default", "logStreamName": stream, "streamBy": by });
    assert_eq!(all[0]["container"], "web");
    assert_eq!(all[0]["stdout"], place("web", "the default"));
    assert_eq!(all[0]["stderr"], place("err", "the operator's template"));
    assert_eq!(all[1]["leftOut"], "its environment or a label asks for it");
}

#[test]
fn a_template_is_rendered_against_a_container() {
    let docker = Docker::any();
    write_two(&docker);
    let rendered = |template: &str, options: &[&str]| {
        let all = as_json(&docker, &[&["--container", "web", "--template", template], options].concat());
        assert_eq!(all.len(), 1);
        all[0].clone()
    };
    assert_eq!(rendered("{{upper .Name}}-{{.Lbl \"awslogs.group\"}}", &[])["rendered"], "WEB-shop");
    let failed = rendered("{{upper .Name}}", &["--compat", "logspout"]);
    assert!(failed["templateFails"].as_str().is_some_and(|why| why.contains("upper")), "{failed}");
    names(&docker, &["--container", "nobody"]).assert_complaint(3, &["nobody"]);
}

#[test]
fn what_would_be_refused_or_shared_is_told_before_it_happens() {
    let docker = Docker::any();
    docker.write("one", &[], b"", b"");
    docker.write("two", &["--label", "awslogs.group=elsewhere"], b"", b"");
    let shared = as_json(&docker, &["--stream", "app"]);
    assert_eq!(shared[0]["sharesWith"], Value::Null);
    assert!(shared[1]["sharesWith"].as_str().is_some_and(|other| other.starts_with("container one")));
    let confined = ["--group", "/a/x", "--confine", "/a/", "--allow-overrides", "labels"];
    let refused = as_json(&docker, &confined);
    assert_eq!(refused[0]["refused"], Value::Null);
    assert!(refused[1]["refused"].as_str().is_some_and(|why| why.contains("elsewhere")), "{}", refused[1]);
}

#[test]
fn routes_and_docker_options_are_explained_as_they_would_ship() {
    let docker = Docker::any();
    docker.write("shop_db", &[], b"", b"");
    let routed = names(
        &docker,
        &[
            "cloudwatch://eu-west-1?NOEC2&LOGSPOUT_GROUP={{.Region}},cloudwatch://us-east-1?NOEC2&filter.name=*_app",
        ],
    );
    let told = routed.assert_code(0).stdout;
    assert!(told.contains("log group   eu-west-1  by the operator's template {{.Region}}"), "{told}");
    assert!(told.contains("left out: its name is another"), "{told}");
    let full = id(&docker, "shop_db");
    let all = as_json(&docker, &["--log-opt", "awslogs-group=g"]);
    assert_eq!(all[0]["stdout"]["logStreamName"], full.as_str());
    names(&docker, &["--group", "{{.Nope}}"]).assert_complaint(3, &["Nope"]);
}
