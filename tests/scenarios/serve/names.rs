//! Where events go: by the sender, by their fields; also those of standard input.

use std::fs::File;
use std::io::{Seek, Write};

use cloudspout_tests::program::Program;
use cloudspout_tests::senders::{Load, otlp};
use cloudspout_tests::strict::Strict;

use crate::serve;

#[test]
fn fields_of_events_name_groups_and_streams() {
    let strict = Strict::start();
    let options = ["--group", "/apps/{{.Event.client}}", "--stream", "{{.Name}}"];
    let serving = crate::Serving::start(Program::new("serve").args(&options).to(&strict.url()));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = ["--clients", "6", "--names", "3", "--events", "6000", "--per-request", "100"];
    let said = Load::start(&serving.url("/events"), &folder.path().join("journal"), &options).finish();
    assert_eq!(said["statuses"]["200"], 60, "{said}");
    serving.terminate().assert_code(0);
    let journal = strict.stop();
    let mut all = 0;
    for client in ["c0", "c1", "c2"] {
        let events = journal.stream(&format!("/apps/{client}"), "127.0.0.1");
        let own = format!("\"client\": \"{client}\"");
        assert!(events.iter().all(|event| event.message.contains(&own)), "{client}");
        all += events.len();
    }
    assert_eq!(all, 6_000);
}

#[test]
fn a_resource_of_opentelemetrys_names_the_stream() {
    let strict = Strict::start();
    let serving =
        serve(&strict.url(), &["--stream", "{{index .Event.resource.attributes \"service.name\"}}"]);
    assert_eq!(otlp(&serving.url("/v1/logs"), &["--records", "5"]), ["SUCCESS"]);
    serving.terminate().assert_code(0);
    assert_eq!(strict.stop().stream(crate::GROUP, "shop").len(), 5);
}

#[test]
fn standard_input_goes_where_its_fields_say() {
    let strict = Strict::start();
    let mut input: File = tempfile::tempfile().expect("a temporary file");
    for number in 0..9_000 {
        let service = ["a", "b", "c"][number % 3];
        writeln!(input, "{{\"service\":\"{service}\",\"n\":{number}}}").expect("the file takes it");
    }
    input.rewind().expect("a file can be rewound");
    let options = ["--framing", "json-lines", "--group", "/tests/pipe", "--stream", "{{.Event.service}}"];
    Program::new("pipe").args(&options).to(&strict.url()).input(input).finish().assert_code(0);
    let streams = strict.stop().streams("/tests/pipe");
    for (service, first) in [("a", 0), ("b", 1), ("c", 2)] {
        let expected =
            (first..9_000).step_by(3).map(|number| format!("{{\"service\":\"{service}\",\"n\":{number}}}"));
        assert!(streams[service].iter().map(|event| event.message.clone()).eq(expected), "{service}");
    }
}

#[test]
fn events_that_would_leave_their_prefix_are_refused_and_told() {
    let strict = Strict::start();
    let options = ["--group", "{{.Event.group}}", "--stream", "all", "--confine", "/apps/"];
    let serving = crate::Serving::start(Program::new("serve").args(&options).to(&strict.url()));
    let answer =
        serving.post("/events", &[], b"{\"group\":\"/apps/a\"}{\"group\":\"/other\"}{\"group\":\"/apps/b\"}");
    assert_eq!(answer.status, 200, "{answer:?}");
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!((&body["accepted"], &body["refused"]), (&2.into(), &1.into()), "{body}");
    assert_eq!(serving.post("/events", &[], b"{\"group\":\"/other\"}").status, 422);
    let outcome = serving.terminate().assert_code(0);
    assert!(outcome.stderr.contains("/other"), "{}", outcome.stderr);
    let journal = strict.stop();
    assert!(journal.streams("/other").is_empty());
    assert_eq!(journal.stream("/apps/a", "all").len() + journal.stream("/apps/b", "all").len(), 2);
}
