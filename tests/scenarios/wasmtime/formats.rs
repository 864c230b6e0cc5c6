//! What comes in may be framed, and bring its own times.

use std::time::{SystemTime, UNIX_EPOCH};

use cloudspout_tests::strict::Strict;

use crate::{arrived, input, ship};

/// Ships bytes of a framing; times and messages that arrived.
fn shipped(arguments: &[&str], bytes: &[u8]) -> Vec<(i64, String)> {
    let strict = Strict::start();
    ship(&strict).args(arguments).input(input(bytes)).finish().assert_code(0);
    let journal = strict.stop();
    journal.assert_well_formed();
    arrived(&journal).into_iter().map(|event| (event.time, event.message)).collect()
}

fn frame(side: u8, payload: &str) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&[side, 0, 0, 0][..], &length, payload.as_bytes()].concat()
}

/// A minute ago, in ms: the service takes nothing old.
fn minute_ago() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    i64::try_from(now.as_millis()).expect("a time") - 60_000
}

#[test]
fn dockers_frames_are_taken_apart() {
    let frames = [frame(1, "out begins, "), frame(2, "err\n"), frame(1, "and ends\n")].concat();
    let arrived = shipped(&["--framing", "frames"], &frames);
    let texts: Vec<_> = arrived.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["err", "out begins, and ends"]);
}

#[test]
fn json_lines_bring_times_and_fields() {
    let (first, second) = (minute_ago(), minute_ago() + 5);
    let whole = format!(r#"{{"level":"info","text":"one","time":{first}}}"#);
    let log = format!("{whole}\n{{\"time\":{second},\"text\":\"t\\\"wo\"}}\n");
    let two = format!(r#"{{"time":{second},"text":"t\"wo"}}"#);
    let arrived = shipped(&["--framing", "json-lines"], log.as_bytes());
    assert_eq!(arrived, [(first, whole), (second, two)]);
    let arrived = shipped(&["--framing", "json-lines", "--message-field", "text"], log.as_bytes());
    assert_eq!(arrived, [(first, "one".to_owned()), (second, "t\"wo".to_owned())]);
}
