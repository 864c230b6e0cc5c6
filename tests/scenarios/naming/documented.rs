//! The commands that Docker's documentation of `awslogs` prints, by a shell, as they stand there: only `docker run` is
//! another program.

use std::process::Command;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::program::{KEY_ID, Outcome, Program, SECRET, path};
use cloudspout_tests::strict::Strict;

use crate::{Arrived, id};

/// The Region of the documentation.
const REGION: &str = "us-east-1";

/// Runs a command of the documentation's against what containers have logged.
fn run(docker: &Docker, command: &str) -> (Arrived, Outcome) {
    let strict = Strict::of_region(REGION);
    let ours = command.replacen("docker run", "\"$CLOUDSPOUT\" run --once", 1);
    let program = Program::of(Command::new("sh")).args(&["-c", &ours]);
    let outcome = program
        .env("CLOUDSPOUT", path().to_str().expect("UTF-8"))
        .env("DOCKER_HOST", &docker.host())
        .env("AWS_ENDPOINT_URL_LOGS", &strict.url())
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .finish();
    (Arrived::of(&strict.stop()), outcome)
}

#[test]
fn what_dockers_documentation_prints_does_what_it_says() {
    let dated = "[May 01, 2017 19:00:01] A message was logged\n\
                 [May 01, 2017 19:00:04] Another multi-line message was logged\nSome random message\n\
                 with some random words\n[May 01, 2017 19:01:32] Another message was logged\n";
    let levels = "INFO A message was logged\nINFO Another multi-line message was logged\n     Some random message\n\
                  INFO Another message was logged\n";
    let group = "docker run --log-driver=awslogs \\\n --log-opt awslogs-region=us-east-1 \\\n \
                 --log-opt awslogs-group=myLogGroup \\\n --log-opt awslogs-create-group=true";
    for (options, log, stream, events) in [
        ("", "hello\n", "FULL", &["hello"][..]),
        (
            "--log-opt awslogs-datetime-format='\\[%b %d, %Y %H:%M:%S\\]'",
            dated,
            "FULL",
            &[
                "[May 01, 2017 19:00:01] A message was logged",
                "[May 01, 2017 19:00:04] Another multi-line message was logged\nSome random message\nwith some random words",
                "[May 01, 2017 19:01:32] Another message was logged",
            ],
        ),
        (
            "--log-opt awslogs-multiline-pattern='^INFO'",
            levels,
            "FULL",
            &[
                "INFO A message was logged",
                "INFO Another multi-line message was logged\n     Some random message",
                "INFO Another message was logged",
            ],
        ),
        (
            "--log-opt tag='{{ with split .ImageName \":\" }}{{join . \"_\"}}{{end}}-{{.ID}}'",
            "hello\n",
            "box-SHORT",
            &["hello"],
        ),
        ("--log-opt awslogs-force-flush-interval-seconds=2", "hello\n", "FULL", &["hello"]),
        ("--log-opt awslogs-max-buffered-events=2048 --log-opt mode=blocking", "hello\n", "FULL", &["hello"]),
        ("--log-opt awslogs-create-stream=true", "hello\n", "FULL", &["hello"]),
    ] {
        let docker = Docker::any();
        docker.write("app", &[], log.as_bytes(), b"");
        let full = id(&docker, "app");
        let stream = stream.replace("FULL", &full).replace("SHORT", &full[..12]);
        let (arrived, outcome) = run(&docker, &format!("{group} \\\n {options}"));
        outcome.assert_code(0);
        let place = format!("myLogGroup|{stream}");
        arrived.assert(&events.iter().map(|event| (*event, place.as_str())).collect::<Vec<_>>());
    }
}

#[test]
fn what_dockers_documentation_leaves_open_has_to_be_said() {
    let docker = Docker::any();
    let (_, outcome) = run(&docker, "docker run --log-driver=awslogs --log-opt awslogs-region=us-east-1");
    outcome.assert_complaint(3, &["must specify a value for log opt 'awslogs-group'"]);
    let both = "docker run --log-driver=awslogs --log-opt awslogs-region=us-east-1 --log-opt awslogs-group=g \
                --log-opt awslogs-datetime-format=%Y --log-opt awslogs-multiline-pattern=^INFO";
    let (_, outcome) = run(&docker, both);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    for option in ["awslogs-datetime-format", "awslogs-multiline-pattern"] {
        assert!(outcome.stderr.contains(option), "{option} is not in:\n{}", outcome.stderr);
    }
}
