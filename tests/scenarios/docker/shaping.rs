//! Events of containers, wrapped with what is known of them, and with the times that their lines say.

use cloudspout_tests::docker::Docker;
use cloudspout_tests::strict::Strict;
use serde_json::{Value, json};

use crate::{GROUP, SOURCES, run};

#[test]
fn events_are_wrapped_with_fields_of_their_container() {
    let docker = Docker::exclusive();
    let options = ["--label", "team=we\"b", "-e", "STAGE=prod"];
    docker.write("wrapped", &options, b"{\"a\":1}\nplain\n", b"an error\n");
    let inspected: Value = serde_json::from_slice(&docker.docker(&["inspect", "wrapped"])).expect("JSON");
    let id = inspected[0]["Id"].as_str().expect("an id");
    for source in SOURCES {
        let strict = Strict::start();
        let fields = "stream,name,id,image,labels.team,labels.none,env.STAGE";
        let program = run(&docker, source, &strict.url()).args(&["--once", "--wrap", "json-nested"]);
        program.args(&["--wrap-fields", fields]).finish().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        let mut events: Vec<Value> = journal
            .stream(GROUP, "wrapped")
            .iter()
            .map(|event| serde_json::from_str(&event.message).expect("JSON"))
            .collect();
        events.sort_by_key(|event| event["message"].to_string());
        let of = |side: &str, message: Value| {
            json!({
                "message": message, "stream": side, "name": "wrapped", "id": &id[..12], "image": "box",
                "labels": {"team": "we\"b"}, "env": {"STAGE": "prod"},
            })
        };
        let expected =
            [of("stderr", json!("an error")), of("stdout", json!("plain")), of("stdout", json!({"a": 1}))];
        assert_eq!(events, expected, "{source}");
    }
}

#[test]
fn a_line_says_its_time_and_docker_the_day() {
    let docker = Docker::exclusive();
    // An hour ago it may have been yesterday: the day is the one that makes it so.
    docker.write("timed", &[], b"[00:00:00.125] midnight\nno time\n", b"");
    let noted = docker.times("timed");
    for source in SOURCES {
        let strict = Strict::start();
        let program = run(&docker, source, &strict.url()).args(&["--once", "--time-format", r"^\[%T%L\]"]);
        program.finish().assert_code(0);
        let mut events = strict.stop().stream(GROUP, "timed");
        events.sort_by_key(|event| event.message.clone());
        const DAY: i64 = 24 * 60 * 60 * 1_000;
        let (midnight, other) = (&events[0], &events[1]);
        assert_eq!(other.time, noted[1], "{source}");
        // Less than twelve hours away; further ahead than the service takes, it is not believed.
        let ahead = (midnight.time - noted[0]).abs() <= DAY / 2 && midnight.time % DAY == 125;
        assert!(ahead || midnight.time == noted[0], "{source}: {midnight:?}, noted {noted:?}");
    }
}
