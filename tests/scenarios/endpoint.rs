//! The strict endpoint and the readers themselves, proved with other people's clients before they judge anything.

use std::time::Duration;

use cloudspout_tests::peers::{Moto, aws};
use cloudspout_tests::process::{file, must, python};
use cloudspout_tests::strict::Strict;

#[test]
fn the_strict_endpoint_refuses_what_the_service_refuses() {
    let mut command = python("python");
    must("test_strict.py", command.arg(file("endpoint/test_strict.py")), Duration::from_secs(120));
}

#[test]
fn the_strict_endpoint_takes_what_the_aws_command_line_sends() {
    let strict = Strict::start();
    aws(&strict.url(), &["logs", "create-log-group", "--log-group-name", "g"]);
    aws(&strict.url(), &["logs", "create-log-stream", "--log-group-name", "g", "--log-stream-name", "s"]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_millis();
    let events = format!("timestamp={now},message=hello");
    aws(
        &strict.url(),
        &[
            "logs",
            "put-log-events",
            "--log-group-name",
            "g",
            "--log-stream-name",
            "s",
            "--log-events",
            &events,
        ],
    );
    let journal = strict.stop();
    journal.assert_well_formed();
    assert_eq!(journal.stream("g", "s")[0].message, "hello");
}

#[test]
fn moto_answers() {
    let moto = Moto::start();
    aws(&moto.url(), &["logs", "create-log-group", "--log-group-name", "g"]);
    let groups = aws(
        &moto.url(),
        &["logs", "describe-log-groups", "--query", "logGroups[].logGroupName", "--output", "text"],
    );
    assert_eq!(groups, b"g\n");
}
