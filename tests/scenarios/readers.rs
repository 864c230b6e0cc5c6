//! `cloudspout local` and moto, read back with boto3 and the AWS command line.

use std::fs::File;
use std::io::{Seek, Write};

use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::peers::{Local, Moto, Reader, aws, described, read_back};
use cloudspout_tests::process::{file, must, python};
use cloudspout_tests::program::{self, KEY_ID, PATIENCE, Program, SECRET};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::text::{lines, lines_at_every_edge, lines_of_odd_bytes};
use serde_json::Value;

const GROUP: &str = "/tests/readers";

fn ship(url: &str, stream: &str, bytes: &[u8]) {
    let mut file: File = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("the file takes them");
    file.rewind().expect("a file can be rewound");
    let program = Program::new("pipe").args(&["--group", GROUP, "--stream", stream]).to(url);
    program.input(file).finish().assert_code(0);
}

#[test]
fn local_takes_and_refuses_the_same_requests_as_the_service() {
    let mut command = python("python");
    command.arg(file("endpoint/test_local.py")).env("CLOUDSPOUT_BIN", program::path());
    command.env("CLOUDSPOUT_LOCAL_KEY_ID", KEY_ID).env("CLOUDSPOUT_LOCAL_SECRET", SECRET);
    must("test_local.py", &mut command, PATIENCE);
}

fn everything() -> Vec<u8> {
    [lines_at_every_edge("edge", 3 << 20), lines_of_odd_bytes(), lines("line", 30_000)].concat()
}

#[test]
fn moto_holds_what_was_written_as_boto3_reads_it() {
    let moto = Moto::start();
    ship(&moto.url(), "all", &everything());
    let streams = read_back(&moto.url(), GROUP, Reader::GetLogEvents);
    assert_same("moto", of(&streams["all"]), &messages(&everything(), Way::Bytes));
}

#[test]
fn local_holds_what_was_written_as_boto3_reads_it_also_after_a_restart() {
    let local = Local::start(&[]);
    ship(&local.url(), "all", &everything());
    ship(&local.url(), "other", b"one\n");
    let check = |local: &Local| {
        for reader in [Reader::GetLogEvents, Reader::FilterLogEvents] {
            let streams = read_back(&local.url(), GROUP, reader);
            assert_same("local", of(&streams["all"]), &messages(&everything(), Way::Bytes));
            assert_same("local", of(&streams["other"]), &["one".to_owned()]);
        }
    };
    check(&local);
    check(&local.restart(&[]));
}

#[test]
fn the_aws_command_line_reads_from_local() {
    let local = Local::start(&[]);
    ship(&local.url(), "web 1", "one\nzwei ü\n\nthree error\n".as_bytes());
    ship(&local.url(), "other", b"elsewhere\n");
    let url = local.url();

    let tail = String::from_utf8(aws(&url, &["logs", "tail", GROUP, "--format", "short"])).expect("UTF-8");
    // `tail` takes blanks off the end of a line: of an empty line's space nothing is left.
    let mut tailed: Vec<&str> =
        tail.lines().map(|line| line.split_once(' ').map_or("", |(_time, text)| text)).collect();
    tailed.sort_unstable();
    assert_eq!(tailed, ["", "elsewhere", "one", "three error", "zwei ü"]);

    let tail =
        aws(&url, &["logs", "tail", GROUP, "--log-stream-name-prefix", "web", "--filter-pattern", "error"]);
    let tail = String::from_utf8(tail).expect("UTF-8");
    assert_eq!(tail.lines().count(), 1, "{tail}");
    assert!(tail.trim_end().ends_with("web 1 three error"), "{tail}");

    let messages_of = |bytes: Vec<u8>| -> Vec<String> {
        let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
        let text = |event: &Value| event["message"].as_str().expect("a message").to_owned();
        answer["events"].as_array().expect("events").iter().map(text).collect()
    };
    let group = ["--log-group-name", GROUP];
    let get = ["logs", "get-log-events", "--log-stream-name", "web 1", "--start-from-head"];
    assert_eq!(
        messages_of(aws(&url, &[&get[..], &group[..]].concat())),
        ["one", "zwei ü", " ", "three error"]
    );
    let filter = ["logs", "filter-log-events", "--filter-pattern", "zwei"];
    assert_eq!(messages_of(aws(&url, &[&filter[..], &group[..]].concat())), ["zwei ü"]);
}

#[test]
fn the_aws_command_line_lists_and_sets_from_local() {
    let local = Local::start(&[]);
    let url = local.url();
    ship(&url, "s", b"one\n");
    aws(&url, &["logs", "put-retention-policy", "--log-group-name", GROUP, "--retention-in-days", "7"]);
    let groups: Value = serde_json::from_slice(&aws(&url, &["logs", "describe-log-groups"])).expect("JSON");
    assert_eq!(groups["logGroups"][0]["logGroupName"], GROUP);
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 7);
    let streams = aws(&url, &["logs", "describe-log-streams", "--log-group-name", GROUP]);
    let streams: Value = serde_json::from_slice(&streams).expect("JSON");
    assert_eq!(streams["logStreams"][0]["logStreamName"], "s");
    let arn = groups["logGroups"][0]["arn"].as_str().expect("an ARN").trim_end_matches(":*");
    aws(&url, &["logs", "tag-resource", "--resource-arn", arn, "--tags", "team=web"]);
    let tags = aws(&url, &["logs", "list-tags-for-resource", "--resource-arn", arn]);
    let tags: Value = serde_json::from_slice(&tags).expect("JSON");
    assert_eq!(tags["tags"]["team"], "web");
}

#[test]
fn the_aws_command_line_reads_what_a_log_group_was_made_with() {
    let local = Local::start(&[]);
    let url = local.url();
    let key = "arn:aws:kms:eu-central-1:111122223333:key/0123";
    let mut input: File = tempfile::tempfile().expect("a temporary file");
    input.write_all(b"one\n").expect("the file takes them");
    input.rewind().expect("a file can be rewound");
    let program = Program::new("pipe").args(&["--group", GROUP, "--stream", "s", "--retention-days", "400"]);
    let program = program.args(&["--group-tags", "team=web,cost=a=b", "--kms-key-id", key]);
    program.args(&["--log-group-class", "INFREQUENT_ACCESS"]).to(&url).input(input).finish().assert_code(0);
    let groups: Value = serde_json::from_slice(&aws(&url, &["logs", "describe-log-groups"])).expect("JSON");
    let group = &groups["logGroups"][0];
    assert_eq!(group["retentionInDays"], 400);
    assert_eq!(group["kmsKeyId"], key);
    // The command line is too old to know classes.
    assert_eq!(described(&url)[0]["logGroupClass"], "INFREQUENT_ACCESS");
    let arn = group["arn"].as_str().expect("an ARN").trim_end_matches(":*");
    let tags = aws(&url, &["logs", "list-tags-for-resource", "--resource-arn", arn]);
    let tags: Value = serde_json::from_slice(&tags).expect("JSON");
    assert_eq!(tags["tags"], serde_json::json!({"team": "web", "cost": "a=b"}));

    // Somebody else's log group is left as it is, unless that is asked for.
    aws(&url, &["logs", "put-retention-policy", "--log-group-name", GROUP, "--retention-in-days", "7"]);
    let retention = |existing: &str| {
        let program = Program::new("pipe").args(&["--group", GROUP, "--stream", "s"]).to(&url);
        let program = program.args(&["--retention-days", "30", "--retain-existing", existing]);
        let mut input: File = tempfile::tempfile().expect("a temporary file");
        input.write_all(b"two\n").expect("the file takes them");
        input.rewind().expect("a file can be rewound");
        program.input(input).finish().assert_code(0);
        let groups = aws(&url, &["logs", "describe-log-groups"]);
        let groups: Value = serde_json::from_slice(&groups).expect("JSON");
        groups["logGroups"][0]["retentionInDays"].clone()
    };
    assert_eq!((retention("false"), retention("true")), (7.into(), 30.into()));
}
