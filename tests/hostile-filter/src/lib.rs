//! Lets events by as they are, unless one says how to misbehave.

#![cfg(target_family = "wasm")]
// What exports a component is generated, and unsafe.
#![allow(unsafe_code)]

wit_bindgen::generate!({ world: "filter", path: "../../wit" });

use std::time::Duration;

use exports::cloudspout::host::filtering::{Destination, Events, Failure, Guest, Origin, Outcome};

struct Hostile;

export!(Hostile);

impl Guest for Hostile {
    fn apply(_source: Origin, events: Events) -> Result<Outcome, Failure> {
        let mut outcome = Outcome {
            kept: (0..).take(events.ends.len()).collect(),
            texts: events.texts,
            ends: events.ends,
            destinations: Vec::new(),
            elsewhere: Vec::new(),
        };
        let mut begin = 0;
        let mut wish = None;
        for end in &outcome.ends {
            let text = String::from_utf8_lossy(&outcome.texts[begin..*end as usize]);
            begin = *end as usize;
            wish = text.strip_prefix("filter: ").map(str::to_owned).or(wish);
        }
        match wish.as_deref().map(|wish| wish.split_once(' ').unwrap_or((wish, ""))) {
            None => {}
            Some(("loop", _)) => spin(),
            Some(("allocate", _)) => allocate(),
            Some(("trap", _)) => std::process::abort(),
            Some(("wait", _)) => std::thread::sleep(Duration::from_secs(3_600)),
            Some(("refuse", text)) => return Err(Failure::Refused(text.to_owned())),
            Some(("grow", _)) => {
                outcome.texts = vec![b'x'; 40 << 20];
                outcome.ends = vec![40 << 20];
                outcome.kept = vec![0];
            }
            Some(("nonsense", _)) => outcome.ends = vec![7, 3],
            Some(("bytes", _)) => outcome.texts.fill(0xFF),
            Some(("group", name)) => {
                let stream = Some("chosen".to_owned());
                outcome.destinations =
                    vec![Destination { log_group_name: Some(name.to_owned()), log_stream_name: stream }];
                outcome.elsewhere = outcome.kept.iter().map(|event| (*event, 0)).collect();
            }
            Some(("look", _)) => {
                let found = look_around();
                outcome.kept = vec![0];
                outcome.ends = vec![found.len() as u32];
                outcome.texts = found.into_bytes();
            }
            Some((other, _)) => return Err(Failure::Refused(format!("does not know {other}"))),
        }
        Ok(outcome)
    }
}

fn spin() {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn allocate() {
    let mut held = Vec::new();
    loop {
        held.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&held);
    }
}

/// What it finds of the machine.
fn look_around() -> String {
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!(
        "variables {}, arguments {}, files {}, sockets {}, clock {}",
        std::env::vars().count(),
        std::env::args().count(),
        std::fs::read_dir("/").is_ok() || std::fs::read("/etc/passwd").is_ok(),
        std::net::TcpStream::connect("127.0.0.1:1").is_ok(),
        clock.as_secs(),
    )
}
