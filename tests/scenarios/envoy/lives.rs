//! What becomes of events when Envoy takes the module away, or it fails.

use std::fs;
use std::time::Duration;

use cloudspout_tests::envoy::{Place, Setup, module};
use cloudspout_tests::load;
use cloudspout_tests::peers::Local;
use cloudspout_tests::process::eventually;
use serde_json::json;

use crate::{SOON, assert_arrived, assert_arrived_in, settle};

/// Such that nothing is sent before it has to be.
const LATE: &str = "1h";

#[test]
fn an_update_of_the_listener_loses_nothing() {
    for place in [Place::AccessLog, Place::HttpFilter] {
        let local = Local::start(&[]);
        let late = json!({"flush_after": LATE});
        let setup = Setup { dynamic: true, place, ..Setup::default().with(late) };
        let envoy = setup.start(local.port());
        let before = envoy.requests("before", 3_000);
        envoy.wait_for("events_logged", 3_000, SOON);
        assert_eq!(envoy.stat("events_accepted"), 0);
        let changed = setup.with(json!({"group": "/changed", "flush_after": "100ms"}));
        envoy.update(&changed, &changed.configuration, 1);
        let after = envoy.requests("after", 100);
        // The old module is let go once Envoy has closed what is left of the old listener.
        settle(&envoy, 3_100);
        assert_arrived("before the update", &local, &before);
        assert_arrived_in("/changed", "after the update", &local, &after);
        envoy.stop();
    }
}

#[test]
fn a_graceful_drain_loses_nothing() {
    let local = Local::start(&[]);
    let envoy = Setup::default().start(local.port());
    let paths = envoy.requests("drained", 3_000);
    envoy.post("/drain_listeners?graceful&skip_exit");
    eventually("nothing pending", SOON, || {
        (envoy.stat("events_logged") == 3_000 && envoy.stat("events_pending") == 0).then_some(())
    });
    envoy.stop();
    assert_arrived("a drain", &local, &paths);
}

/// A module that Envoy gives too little memory fails, as one would that had a bug.
#[test]
fn a_module_that_failed_is_started_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let small = folder.path().join("small.wasm");
    fs::write(&small, with_memory(&fs::read(module()).expect("the module"), 160)).expect("a file");
    let local = Local::start(&["--fault", "unavailable@op=PutLogEvents"]);
    let mut setup = Setup { workers: 1, ..Setup::default() };
    setup = setup.with(json!({"buffer": "1GiB", "line": "{request.path} {request.headers.x-long}"}));
    setup.plugin = json!({"vm_config": {"code": {"local": {"filename": small.to_str()}}}});
    let envoy = setup.start(local.port());
    let long = "x".repeat(50_000);
    eventually("the module's end", SOON, || {
        let request = format!("GET /long HTTP/1.1\r\nhost: shop\r\nx-long: {long}\r\n\r\n");
        load::exchange(envoy.port(), &request).expect("Envoy goes on");
        envoy.said().contains("proxy_on_log").then_some(())
    });
    local.plan("");
    // Envoy waits a moment before it starts one anew, and does so for a request.
    eventually("a new module", SOON, || {
        envoy.requests("again", 1);
        std::thread::sleep(Duration::from_millis(200));
        (envoy.stat("events_accepted") > 0).then_some(())
    });
    envoy.stop();
}

/// The module with no more memory than so many pages of 64 KiB.
fn with_memory(module: &[u8], pages: u32) -> Vec<u8> {
    const MEMORY: u8 = 5;
    let mut changed = module[..8].to_vec();
    let mut at = 8;
    while at < module.len() {
        let id = module[at];
        let (length, size) = number(&module[at + 1..]);
        let body = at + 1 + size;
        let end = body + length as usize;
        if id == MEMORY {
            let (least, _) = number(&module[body + 2..]);
            assert!(u64::from(pages) > least, "it wants {least} pages from the start");
            // One memory, that has a limit: from, to.
            let section = [&[1, 1][..], &leb(least as u32), &leb(pages)].concat();
            changed.push(MEMORY);
            changed.extend(leb(section.len() as u32));
            changed.extend(section);
        } else {
            changed.extend_from_slice(&module[at..end]);
        }
        at = end;
    }
    changed
}

/// A number in LEB128, and how many bytes it takes.
fn number(bytes: &[u8]) -> (u64, usize) {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (number, at + 1);
        }
    }
    panic!("a number without an end");
}

fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}
