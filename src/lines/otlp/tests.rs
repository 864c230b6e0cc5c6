//! The same records in both forms are the same events, whatever they hold; and what is no request is refused.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::lane::Order;
use super::super::testing::Heard;
use super::super::{Decoder, FieldNames, Framing, Lane, Malformed, Position, Sides};
use super::*;
use crate::lines::Side;

/// A value as OTLP has it.
#[derive(Clone, Debug)]
enum Any {
    Absent,
    Text(String),
    Truth(bool),
    Whole(i64),
    Double(f64),
    Bytes(Vec<u8>),
    List(Vec<Any>),
    Pairs(Vec<(String, Any)>),
}

#[derive(Clone, Debug, Default)]
struct Log {
    time: u64,
    observed: u64,
    severity: u8,
    severity_text: String,
    body: Option<Any>,
    attributes: Vec<(String, Any)>,
    trace: Vec<u8>,
    flags: u32,
}

type Resource = (Vec<(String, Any)>, Vec<(String, Vec<Log>)>);
type Request = Vec<Resource>;

/// Writes protobuf.
#[derive(Default)]
struct Proto(Vec<u8>);

impl Proto {
    fn varint(&mut self, mut number: u64) {
        while number > 127 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn whole(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn fixed(&mut self, field: u64, bytes: &[u8]) {
        self.varint((field << 3) | if bytes.len() == 8 { 1 } else { 5 });
        self.0.extend_from_slice(bytes);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint((field << 3) | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u64, write: impl FnOnce(&mut Proto)) {
        let mut message = Proto::default();
        write(&mut message);
        self.bytes(field, &message.0);
    }

    fn value(&mut self, value: &Any) {
        match value {
            Any::Absent => {}
            Any::Text(text) => self.bytes(1, text.as_bytes()),
            Any::Truth(truth) => self.whole(2, u64::from(*truth)),
            Any::Whole(number) => self.whole(3, *number as u64),
            Any::Double(number) => self.fixed(4, &number.to_le_bytes()),
            Any::List(values) => self.message(5, |list| {
                for value in values {
                    list.message(1, |item| item.value(value));
                }
            }),
            Any::Pairs(pairs) => self.message(6, |list| list.pairs(1, pairs)),
            Any::Bytes(bytes) => self.bytes(7, bytes),
        }
    }

    fn pairs(&mut self, field: u64, pairs: &[(String, Any)]) {
        for (key, value) in pairs {
            self.message(field, |pair| {
                pair.bytes(1, key.as_bytes());
                pair.message(2, |any| any.value(value));
            });
        }
    }

    fn log(&mut self, log: &Log) {
        self.fixed(1, &log.time.to_le_bytes());
        self.whole(2, log.severity.into());
        self.bytes(3, log.severity_text.as_bytes());
        if let Some(body) = &log.body {
            self.message(5, |any| any.value(body));
        }
        self.pairs(6, &log.attributes);
        self.fixed(8, &log.flags.to_le_bytes());
        self.bytes(9, &log.trace);
        self.fixed(11, &log.observed.to_le_bytes());
        // What a later version may add.
        self.whole(99, 1);
    }
}

fn to_protobuf(request: &Request) -> Vec<u8> {
    let mut proto = Proto::default();
    for (resource, scopes) in request {
        proto.message(1, |logs| {
            // Order is the writer's choice.
            for (scope, records) in scopes {
                logs.message(2, |logs| {
                    records.iter().for_each(|record| logs.message(2, |log| log.log(record)));
                    logs.message(1, |message| message.bytes(1, scope.as_bytes()));
                });
            }
            logs.message(1, |message| message.pairs(1, resource));
        });
    }
    proto.0
}

fn json_value(value: &Any) -> Value {
    match value {
        Any::Absent => json!({}),
        Any::Text(text) => json!({ "stringValue": text }),
        Any::Truth(truth) => json!({ "boolValue": truth }),
        Any::Whole(number) => json!({ "intValue": number.to_string() }),
        Any::Double(number) if number.is_finite() => json!({ "doubleValue": number }),
        Any::Double(number) if number.is_nan() => json!({ "doubleValue": "NaN" }),
        Any::Double(number) if *number > 0.0 => json!({ "doubleValue": "Infinity" }),
        Any::Double(_) => json!({ "doubleValue": "-Infinity" }),
        Any::List(values) => {
            json!({ "arrayValue": { "values": values.iter().map(json_value).collect::<Vec<_>>() } })
        }
        Any::Pairs(pairs) => json!({ "kvlistValue": { "values": json_pairs(pairs) } }),
        Any::Bytes(bytes) => {
            use base64::Engine as _;
            json!({ "bytesValue": base64::engine::general_purpose::STANDARD.encode(bytes) })
        }
    }
}

fn json_pairs(pairs: &[(String, Any)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": json_value(value) })).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn to_json(request: &Request) -> Vec<u8> {
    let log = |log: &Log| {
        let mut record = json!({
            "timeUnixNano": log.time.to_string(), "severityNumber": log.severity, "severityText": log.severity_text,
            "attributes": json_pairs(&log.attributes), "traceId": hex(&log.trace), "flags": log.flags,
            "observedTimeUnixNano": log.observed, "newer": [1],
        });
        if let Some(body) = &log.body {
            record["body"] = json_value(body);
        }
        record
    };
    let scope = |(scope, records): &(String, Vec<Log>)| json!({ "scope": { "name": scope }, "logRecords": records.iter().map(log).collect::<Vec<_>>() });
    let resource = |(resource, scopes): &Resource| json!({ "resource": { "attributes": json_pairs(resource) }, "scopeLogs": scopes.iter().map(scope).collect::<Vec<_>>() });
    serde_json::to_vec(&json!({ "resourceLogs": request.iter().map(resource).collect::<Vec<_>>() })).unwrap()
}

/// A value as an event has it.
fn plain(value: &Any) -> Value {
    match value {
        Any::Absent => Value::Null,
        Any::Text(text) => text.as_str().into(),
        Any::Truth(truth) => (*truth).into(),
        Any::Whole(number) => (*number).into(),
        Any::Double(number) if number.is_finite() => (*number).into(),
        Any::Double(number) if number.is_nan() => "NaN".into(),
        Any::Double(number) if *number > 0.0 => "Infinity".into(),
        Any::Double(_) => "-Infinity".into(),
        Any::List(values) => values.iter().map(plain).collect(),
        Any::Pairs(pairs) => plain_pairs(pairs),
        Any::Bytes(_) => json_value(value)["bytesValue"].clone(),
    }
}

fn plain_pairs(pairs: &[(String, Any)]) -> Value {
    Value::Object(pairs.iter().map(|(key, value)| (key.clone(), plain(value))).collect())
}

fn expected(request: &Request) -> Vec<(u64, Value)> {
    let mut events = Vec::new();
    for (resource, scopes) in request {
        for (scope, records) in scopes {
            for log in records {
                let mut event = Map::new();
                let mut put = |name: &str, value: Value, there: bool| {
                    if there {
                        event.insert(name.to_owned(), value);
                    }
                };
                put("timeUnixNano", log.time.into(), log.time > 0);
                put("observedTimeUnixNano", log.observed.into(), log.observed > 0);
                put("severityNumber", log.severity.into(), log.severity > 0);
                put("severityText", log.severity_text.as_str().into(), !log.severity_text.is_empty());
                put("flags", log.flags.into(), log.flags > 0);
                put("traceId", hex(&log.trace).into(), !log.trace.is_empty());
                put("attributes", plain_pairs(&log.attributes), !log.attributes.is_empty());
                put("body", log.body.as_ref().map_or(Value::Null, plain), log.body.is_some());
                let attributes = json!({ "attributes": plain_pairs(resource) });
                put("resource", if resource.is_empty() { json!({}) } else { attributes }, true);
                put("scope", if scope.is_empty() { json!({}) } else { json!({ "name": scope }) }, true);
                let time = [log.time, log.observed].into_iter().find(|time| *time > 0);
                events.push((time.unwrap_or(NOW), Value::Object(event)));
            }
        }
    }
    events
}

const NOW: u64 = 7;

fn hear(framing: Framing, body: &[u8], names: &FieldNames, apart: &[String]) -> Heard {
    let lane = |side| Lane::new(side, Order::ByOffset, false, Position::default());
    let mut decoder =
        Decoder::new(framing, 0, Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) });
    decoder.name_fields(names, apart);
    let mut heard = Heard::default();
    for chunk in body.chunks(100) {
        decoder.read(chunk, Timestamp::from_nanos(NOW), &mut heard);
    }
    decoder.finish(Timestamp::from_nanos(NOW), &mut heard);
    while decoder.has_more() {
        decoder.go_on(Timestamp::from_nanos(NOW), &mut heard);
    }
    assert!(heard.positions.is_sorted_by(|one, other| one.offset < other.offset));
    heard
}

fn events(framing: Framing, body: &[u8]) -> Vec<(u64, Value)> {
    let heard = hear(framing, body, &FieldNames::default(), &[]);
    assert!(heard.malformed.is_empty(), "{:?}", heard.malformed);
    heard.events.iter().map(|(_, time, text)| (*time, serde_json::from_str(text).unwrap())).collect()
}

fn problem(framing: Framing, body: &[u8]) -> String {
    let heard = hear(framing, body, &FieldNames::default(), &[]);
    assert!(heard.events.is_empty());
    match heard.malformed.as_slice() {
        [Malformed::Body(problem)] => problem.clone(),
        other => panic!("{other:?} of {:?}", String::from_utf8_lossy(body)),
    }
}

fn text(text: &str) -> Any {
    Any::Text(text.to_owned())
}

fn one(log: Log) -> Request {
    vec![(vec![("service.name".to_owned(), text("shop"))], vec![("library".to_owned(), vec![log])])]
}

#[test]
fn a_record_becomes_an_object_that_people_can_read() {
    let log = Log {
        time: 1_800_000_000_000_000_001,
        severity: 9,
        severity_text: "INFO".into(),
        body: Some(text("ready")),
        attributes: vec![
            ("port".into(), Any::Whole(8080)),
            ("at".into(), Any::List(vec![text("a"), Any::Absent])),
        ],
        trace: vec![0xab; 16],
        ..Log::default()
    };
    let event = r#"{"body":"ready","severityText":"INFO","severityNumber":9,"attributes":{"port":8080,"at":["a",null]},"traceId":"abababababababababababababababab","resource":{"attributes":{"service.name":"shop"}},"scope":{"name":"library"},"timeUnixNano":1800000000000000001}"#;
    for (framing, body) in
        [(Framing::OtlpProtobuf, to_protobuf(&one(log.clone()))), (Framing::OtlpJson, to_json(&one(log)))]
    {
        let heard = hear(framing, &body, &FieldNames::default(), &[]);
        let expected = (Side::Stdout, 1_800_000_000_000_000_001, event.to_owned());
        assert_eq!(heard.events, [expected], "{framing:?}");
    }
}

#[test]
fn names_and_texts_come_of_a_records_fields() {
    let body = to_json(&one(Log { time: 5, body: Some(text("a \"b\"\n")), ..Log::default() }));
    let names = FieldNames { message: Some("body".into()), time: None };
    let heard = hear(Framing::OtlpJson, &body, &names, &["resource".to_owned()]);
    assert_eq!(heard.events, [(Side::Stdout, 5, "a \"b\"\n".to_owned())]);
    assert_eq!(heard.descriptions, [r#"{"resource":{"attributes":{"service.name":"shop"}}}"#]);
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    for (body, said) in [
        (&b"\x0a\x05"[..], "byte 2: a length beyond the end"),
        (b"{\"resourceLogs\":[]}", "a field of the unknown type 3"),
    ] {
        let problem = problem(Framing::OtlpProtobuf, body);
        assert!(problem.contains(said), "{problem}");
    }
    for (body, said) in [
        ("", "line 1, column 0: EOF"),
        ("[]", "line 1: `[]` is no object"),
        ("{\"resourceLogs\":[}", "line 1, column 18: expected value"),
        ("{\n\"resourceLogs\":{}}", "line 2: `{}` is no array"),
        ("{\"resourceLogs\":[\n1]}", "line 2: `1` is no object"),
        (
            "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"x\"}]}]}]}",
            "`\"x\"` is no whole number",
        ),
        ("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":\"x\"}]}]}]}", "`\"x\"` is no value"),
        (
            "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"intValue\":1.5}}]}]}]}",
            "`1.5` is no whole number",
        ),
        (
            "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"boolValue\":1}}]}]}]}",
            "`1` is no boolValue",
        ),
    ] {
        let problem = problem(Framing::OtlpJson, body.as_bytes());
        assert!(problem.contains(said), "{body}: {problem}");
    }
}

#[test]
fn values_within_values_without_end_are_refused() {
    let mut deep = text("bottom");
    for _ in 0..DEEPEST + 1 {
        deep = Any::List(vec![deep]);
    }
    let request = one(Log { body: Some(deep), ..Log::default() });
    assert!(problem(Framing::OtlpProtobuf, &to_protobuf(&request)).contains("deep"));
    assert!(problem(Framing::OtlpJson, &to_json(&request)).contains("deep"));
}

#[test]
fn a_short_body_of_endless_events_is_refused() {
    let resource = vec![("padding".to_owned(), text(&"x".repeat(1 << 20)))];
    let request = vec![(resource, vec![(String::new(), vec![Log::default(); 300])])];
    assert!(problem(Framing::OtlpProtobuf, &to_protobuf(&request)).contains("268435456 bytes"));
}

#[test]
fn a_request_without_records_has_no_events() {
    for (framing, body) in [
        (Framing::OtlpProtobuf, Vec::new()),
        (Framing::OtlpProtobuf, to_protobuf(&vec![(Vec::new(), Vec::new())])),
        (Framing::OtlpJson, b" {} ".to_vec()),
        (Framing::OtlpJson, b"{\"resourceLogs\":null}".to_vec()),
        (Framing::OtlpJson, b"{\"resourceLogs\":[{\"scopeLogs\":[{}]}]}".to_vec()),
    ] {
        assert_eq!(events(framing, &body), []);
    }
}

fn any() -> impl Strategy<Value = Any> {
    let leaf = prop_oneof![
        Just(Any::Absent),
        "(?s).{0,12}".prop_map(Any::Text),
        proptest::bool::ANY.prop_map(Any::Truth),
        proptest::num::i64::ANY.prop_map(Any::Whole),
        proptest::num::i32::ANY.prop_map(|number| Any::Double(f64::from(number) / 4.0)),
        Just(Any::Double(f64::NEG_INFINITY)),
        proptest::collection::vec(proptest::num::u8::ANY, 0..8).prop_map(Any::Bytes),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Any::List),
            pairs(inner).prop_map(Any::Pairs),
        ]
    })
}

fn pairs(value: impl Strategy<Value = Any>) -> impl Strategy<Value = Vec<(String, Any)>> {
    proptest::collection::btree_map("(?s).{0,6}", value, 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

fn log() -> impl Strategy<Value = Log> {
    let id = prop_oneof![Just(Vec::new()), Just(vec![0x1f; 16])];
    let time = || prop_oneof![Just(0), 1..u64::MAX];
    let body = proptest::option::of(any());
    (time(), time(), 0..25_u8, "(?s).{0,6}", body, pairs(any()), id, proptest::num::u32::ANY).prop_map(
        |(time, observed, severity, severity_text, body, attributes, trace, flags)| Log {
            time,
            observed,
            severity,
            severity_text,
            body,
            attributes,
            trace,
            flags,
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let records = proptest::collection::vec(log(), 0..3);
    let scopes = proptest::collection::vec(("[a-z]{0,6}", records), 0..3);
    proptest::collection::vec((pairs(any()), scopes), 0..3)
}

proptest! {
    #[test]
    fn both_forms_are_the_same_events(request in request()) {
        let expected = expected(&request);
        prop_assert_eq!(events(Framing::OtlpProtobuf, &to_protobuf(&request)), expected.clone());
        prop_assert_eq!(events(Framing::OtlpJson, &to_json(&request)), expected);
    }

    #[test]
    fn broken_requests_are_survived(
        request in request(), at in proptest::num::usize::ANY, byte in proptest::num::u8::ANY,
    ) {
        for (framing, mut body) in
            [(Framing::OtlpProtobuf, to_protobuf(&request)), (Framing::OtlpJson, to_json(&request))]
        {
            if body.is_empty() {
                continue;
            }
            let at = at % body.len();
            body[at] = byte;
            hear(framing, &body, &FieldNames::default(), &[]);
            body.truncate(at);
            hear(framing, &body, &FieldNames::default(), &[]);
        }
    }
}
