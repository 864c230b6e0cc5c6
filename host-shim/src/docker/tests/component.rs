//! Reads log streams off a hub as the component does, and keeps what it sees.

use std::collections::BTreeMap;

use crate::docker::instant::nanoseconds;
use crate::streams::{Framing, Hub, Opening, Pause, Phase, Position, Positions};

/// What has been seen of a log stream.
#[derive(Debug)]
pub struct Seen {
    pub opening: Opening,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub pauses: Vec<Pause>,
    /// Frames that came again after they had been taken.
    pub repeated: usize,
    /// Entries that made no sense.
    pub malformed: usize,
    rest: Vec<u8>,
    /// The offset of what is read next, half entries aside.
    offset: u64,
    taken: Positions,
    /// Time and ordinal of the last frame of each side since the last break.
    last: [(u64, u32); 2],
}

impl Seen {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// The component, as far as sources can tell.
pub struct Component {
    pub hub: Hub,
    pub streams: BTreeMap<u32, Seen>,
    pub phase: Phase,
    open: usize,
    accepted: Vec<(u32, Positions)>,
    ended: Vec<u32>,
}

impl Component {
    pub fn new(hub: Hub) -> Component {
        Component {
            hub,
            streams: BTreeMap::new(),
            phase: Phase::Running,
            open: 0,
            accepted: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// Goes on until something is as wanted.
    pub async fn until(&mut self, wanted: impl FnMut(&Component) -> bool) {
        self.go_on(Component::turn, wanted).await;
    }

    /// Reads until something is as wanted, and accepts nothing.
    pub async fn read_until(&mut self, wanted: impl FnMut(&Component) -> bool) {
        self.go_on(Component::read, wanted).await;
    }

    async fn go_on(&mut self, step: fn(&mut Component), mut wanted: impl FnMut(&Component) -> bool) {
        let name = |component: &Component| {
            component
                .streams
                .values()
                .map(|seen| (seen.opening.container.name.clone(), seen.text().len(), seen.pauses.clone()))
                .collect::<Vec<_>>()
        };
        let wait = async {
            while !wanted(self) {
                self.hub.news().await;
                step(self);
            }
        };
        if tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.is_err() {
            panic!("it never came: {:?}", name(self));
        }
    }

    /// The log stream of a container, by name.
    pub fn of(&self, name: &str) -> Option<&Seen> {
        self.streams.values().rev().find(|seen| seen.opening.container.name == name)
    }

    pub fn text_of(&self, name: &str) -> String {
        self.of(name).map(Seen::text).unwrap_or_default()
    }

    pub fn is_over(&self) -> bool {
        self.phase == Phase::Finishing && self.open == 0
    }

    /// Reads whatever is at hand, and accepts it.
    pub fn turn(&mut self) {
        self.read();
        self.accept();
    }

    pub fn accept(&mut self) {
        for (id, positions) in self.accepted.drain(..) {
            self.hub.acknowledge(id, &positions);
        }
        for id in self.ended.drain(..) {
            self.hub.release(id);
        }
    }

    pub fn read(&mut self) {
        self.phase = self.hub.phase();
        for id in self.hub.accept(64) {
            let opening = self.hub.opening(id).unwrap();
            let (taken, start) = (opening.taken, opening.start);
            self.open += 1;
            self.streams.insert(
                id,
                Seen {
                    opening,
                    stdout: Vec::new(),
                    stderr: Vec::new(),
                    pauses: Vec::new(),
                    repeated: 0,
                    malformed: 0,
                    rest: Vec::new(),
                    offset: start,
                    taken,
                    last: [(0, 0); 2],
                },
            );
        }
        for id in self.hub.ready(64) {
            let seen = self.streams.get_mut(&id).unwrap();
            loop {
                match self.hub.read(id, 1 << 20) {
                    Ok(bytes) if bytes.is_empty() => break,
                    Ok(bytes) => {
                        seen.take(&bytes);
                        self.accepted.push((id, seen.taken));
                    }
                    Err(pause) => {
                        seen.pauses.push(pause);
                        if pause == Pause::Ended {
                            self.open -= 1;
                            self.ended.push(id);
                        } else {
                            seen.rest.clear();
                            seen.last = [(0, 0); 2];
                            seen.offset = self.hub.resume(id, seen.taken);
                        }
                        break;
                    }
                }
            }
        }
    }
}

impl Seen {
    fn take_entries(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut left = &rest[..];
        while let Some(end) = left.iter().position(|byte| *byte == b'\n') {
            let (line, tail) = left.split_at(end + 1);
            left = tail;
            self.offset += line.len() as u64;
            let Ok(entry) = serde_json::from_slice::<serde_json::Value>(line) else {
                self.malformed += 1;
                continue;
            };
            if self.offset <= self.taken.offset() {
                self.repeated += 1;
                continue;
            }
            let time = nanoseconds(entry["time"].as_str().unwrap()).unwrap();
            let position = Some(Position { offset: self.offset, time, ordinal: 0, into_line: 0 });
            self.taken = Positions { stdout: position, stderr: position };
            let out = if entry["stream"] == "stdout" { &mut self.stdout } else { &mut self.stderr };
            out.extend_from_slice(entry["log"].as_str().unwrap().as_bytes());
        }
        self.rest = left.to_vec();
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.opening.framing == Framing::JsonFile {
            return self.take_entries(bytes);
        }
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut left = &rest[..];
        loop {
            let (side, payload, length) = match self.opening.framing {
                Framing::FramesWithTimes => {
                    let Some((head, tail)) = left.split_at_checked(8) else { break };
                    let length = u32::from_be_bytes(head[4..8].try_into().unwrap()) as usize;
                    let Some(payload) = tail.get(..length) else { break };
                    (usize::from(head[0] == 2), payload, 8 + length)
                }
                Framing::LinesWithTimes => {
                    let Some(end) = left.iter().position(|byte| *byte == b'\n') else { break };
                    (0, &left[..=end], end + 1)
                }
                framing => panic!("{framing:?}"),
            };
            left = &left[length..];
            let space = payload.iter().position(|byte| *byte == b' ').unwrap();
            let time = nanoseconds(std::str::from_utf8(&payload[..space]).unwrap()).unwrap();
            let last = &mut self.last[side];
            *last = (time, if last.0 == time { last.1 + 1 } else { 1 });
            let (out, taken) = match side {
                0 => (&mut self.stdout, &mut self.taken.stdout),
                _ => (&mut self.stderr, &mut self.taken.stderr),
            };
            if taken.is_some_and(|taken| *last <= (taken.time, taken.ordinal)) {
                self.repeated += 1;
                continue;
            }
            *taken = Some(Position { offset: 0, time, ordinal: last.1, into_line: 0 });
            out.extend_from_slice(&payload[space + 1..]);
        }
        self.rest = left.to_vec();
    }
}
