//! The configurations that Docker's documentation of `awslogs` prints, and what it refuses.

use std::io::{Read, Write};
use std::net::TcpListener;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::program::{
    Outcome, Program, REGION, TEMPORARY_KEY_ID, TEMPORARY_SECRET, TEMPORARY_TOKEN,
};
use cloudspout_tests::strict::Strict;

use crate::{Arrived, id, once_with};

/// Ships what containers have logged with Docker's own options; region and endpoint are among them.
fn once(docker: &Docker, options: &[&str]) -> (Arrived, Outcome) {
    let strict = Strict::start();
    let endpoint = format!("awslogs-endpoint={}", strict.url());
    let region = format!("awslogs-region={REGION}");
    let driver = ["--log-driver=awslogs", "--log-opt", &region, "--log-opt", &endpoint];
    let outcome = docker.program().arg("--once").args(&driver).args(options).finish();
    (Arrived::of(&strict.stop()), outcome)
}

#[test]
fn documented_log_options_are_taken_as_they_are() {
    let docker = Docker::any();
    docker.write("app", &["--label", "tier=front"], b"hello\n", b"");
    let full = id(&docker, "app");
    let short = &full[..12];
    let group = "--log-opt=awslogs-group=myLogGroup";
    let create = "--log-opt=awslogs-create-group=true";
    let tag = |template: &str| format!("--log-opt=tag={template}");
    for (further, stream) in [
        (&[][..], full.as_str()),
        (&["--log-opt", "awslogs-stream=myStream"], "myStream"),
        (&[tag("{{.ImageName}}/{{.Name}}/{{.ID}}").as_str()], &format!("box/app/{short}")),
        (
            &[tag("{{ with split .ImageName \":\" }}{{join . \"_\"}}{{end}}-{{.ID}}").as_str()],
            &format!("box-{short}"),
        ),
        (&[tag("{{.Name}}").as_str(), "--log-opt", "awslogs-stream=wins"], "wins"),
        (&["--log-opt", "awslogs-create-stream=true", "--log-opt", "mode=blocking"], full.as_str()),
        (
            &[
                "--log-opt=awslogs-force-flush-interval-seconds=2",
                "--log-opt=awslogs-max-buffered-events=1000",
                "--log-opt=mode=non-blocking",
                "--log-opt=max-buffer-size=4m",
            ],
            full.as_str(),
        ),
    ] {
        let (arrived, outcome) = once(&docker, &[&[group, create][..], further].concat());
        outcome.assert_code(0);
        arrived.assert(&[("hello", &format!("myLogGroup|{stream}"))]);
    }
}

#[test]
fn without_create_group_a_missing_group_is_not_made() {
    let docker = Docker::any();
    docker.write("app", &[], b"hello\n", b"");
    let strict = Strict::start();
    let program =
        docker.program().args(&["--once", "--awslogs-group", "missing", "--awslogs-region", REGION]);
    let outcome = program.args(&["--awslogs-endpoint", &strict.url()]).finish();
    assert_ne!(outcome.code, Some(0));
    assert!(outcome.stderr.contains("missing"), "{}", outcome.stderr);
    assert_eq!(strict.stop().count("CreateLogGroup"), 0);
}

#[test]
fn options_come_from_the_environment_too_and_flags_win() {
    let docker = Docker::any();
    docker.write("app", &[], b"hello\n", b"");
    let (arrived, outcome) = once_with(&docker, &["--awslogs-stream", "by-flag"], |program| {
        program
            .env("AWSLOGS_GROUP", "by-env")
            .env("AWSLOGS_STREAM", "not-this")
            .env("AWSLOGS_CREATE_GROUP", "t")
            .env("AWSLOGS_REGION", REGION)
            .env("AWS_REGION", "us-west-1")
    });
    outcome.assert_code(0);
    arrived.assert(&[("hello", "by-env|by-flag")]);
}

#[test]
fn what_docker_refuses_is_refused_by_name() {
    let docker = Docker::any();
    let group = "--log-opt=awslogs-group=g";
    for (options, code, words) in [
        (&["--log-opt=awslogs-grup=g"][..], 2, "unknown log opt 'awslogs-grup' for awslogs log driver"),
        (&["--log-opt=labels=x"], 2, "unknown log opt 'labels'"),
        (
            &["--log-driver=awslogs", "--region", REGION],
            3,
            "must specify a value for log opt 'awslogs-group'",
        ),
        (&[group, "--log-opt=max-buffer-size=4m"], 2, "max-buffer-size option is only supported with"),
        (&[group, "--group", "x"], 2, "--group and --awslogs-group"),
        (&[group, "--compat", "logspout"], 2, "contradict"),
        (&[group, "cloudwatch://us-east-1"], 2, "route"),
        (&["--log-driver", "syslog"], 2, "syslog"),
    ] {
        let outcome = docker.program().args(options).finish();
        outcome.assert_complaint(code, &[words]);
    }
    let two_sources = [group, "--awslogs-credentials-endpoint=/creds", "--profile", "p"];
    let outcome = docker.program().args(&two_sources).finish().assert_code(2);
    assert!(outcome.stderr.contains("cannot be used with '--profile"), "{}", outcome.stderr);
    for (options, words) in [
        ("awslogs-create-group=maybe", "awslogs-create-group"),
        ("awslogs-create-stream=2", "awslogs-create-stream"),
        ("awslogs-force-flush-interval-seconds=0", "awslogs-force-flush-interval-seconds"),
        ("awslogs-force-flush-interval-seconds=-1", "awslogs-force-flush-interval-seconds"),
        ("awslogs-max-buffered-events=many", "awslogs-max-buffered-events"),
        ("mode=sometimes", "--mode"),
        ("max-buffer-size=much", "max-buffer-size"),
    ] {
        let outcome = docker.program().args(&[group, "--log-opt", options]).finish().assert_code(2);
        assert!(outcome.stderr.contains(words), "{words} is not in:\n{}", outcome.stderr);
    }
}

#[test]
fn what_need_not_wait_is_dropped_once_there_is_no_room_and_said() {
    let docker = Docker::any();
    let text = "x".repeat(999) + "\n";
    docker.write("busy", &[], text.repeat(12_000).as_bytes(), b"");
    for (mode, dropped) in [("non-blocking", true), ("blocking", false)] {
        // For long enough to fill what may wait.
        let strict = Strict::with_plan("put@1-4=hang:1500");
        let endpoint = format!("awslogs-endpoint={}", strict.url());
        let region = format!("awslogs-region={REGION}");
        let mode = format!("mode={mode}");
        let mut options = vec!["--once", "--awslogs-group", "g", "--awslogs-create-group", "true"];
        options.extend(["--log-opt", &region, "--log-opt", &endpoint, "--log-opt", &mode]);
        if dropped {
            options.extend(["--log-opt", "max-buffer-size=4m"]);
        }
        let outcome = docker.program().args(&options).finish().assert_code(if dropped { 8 } else { 0 });
        let stored: usize = strict.stop().0.iter().map(|request| request.stored.len()).sum();
        assert_eq!(stored < 12_000, dropped, "{stored}");
        assert_eq!(outcome.stderr.contains("dropped for want of room"), dropped, "{}", outcome.stderr);
    }
}

#[test]
fn credentials_come_from_the_endpoint_that_is_named() {
    let docker = Docker::any();
    docker.write("app", &[], b"hello\n", b"");
    let strict = Strict::start();
    let answer = format!(
        "{{\"AccessKeyId\":\"{TEMPORARY_KEY_ID}\",\"SecretAccessKey\":\"{TEMPORARY_SECRET}\",\"Token\":\"{TEMPORARY_TOKEN}\",\
         \"Expiration\":\"2099-01-01T00:00:00Z\"}}"
    );
    let endpoint = format!("{}/creds", answering(&answer));
    let program = Program::bare("run").args(&["--docker-host", &docker.host(), "--once"]).to(&strict.url());
    let options = ["--awslogs-group", "g", "--awslogs-create-group", "true"];
    let program = program.args(&options).args(&["--awslogs-credentials-endpoint", &endpoint]);
    program.finish().assert_code(0);
    Arrived::of(&strict.stop()).assert(&[("hello", &format!("g|{}", id(&docker, "app")))]);
    let program = docker.program().args(&["--awslogs-group", "g", "--region", REGION, "--once"]);
    let program = program.args(&["--awslogs-credentials-endpoint", "http://elsewhere.example/creds"]);
    program.finish().assert_complaint(3, &["awslogs-credentials-endpoint"]);
}

/// The URL of a service that answers whatever it is asked with this.
fn answering(body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        for mut asking in listener.incoming().flatten() {
            let _ = asking.read(&mut [0; 4096]);
            let _ = asking.write_all(answer.as_bytes());
        }
    });
    url
}
