//! Times that lines say themselves, events wrapped in JSON, and metrics in events.

use std::time::{SystemTime, UNIX_EPOCH};

use cloudspout_tests::process::must;
use cloudspout_tests::program::PATIENCE;
use cloudspout_tests::rules::EVENT_BYTES;
use cloudspout_tests::strict::{Journal, Strict};
use serde_json::{Value, json};

use crate::{arrived, input, pipe};

fn shipped(options: &[&str], written: &[u8]) -> Journal {
    let strict = Strict::start();
    pipe(&strict).args(options).input(input(written)).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    journal
}

/// Some minutes ago, in seconds: the service takes nothing old.
fn minutes_ago(minutes: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    i64::try_from(now.as_secs()).expect("a time") - 60 * minutes
}

/// A time as `date` writes it.
fn date(zone: &str, format: &str, seconds: i64) -> String {
    let mut date = std::process::Command::new("date");
    date.env("TZ", zone).env("LC_ALL", "C").args(["-d", &format!("@{seconds}"), &format!("+{format}")]);
    String::from_utf8(must("date", &mut date, PATIENCE)).expect("UTF-8").trim_end().to_owned()
}

#[test]
fn events_have_the_times_that_their_lines_say() {
    let (first, second) = (minutes_ago(50), minutes_ago(10));
    for (zone, options, format) in [
        ("UTC0", &["--time-format", "%Y-%m-%d %H:%M:%S%L"][..], "%Y-%m-%d %H:%M:%S.250"),
        (
            "CET-1",
            &["--time-format", r"\[%d/%b/%Y:%H:%M:%S %z\]"],
            "host - - [%d/%b/%Y:%H:%M:%S %z] \"GET / HTTP/1.1\"",
        ),
        ("EST5", &["--time-format", "^%b %e %T ", "--time-zone", "-05:00"], "%b %e %H:%M:%S x"),
        (
            "UTC0",
            &["--awslogs-datetime-format", "%F %T", "--time-format", "%F %T"],
            "%Y-%m-%d %H:%M:%S ERROR\n\tat x",
        ),
    ] {
        let lines = [first, second].map(|seconds| date(zone, format, seconds));
        let journal = shipped(options, format!("{}\n{}\n", lines[0], lines[1]).as_bytes());
        let events = arrived(&journal);
        let fraction = if format.contains(".250") { 250 } else { 0 };
        let expected = [first, second].map(|seconds| seconds * 1_000 + fraction);
        let times: Vec<i64> = events.iter().map(|event| event.time).collect();
        assert_eq!(times, expected, "{options:?}: {events:?}");
        let messages: Vec<&str> = events.iter().map(|event| event.message.as_str()).collect();
        assert_eq!(messages, lines, "{options:?}");
    }
}

#[test]
fn a_named_time_zone_knows_summer() {
    let seconds = minutes_ago(30);
    // Whatever the season is: Berlin's own rule.
    let line = date("CET-1CEST,M3.5.0,M10.5.0/3", "%Y-%m-%d %H:%M:%S", seconds);
    let journal =
        shipped(&["--time-format", "%F %T", "--time-zone", "Europe/Berlin"], format!("{line}\n").as_bytes());
    assert_eq!(arrived(&journal)[0].time, seconds * 1_000);
}

#[test]
fn a_line_without_a_time_that_can_be_has_that_of_reading() {
    let before = minutes_ago(0) * 1_000;
    let journal = shipped(&["--time-format", "%F %T"], b"no time\n1999-12-31 23:59:59 long ago\n");
    for event in arrived(&journal) {
        assert!(event.time >= before, "{event:?}");
    }
}

fn values(journal: &Journal) -> Vec<Value> {
    arrived(journal).iter().map(|event| serde_json::from_str(&event.message).expect("JSON")).collect()
}

#[test]
fn events_are_wrapped_and_fit() {
    let journal = shipped(&["--wrap", "json"], "one \"ü\"\n\n{\"a\":1}\n".as_bytes());
    let of = |message: Value| json!({"message": message, "stream": "stdout"});
    assert_eq!(values(&journal), [of(json!("one \"ü\"")), of(json!("")), of(json!("{\"a\":1}"))]);

    let journal = shipped(&["--wrap", "json-nested", "--wrap-fields", "stream"], b"{\"a\":1}\nplain\n");
    assert_eq!(values(&journal), [of(json!({"a": 1})), of(json!("plain"))]);

    let long = "\"\\\u{1}".repeat(EVENT_BYTES / 3);
    let journal = shipped(&["--wrap", "json"], format!("{long}\n").as_bytes());
    let parts = values(&journal);
    assert!(parts.len() > 1);
    let joined: String = parts.iter().map(|part| part["message"].as_str().expect("text")).collect();
    assert!(joined == long, "what was written is not what arrived, joined");
}

#[test]
fn metrics_in_events_are_announced() {
    let metric = r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]},"n":1}"#;
    let journal = shipped(&["--awslogs-format", "json/emf"], format!("{metric}\n").as_bytes());
    let puts: Vec<_> = journal.0.iter().filter(|request| request.operation == "PutLogEvents").collect();
    // The first one found no log stream.
    assert!(puts.len() > 1 && puts.last().expect("one").format.as_deref() == Some("json/emf"), "{puts:?}");
    assert_eq!(arrived(&journal)[0].message, metric);
    let journal = shipped(&[], b"plain\n");
    assert!(journal.0.iter().all(|request| request.format.is_none()));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let strict = Strict::start();
    for (options, words) in [
        (&["--awslogs-format", "json"][..], &["awslogs-format `json`", "json/emf"][..]),
        (&["--awslogs-format", "json/emf", "--wrap", "json"], &["awslogs-format and wrap"]),
        (&["--wrap-fields", "name"], &["wrap-fields", "--wrap"]),
        (&["--wrap", "json", "--wrap-fields", "nome"], &["`nome` is no field", "labels.KEY"]),
        (&["--time-format", "%Y-%m-%d"], &["time-format", "lacks the hour"]),
        (&["--time-format", "%T", "--time-zone", "Mars"], &["time-zone", "`Mars`", "Europe/Berlin"]),
        (&["--time-zone", "UTC"], &["time-zone", "time-format"]),
        (&["--retention-days", "31"], &["retention-days 31", "1 3 5 7 14 30"]),
        (&["--retain-existing", "true"], &["retain-existing", "retention-days"]),
        (&["--group-tags", "aws:a=b"], &["group-tags", "aws:"]),
        (&["--kms-key-id", "alias/x"], &["kms-key-id `alias/x`", "ARN"]),
        (&["--log-group-class", "CHEAP"], &["log-group-class `CHEAP`", "INFREQUENT_ACCESS"]),
    ] {
        pipe(&strict).args(options).finish().assert_complaint(3, words);
    }
    assert_eq!(strict.count("requests"), 0);
}

#[test]
fn events_arrive_whatever_a_log_group_is_refused() {
    let strict = Strict::with_plan("retention@*=denied group@1=denied");
    let options = ["--retention-days", "30", "--group-tags", "team=web"];
    let outcome = pipe(&strict).args(&options).input(input(b"one\n")).finish().assert_code(0);
    for words in
        ["refused with its tags", "cannot be told to keep events for 30 days", "logs:PutRetentionPolicy"]
    {
        assert_eq!(outcome.stderr.matches(words).count(), 1, "{words}: {}", outcome.stderr);
    }
    assert!(outcome.stderr.contains("2 settings of log groups refused"), "{}", outcome.stderr);
    assert_eq!(arrived(&strict.stop()).len(), 1);

    let strict = Strict::with_plan("retention@1-2=throttle");
    pipe(&strict).args(&options).input(input(b"one\n")).finish().assert_code(0);
    let journal = strict.stop();
    let told = |request: &&cloudspout_tests::strict::Request| {
        request.operation == "PutRetentionPolicy" && request.fault.is_none()
    };
    assert_eq!(journal.0.iter().filter(told).count(), 1);
}
