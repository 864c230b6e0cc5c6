//! Operations called directly with JSON, on a clock that stands still.

use serde_json::{Value, json};

use super::limits::{BATCH_BYTES, EVENT_OVERHEAD, MILLIS_AN_HOUR};
use super::*;
use crate::clock::Timestamp;
use crate::print::PrintMode;
use crate::store::Store;

/// 2026-11-21, some time in the morning.
const NOW: i64 = 1_795_250_000_000;
const DAY: i64 = 24 * MILLIS_AN_HOUR;

#[test]
fn batches_within_the_limits_are_taken() {
    let longest = "x".repeat(BATCH_BYTES - EVENT_OVERHEAD);
    for events in [
        vec![(NOW, "x".to_owned())],
        vec![(NOW, "x".to_owned()); 10_000],
        vec![(NOW, longest)],
        vec![(NOW - 14 * DAY, "oldest".to_owned()), (NOW - 13 * DAY, "a day on".to_owned())],
        vec![(NOW, "now".to_owned()), (NOW + 2 * MILLIS_AN_HOUR, "newest".to_owned())],
    ] {
        let answer = World::new().put(&events).unwrap();
        assert_eq!(answer.get("rejectedLogEventsInfo"), None);
        assert_eq!(answer["nextSequenceToken"].as_str().unwrap().len(), 56);
    }
}

#[test]
fn batches_beyond_the_limits_fail_whole() {
    let text = |length: usize| "x".repeat(length);
    let cases = [
        (
            vec![],
            "Value '[]' at 'logEvents' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (vec![(NOW, text(1)); 10_001], "Member must have length less than or equal to 10000"),
        (
            vec![(NOW, text(1)), (NOW, text(0))],
            "Value '' at 'logEvents.2.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            vec![(-1, text(1))],
            "Value '-1' at 'logEvents.1.member.timestamp' failed to satisfy constraint: Member must have value greater than or equal to 0",
        ),
        (vec![(NOW, text(1_048_551))], "Log event too large: 1048577 bytes exceeds limit of 1048576"),
        (
            vec![(NOW, text(524_263)), (NOW, text(524_262))],
            "Upload too large: 1048577 bytes exceeds limit of 1048576",
        ),
        (
            vec![(NOW, text(1)), (NOW - 1, text(1))],
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            vec![(NOW - DAY - 1, text(1)), (NOW, text(1))],
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
    ];
    for (events, words) in cases {
        let world = World::new();
        let refusal = world.put(&events).unwrap_err();
        assert_eq!(refusal.code, "InvalidParameterException");
        assert!(refusal.message.as_ref().unwrap().contains(words), "{refusal:?}");
        assert!(world.messages().is_empty());
    }
}

#[test]
fn events_out_of_time_are_left_out_one_by_one() {
    let too_new = NOW + 2 * MILLIS_AN_HOUR + 1;
    // Retention in days, times of events, (too old end, expired end, too new start), events kept.
    type Case = (Option<i64>, Vec<i64>, [Option<u64>; 3], usize);
    let cases: [Case; 9] = [
        (None, vec![NOW], [None; 3], 1),
        (None, vec![NOW - 14 * DAY - 1], [Some(1), None, None], 0),
        (None, vec![NOW - 15 * DAY, NOW - 14 * DAY - 1, NOW], [Some(2), None, None], 1),
        (None, vec![NOW, too_new, too_new + 1], [None, None, Some(1)], 1),
        (None, vec![NOW - 15 * DAY, NOW, too_new], [Some(1), None, Some(2)], 1),
        (None, vec![NOW - 15 * DAY, too_new], [Some(1), None, Some(1)], 0),
        (Some(3), vec![NOW - 3 * DAY - 1, NOW], [None, Some(1), None], 1),
        (Some(3), vec![NOW - 15 * DAY, NOW - 4 * DAY, NOW], [Some(1), Some(2), None], 1),
        (Some(30), vec![NOW - 20 * DAY, NOW], [Some(1), None, None], 1),
    ];
    for (retention, times, [too_old, expired, too_new], kept) in cases {
        let world = World::new();
        if let Some(days) = retention {
            world
                .ok(Operation::PutRetentionPolicy, json!({"logGroupName": "group", "retentionInDays": days}));
        }
        let events: Vec<(i64, String)> = times.iter().map(|time| (*time, "x".to_owned())).collect();
        let answer = world.put(&events).unwrap();
        let rejected = &answer["rejectedLogEventsInfo"];
        assert_eq!(rejected["tooOldLogEventEndIndex"].as_u64(), too_old, "{times:?}");
        assert_eq!(rejected["expiredLogEventEndIndex"].as_u64(), expired, "{times:?}");
        assert_eq!(rejected["tooNewLogEventStartIndex"].as_u64(), too_new, "{times:?}");
        assert_eq!(world.messages().len(), kept, "{times:?}");
        assert_eq!(answer.get("nextSequenceToken").is_some(), kept > 0, "{times:?}");
    }
}

#[test]
fn faults_reject_the_ends_of_a_batch_and_refuse_poison() {
    let mut world = World::new();
    world.put_faults = PutFaults { too_old: 1, too_new: 2, ..PutFaults::default() };
    let events: Vec<(i64, String)> = ["a", "b", "c", "d"].map(|text| (NOW, text.to_owned())).to_vec();
    let rejected = world.put(&events).unwrap()["rejectedLogEventsInfo"].clone();
    assert_eq!(rejected, json!({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}));
    assert_eq!(world.messages(), ["b"]);
    world.put_faults = PutFaults { poison: vec!["c".to_owned()], ..PutFaults::default() };
    assert_eq!(world.put(&events).unwrap_err().code, "InvalidParameterException");
    assert!(world.put(&events[..2]).is_ok());
}

#[test]
fn missing_members_and_bad_json_have_the_service_s_errors() {
    let world = World::new();
    let cases = [
        (
            r#"{"logStreamName":"stream","logEvents":[{"timestamp":1,"message":"x"}]}"#,
            "InvalidParameterException",
            "Value null at 'logGroupName'",
        ),
        (
            r#"{"logGroupName":"group","logStreamName":"stream"}"#,
            "InvalidParameterException",
            "1 validation error detected: Value null at 'logEvents' failed to satisfy constraint: Member must not be null",
        ),
        (
            r#"{"logGroupName":"group","logStreamName":"stream","logEvents":[{"message":"x"}]}"#,
            "InvalidParameterException",
            "'logEvents.1.member.timestamp'",
        ),
        (
            r#"{"logGroupName":"group","logStreamName":"stream","logEvents":[{"timestamp":1}]}"#,
            "InvalidParameterException",
            "'logEvents.1.member.message'",
        ),
        ("{}", "InvalidParameterException", "3 validation errors detected"),
        ("", "SerializationException", ""),
        ("[", "SerializationException", ""),
        (r#"{"logGroupName":7}"#, "SerializationException", ""),
        (
            r#"{"logGroupName":"group","logStreamName":"stream","logEvents":[{"timestamp":1,"message":"\ud83d"}]}"#,
            "SerializationException",
            "",
        ),
    ];
    for (body, code, words) in cases {
        let refusal = world.raw(Operation::PutLogEvents, body.as_bytes()).unwrap_err();
        assert_eq!(refusal.code, code, "{body}");
        assert!(refusal.message.unwrap().contains(words), "{body}");
    }
    let invalid = b"{\"logGroupName\":\"group\xff\"}";
    let refusal = world.raw(Operation::PutLogEvents, invalid).unwrap_err();
    assert_eq!(refusal.code, "SerializationException");
}

#[test]
fn what_is_no_part_of_the_request_is_ignored() {
    let world = World::new();
    let body = r#"{"logGroupName":"group","logStreamName":"stream","sequenceToken":"1","shoe":{"size":[9]},
        "entity":{"keyAttributes":{"Type":"Service","Name":"web"}},
        "logEvents":[{"timestamp":1795250000000,"message":"q\"\u00e9\ud83e\udd80","level":3}]}"#;
    let outcome = world.raw(Operation::PutLogEvents, body.as_bytes()).unwrap();
    assert_eq!(outcome.accepted.unwrap().events, 1);
    assert_eq!(world.messages(), ["q\"é🦀"]);
    let refused = body.replace("Service", "Thing");
    let outcome = world.raw(Operation::PutLogEvents, refused.as_bytes()).unwrap();
    let answer: Value = serde_json::from_slice(&outcome.body).unwrap();
    assert_eq!(answer["rejectedEntityInfo"], json!({"errorType": "InvalidTypeValue"}));
    assert_eq!(world.messages().len(), 2);
}

#[test]
fn what_does_not_exist_or_exists_already_is_said() {
    let world = World::new();
    let group = |name: &str| json!({"logGroupName": name});
    let stream = |group: &str, stream: &str| json!({"logGroupName": group, "logStreamName": stream});
    let exists = "ResourceAlreadyExistsException: The specified log";
    let missing = "ResourceNotFoundException: The specified log";
    for (operation, input, expected) in [
        (Operation::CreateLogGroup, group("group"), format!("{exists} group already exists")),
        (
            Operation::CreateLogGroup,
            group("aws/x"),
            "InvalidParameterException: Log groups starting with AWS/ are reserved for AWS.".to_owned(),
        ),
        (Operation::CreateLogStream, stream("group", "stream"), format!("{exists} stream already exists")),
        (Operation::CreateLogStream, stream("none", "stream"), format!("{missing} group does not exist.")),
        (Operation::GetLogEvents, stream("group", "none"), format!("{missing} stream does not exist.")),
        (Operation::DescribeLogStreams, group("none"), format!("{missing} group does not exist.")),
        (Operation::DeleteLogStream, stream("group", "none"), format!("{missing} stream does not exist.")),
        (Operation::DeleteLogGroup, group("none"), format!("{missing} group does not exist.")),
        (Operation::DeleteRetentionPolicy, group("none"), format!("{missing} group does not exist.")),
    ] {
        let refusal = world.call(operation, &input).unwrap_err();
        assert_eq!(format!("{}: {}", refusal.code, refusal.message.unwrap()), expected);
    }
}

#[test]
fn a_stream_is_read_in_pages_from_either_end_and_the_last_token_repeats() {
    let world = World::new();
    for nth in 0..5 {
        world.put(&[(NOW + nth, nth.to_string())]).unwrap();
    }
    let read = |head: bool, token: Option<&str>| -> (String, String, String) {
        let input = json!({"logGroupName": "group", "logStreamName": "stream", "limit": 2, "startFromHead": head, "nextToken": token});
        let page = world.ok(Operation::GetLogEvents, input);
        let token = |name: &str| page[name].as_str().unwrap().to_owned();
        (texts(&page), token("nextForwardToken"), token("nextBackwardToken"))
    };
    let (first, forward, backward) = read(true, None);
    assert_eq!(first, "01");
    assert_eq!(read(true, Some(&backward)).0, "");
    let (second, forward, backward) = read(true, Some(&forward));
    assert_eq!(second, "23");
    assert_eq!(read(true, Some(&backward)).0, "01");
    let (third, forward, _) = read(true, Some(&forward));
    assert_eq!(third, "4");
    let (end, repeated, _) = read(true, Some(&forward));
    assert_eq!((end.as_str(), &repeated), ("", &forward));
    world.put(&[(NOW + 9, "late".to_owned())]).unwrap();
    assert_eq!(read(true, Some(&forward)).0, "late");

    let (last, _, backward) = read(false, None);
    assert_eq!(last, "4late");
    let (before, _, backward) = read(false, Some(&backward));
    assert_eq!(before, "23");
    let (first, _, backward) = read(false, Some(&backward));
    assert_eq!(first, "01");
    let (begin, _, repeated) = read(false, Some(&backward));
    assert_eq!((begin.as_str(), repeated), ("", backward));
}

#[test]
fn the_end_of_a_window_is_left_out_by_get_and_taken_by_filter() {
    let world = World::new();
    for nth in 0..5 {
        world.put(&[(NOW + nth, nth.to_string())]).unwrap();
    }
    let window =
        json!({"logGroupName": "group", "logStreamName": "stream", "startTime": NOW + 1, "endTime": NOW + 3});
    assert_eq!(texts(&world.ok(Operation::GetLogEvents, window.clone())), "12");
    assert_eq!(texts(&world.ok(Operation::FilterLogEvents, window)), "123");
}

#[test]
fn filtering_joins_streams_in_order_and_pages_until_there_is_no_token() {
    let world = World::new();
    world.ok(Operation::CreateLogStream, json!({"logGroupName": "group", "logStreamName": "other"}));
    for (stream, time, text) in
        [("stream", 0, "a x"), ("other", 1, "b"), ("stream", 2, "c x"), ("other", 2, "d x")]
    {
        world.put_to(stream, &[(NOW + time, text.to_owned())]).unwrap();
    }
    let mut token = Value::Null;
    let mut seen = Vec::new();
    loop {
        let input = json!({"logGroupIdentifier": "arn:aws:logs:us-east-1:000000000000:log-group:group", "filterPattern": "x", "limit": 2, "nextToken": token});
        let page = world.ok(Operation::FilterLogEvents, input);
        for event in page["events"].as_array().unwrap() {
            assert_eq!(event["eventId"].as_str().unwrap().len(), 56);
            seen.push(format!(
                "{} {}",
                event["logStreamName"].as_str().unwrap(),
                event["message"].as_str().unwrap()
            ));
        }
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["stream a x", "stream c x", "other d x"]);
    let newest = json!({"logGroupName": "group", "startTime": NOW, "startFromHead": false});
    assert_eq!(texts(&world.ok(Operation::FilterLogEvents, newest)), "d xc xba x");
    for wrong in [
        json!({"logGroupName": "group", "startFromHead": false}),
        json!({"logGroupName": "group", "logStreamNames": ["other"], "logStreamNamePrefix": "o"}),
        json!({"logGroupName": "group", "logGroupIdentifier": "group"}),
        json!({"filterPattern": "x"}),
        json!({"logGroupName": "group", "nextToken": "x"}),
    ] {
        assert_eq!(
            world.call(Operation::FilterLogEvents, &wrong).unwrap_err().code,
            "InvalidParameterException",
            "{wrong}"
        );
    }
}

#[test]
fn groups_are_described_in_pages() {
    let world = World::new();
    for name in ["group2", "group3", "other"] {
        world.ok(
            Operation::CreateLogGroup,
            json!({"logGroupName": name, "logGroupClass": "INFREQUENT_ACCESS"}),
        );
    }
    let names = |input: Value| -> (Vec<String>, Value) {
        let page = world.ok(Operation::DescribeLogGroups, input);
        let names = page["logGroups"].as_array().unwrap().iter();
        (
            names.map(|group| group["logGroupName"].as_str().unwrap().to_owned()).collect(),
            page["nextToken"].clone(),
        )
    };
    let (first, token) = names(json!({"logGroupNamePrefix": "group", "limit": 2}));
    assert_eq!(first, ["group", "group2"]);
    let (second, end) = names(json!({"logGroupNamePrefix": "group", "limit": 2, "nextToken": token}));
    assert_eq!((second, end), (vec!["group3".to_owned()], Value::Null));
    assert_eq!(names(json!({"logGroupNamePattern": "the"})).0, ["other"]);
    assert_eq!(names(json!({"logGroupClass": "STANDARD"})).0, ["group"]);
    world.put(&[(NOW, "12345".to_owned())]).unwrap();
    let group = &world.ok(Operation::DescribeLogGroups, json!({"limit": 1}))["logGroups"][0];
    assert_eq!(group["arn"], "arn:aws:logs:us-east-1:000000000000:log-group:group:*");
    assert_eq!(group["logGroupArn"], "arn:aws:logs:us-east-1:000000000000:log-group:group");
    assert_eq!(group["storedBytes"], 5);
}

#[test]
fn streams_are_described_by_name_or_by_their_last_event() {
    let world = World::new();
    for (name, time) in [("a", 2), ("b", 3), ("c", 1)] {
        world.ok(Operation::CreateLogStream, json!({"logGroupName": "group", "logStreamName": name}));
        world.put_to(name, &[(NOW + time, "x".to_owned())]).unwrap();
    }
    let names = |input: Value| -> (String, Value) {
        let page = world.ok(Operation::DescribeLogStreams, input);
        let streams = page["logStreams"].as_array().unwrap().iter();
        (streams.map(|stream| stream["logStreamName"].as_str().unwrap()).collect(), page["nextToken"].clone())
    };
    assert_eq!(names(json!({"logGroupName": "group"})).0, "abcstream");
    assert_eq!(names(json!({"logGroupName": "group", "descending": true})).0, "streamcba");
    let by_time =
        json!({"logGroupName": "group", "orderBy": "LastEventTime", "descending": true, "limit": 2});
    let (first, token) = names(by_time.clone());
    assert_eq!(first, "ba");
    let mut next = by_time;
    next["nextToken"] = token;
    assert_eq!(names(next), ("cstream".to_owned(), Value::Null));
    let wrong = json!({"logGroupName": "group", "orderBy": "LastEventTime", "logStreamNamePrefix": "a"});
    let refusal = world.call(Operation::DescribeLogStreams, &wrong).unwrap_err();
    assert_eq!(refusal.message.unwrap(), "Cannot order by LastEventTime with a logStreamNamePrefix.");
}

#[test]
fn tags_are_set_by_arn_and_by_name() {
    let world = World::new();
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:group";
    world.ok(Operation::TagResource, json!({"resourceArn": arn, "tags": {"a": "1", "b": "2"}}));
    world.ok(Operation::TagLogGroup, json!({"logGroupName": "group", "tags": {"b": "3"}}));
    world.ok(Operation::UntagResource, json!({"resourceArn": arn, "tagKeys": ["a"]}));
    let tags = world.ok(Operation::ListTagsForResource, json!({"resourceArn": arn}));
    assert_eq!(tags, json!({"tags": {"b": "3"}}));
    world.ok(Operation::UntagLogGroup, json!({"logGroupName": "group", "tags": ["b"]}));
    assert_eq!(world.ok(Operation::ListTagsLogGroup, json!({"logGroupName": "group"})), json!({"tags": {}}));
    let many: serde_json::Map<String, Value> = (0..51).map(|nth| (nth.to_string(), json!("x"))).collect();
    let refusal = world.call(Operation::TagResource, &json!({"resourceArn": arn, "tags": many})).unwrap_err();
    assert_eq!(refusal.code, "InvalidParameterException");
    let reserved = json!({"resourceArn": arn, "tags": {"aws:x": "y"}});
    assert_eq!(world.call(Operation::TagResource, &reserved).unwrap_err().code, "InvalidParameterException");
}

#[test]
fn retention_takes_the_allowed_days_only() {
    let world = World::new();
    for days in limits::RETENTION_DAYS {
        world.ok(Operation::PutRetentionPolicy, json!({"logGroupName": "group", "retentionInDays": days}));
    }
    for days in [json!(0), json!(2), json!(-1), json!(null)] {
        let input = json!({"logGroupName": "group", "retentionInDays": days});
        assert_eq!(
            world.call(Operation::PutRetentionPolicy, &input).unwrap_err().code,
            "InvalidParameterException"
        );
    }
}

/// A store with one group and one stream.
struct World {
    store: Store,
    put_faults: PutFaults,
}

impl World {
    fn new() -> World {
        let world = World { store: Store::in_memory(1 << 30), put_faults: PutFaults::default() };
        world.ok(Operation::CreateLogGroup, json!({"logGroupName": "group"}));
        world.ok(Operation::CreateLogStream, json!({"logGroupName": "group", "logStreamName": "stream"}));
        world
    }

    fn put(&self, events: &[(i64, String)]) -> Result<Value, Refusal> {
        self.put_to("stream", events)
    }

    fn put_to(&self, stream: &str, events: &[(i64, String)]) -> Result<Value, Refusal> {
        let events: Vec<Value> = events
            .iter()
            .map(|(timestamp, message)| json!({"timestamp": timestamp, "message": message}))
            .collect();
        let input = json!({"logGroupName": "group", "logStreamName": stream, "logEvents": events});
        self.call(Operation::PutLogEvents, &input)
    }

    fn messages(&self) -> Vec<String> {
        let page = self.ok(Operation::FilterLogEvents, json!({"logGroupName": "group"}));
        let events = page["events"].as_array().unwrap().iter();
        events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    fn ok(&self, operation: Operation, input: Value) -> Value {
        self.call(operation, &input).unwrap()
    }

    /// The answer, null for an empty one.
    fn call(&self, operation: Operation, input: &Value) -> Result<Value, Refusal> {
        let outcome = self.raw(operation, input.to_string().as_bytes())?;
        Ok(serde_json::from_slice(&outcome.body).unwrap_or_default())
    }

    fn raw(&self, operation: Operation, body: &[u8]) -> Result<Outcome, Refusal> {
        let context = Context {
            store: &self.store,
            now: Timestamp(NOW),
            region: "us-east-1",
            account: "000000000000",
            put_faults: &self.put_faults,
            print: PrintMode::Nothing,
        };
        operation.perform(body, &context)
    }
}

fn texts(page: &Value) -> String {
    page["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}
