//! The host's end of a container's log: reads it in chunks, breaks off, goes on, and stores positions.

use cloudspout::batch::SourceId;
use cloudspout::lines::Position;
use cloudspout::shipper::{Pause, Positions};

use crate::chance::Chance;
use crate::docker::{Container, Log};
use crate::plan::MILLI;

/// A log stream that the machine reads.
#[derive(Debug)]
pub struct Feed {
    pub id: SourceId,
    pub container: usize,
    way: Way,
    /// The machine knows that there is something to read.
    pub announced: bool,
    /// The way to the source breaks off.
    pub broken: bool,
    /// What there is takes a while to come.
    pub stalled: bool,
    /// A pause was handed out, and the machine has not said where to go on.
    paused: bool,
    /// The machine was told of the stop of this life, counted down as the container does.
    told_stop: Option<u64>,
    ended: bool,
}

#[derive(Debug)]
enum Way {
    /// A file, read from an offset.
    File { next: u64 },
    /// Frames from a time on, as the Engine API hands them out. Offsets count what was handed out.
    Api { since: u64, next: usize, ready: Vec<u8>, behind: u64, offset: u64 },
}

impl Feed {
    /// Begins at, or before, what was taken. The offset of its first byte.
    pub fn open(
        id: SourceId,
        container: usize,
        log: &Log,
        taken: &Positions,
        chance: &mut Chance,
    ) -> (Feed, u64) {
        let way = match log.by_time() {
            true => Way::Api { since: 0, next: 0, ready: Vec::new(), behind: 0, offset: chance.below(1_000) },
            false => Way::File { next: 0 },
        };
        let mut feed = Feed {
            id,
            container,
            way,
            announced: false,
            broken: false,
            stalled: false,
            paused: true,
            told_stop: None,
            ended: false,
        };
        let start = feed.resume(log, taken, 0, chance);
        (feed, start)
    }

    /// Goes on at, or before, what was taken; the offset of the next byte. `skipped`: that many steps
    /// further than right, which is a fault.
    pub fn resume(&mut self, log: &Log, taken: &Positions, skipped: u64, chance: &mut Chance) -> u64 {
        self.paused = false;
        let earliest = |of: fn(&Position) -> u64| {
            let of = |side: &Option<Position>| side.as_ref().map_or(0, of);
            of(&taken.stdout).min(of(&taken.stderr))
        };
        match &mut self.way {
            Way::File { next } => {
                let mut start = earliest(|position| position.offset) + 300 * skipped;
                if chance.percent(25) {
                    start -= chance.below(start.min(500) + 1);
                }
                *next = log.border(start);
                *next
            }
            Way::Api { since, next, ready, behind, offset } => {
                *since = earliest(|position| position.time.nanos()) + 300 * MILLI * skipped;
                if chance.percent(25) {
                    *since -= chance.spread(1, 900_000_000).min(*since);
                }
                *next = 0;
                *behind = 0;
                ready.clear();
                *offset += chance.below(3);
                *offset
            }
        }
    }

    /// Whether there is something to read, be it a pause.
    pub fn has_news(&self, container: &Container) -> bool {
        if self.paused || self.ended || self.stalled {
            return false;
        }
        self.broken || self.has_bytes(&container.log) || self.stop_to_tell(container).is_some()
    }

    fn has_bytes(&self, log: &Log) -> bool {
        match &self.way {
            Way::File { next } => *next < log.len(),
            Way::Api { since, next, ready, .. } => {
                !ready.is_empty() || log.frames[*next..].iter().any(|frame| frame.time >= *since)
            }
        }
    }

    fn stop_to_tell(&self, container: &Container) -> Option<Pause> {
        if container.running {
            None
        } else if container.gone {
            Some(Pause::Ended)
        } else {
            (self.told_stop != Some(container.lives)).then_some(Pause::Stopped)
        }
    }

    /// What a read returns.
    pub fn read(&mut self, max: u32, container: &Container, chance: &mut Chance) -> Result<Vec<u8>, Pause> {
        if self.paused || self.ended {
            return Ok(Vec::new());
        }
        let log = &container.log;
        if self.broken && (chance.percent(50) || !self.has_bytes(log)) {
            self.broken = false;
            self.paused = true;
            self.announced = false;
            return Err(Pause::Interrupted);
        }
        if self.has_bytes(log) {
            let most = u64::from(max);
            let most = match chance.below(4) {
                0 => chance.spread(1, most),
                1 => most.min(chance.between(1, 70_000)),
                _ => most,
            };
            return Ok(self.bytes(log, most as usize));
        }
        let Some(pause) = self.stop_to_tell(container) else { return Ok(Vec::new()) };
        self.announced = false;
        match pause {
            Pause::Ended => self.ended = true,
            Pause::Stopped | Pause::Interrupted | Pause::Lost(_) => {
                self.told_stop = Some(container.lives);
                self.paused = true;
            }
        }
        Err(pause)
    }

    fn bytes(&mut self, log: &Log, most: usize) -> Vec<u8> {
        match &mut self.way {
            Way::File { next } => {
                let from = *next as usize;
                let to = log.bytes.len().min(from + most);
                *next = to as u64;
                log.bytes[from..to].to_vec()
            }
            Way::Api { since, next, ready, behind, offset } => {
                while ready.len() < most
                    && let Some(frame) = log.frames.get(*next)
                {
                    if frame.time >= *since {
                        ready.extend_from_slice(&log.bytes[frame.start as usize..frame.end as usize]);
                    }
                    *next += 1;
                }
                let rest = ready.split_off(ready.len().min(most));
                let bytes = std::mem::replace(ready, rest);
                *offset += bytes.len() as u64;
                if ready.is_empty() {
                    *behind = log.frames.get(next.wrapping_sub(1)).map_or(0, |frame| frame.end);
                }
                bytes
            }
        }
    }

    /// Up to here the log has certainly been read.
    pub fn read_to(&self) -> u64 {
        match &self.way {
            Way::File { next } => *next,
            Way::Api { behind, .. } => *behind,
        }
    }
}
