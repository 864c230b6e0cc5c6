//! The contexts give what Go gives with the structs that the two programs render their templates with.

use std::sync::Arc;

use super::Machine;
use crate::naming::{Container, Mode};
use crate::template::tests::golden::{assert_cases, rendered};

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

fn sorted<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

const ID: &str = "a7317399f3f857173c6179d44823594f8294678dea9999662e5c625b5a1c7657";

/// The container of `contexts.go` in Docker's mode.
fn of_docker() -> (Mode, Container, Machine) {
    let container = Container {
        id: ID.to_owned(),
        name: "web-1".to_owned(),
        entrypoint: "/bin/server".to_owned(),
        args: strings(["--port", "80", "<a&b>"]),
        image_id: "sha256:d46e8a44f1d7b2a8dd3a2ee5ebb83ae04ae1c94b3b3c2a1d3bc1d1a1f3f1a6b0".to_owned(),
        image_name: "registry.example.com:5000/team/web:1.2.3".to_owned(),
        created: "2024-03-01T12:34:56.789Z".to_owned(),
        env: strings(["PATH=/usr/bin:/bin", "STAGE=prod", "EMPTY=", "A=b=c"]),
        labels: sorted([
            ("com.example.team", "blue"),
            ("empty", ""),
            ("maintainer", "José <jose@example.com>"),
            ("tier", "front"),
        ]),
        log_options: sorted([("env", "STAGE"), ("labels", "com.example.team"), ("tag", "{{.Name}}")]),
        log_path: "/var/lib/docker/x.log".to_owned(),
        daemon_name: "docker".to_owned(),
        ..Container::default()
    };
    (Mode::Awslogs, container, Machine { host_name: "host-1".to_owned(), ..Machine::default() })
}

/// And the one in logspout's.
fn of_logspout() -> (Mode, Container, Machine) {
    let container = Container {
        id: ID.to_owned(),
        name: "web-1".to_owned(),
        hostname: "web-1.internal".to_owned(),
        env: strings(["STAGE=prod", "EMPTY=", "LOGSPOUT_GROUP=x", "no variable"]),
        labels: sorted([("com.example.team", "blue"), ("tier", "front")]),
        ..Container::default()
    };
    let machine = Machine {
        host_name: "ip-10-0-0-7".to_owned(),
        region: "us-east-1".to_owned(),
        instance_id: "i-0123456789abcdef0".to_owned(),
    };
    (Mode::Logspout, container, machine)
}

#[test]
fn every_case_renders_as_in_go() {
    for (name, (mode, container, machine)) in [("docker", of_docker()), ("logspout", of_logspout())] {
        let data = mode.context(&Arc::new(container), &Arc::new(machine));
        assert_cases(|context| context == name, |_, template| rendered(&data, template, mode.functions()));
    }
}

#[test]
fn the_own_context_has_the_fields_of_both() {
    let (_, container, machine) = of_docker();
    let data = Mode::Own.context(&Arc::new(container), &Arc::new(machine));
    for (template, text) in [
        (
            "{{.ID}} {{.Name}} {{.Env.STAGE}} {{.Labels.tier}} {{.Lbl \"tier\"}}",
            "a7317399f3f8 web-1 prod front front",
        ),
        ("{{.LoggerHost}} {{.Hostname}} [{{.InstanceID}}] [{{.Lbl \"nope\"}}]", "host-1 host-1 [] []"),
        ("{{.ContainerCreated.Format \"2006/01/02\"}}", "2024/03/01"),
    ] {
        let expected = ("output".to_owned(), text.as_bytes().to_vec());
        assert_eq!(rendered(&data, template, Mode::Own.functions()), expected, "{template}");
    }
}

#[test]
fn extra_attributes_are_those_that_log_options_list_or_match() {
    for (options, text) in [
        (&[("labels", "tier,nope"), ("env", "STAGE")][..], "map[STAGE:prod tier:front]"),
        (&[("labels-regex", "^(t|com\\.)")], "map[com.example.team:blue tier:front]"),
        (&[("env-regex", "^[A-E]"), ("labels", "tier")], "map[A:b=c EMPTY: tier:front]"),
        (&[("labels", ""), ("env-regex", "")], "map[]"),
    ] {
        let (mode, container, machine) = of_docker();
        let log_options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let container = Container { log_options: log_options.collect(), ..container };
        let data = mode.context(&Arc::new(container), &Arc::new(machine));
        let expected = ("output".to_owned(), text.as_bytes().to_vec());
        assert_eq!(rendered(&data, "{{.ExtraAttributes nil}}", mode.functions()), expected, "{options:?}");
    }
    let (mode, container, machine) = of_docker();
    let container = Container { log_options: sorted([("labels-regex", "(")]), ..container };
    let data = mode.context(&Arc::new(container), &Arc::new(machine));
    let (kind, error) = rendered(&data, "{{.ExtraAttributes nil}}", mode.functions());
    assert_eq!(kind, "render error");
    assert!(String::from_utf8_lossy(&error).contains("error calling ExtraAttributes: pattern `(`"));
}
