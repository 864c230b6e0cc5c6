//! How a world begins, and how its machine is started and killed.

use std::collections::BTreeMap;

use cloudspout::batch::SourceId;
use cloudspout::lines::{Framing, LineOptions};
use cloudspout::naming::Container as Described;
use cloudspout::settings::{Options, Settings, WhenFull};
use cloudspout::shipper::{Opening, Positions, Shipper};
use cloudspout::time::Millis;

use super::{Happening, Machine, Opened, World};
use crate::docker::{Container, text};
use crate::host::Feed;
use crate::plan::{MILLI, SECOND};

impl World {
    pub(super) fn set_up(&mut self) {
        let active = self.plan.active;
        self.group_each = self.chance.percent(30) || self.plan.sick;
        if self.plan.odd_times {
            self.service.retention = self.chance.pick(&[None, Some(3), Some(30)]);
        }
        if self.plan.weather {
            self.service.memory_lag = self.chance.pick(&[0, 0, 1_500 * MILLI]);
        }
        if self.plan.outage {
            self.weather.refused = 100;
        }
        for number in 0..self.plan.containers as usize {
            self.add_container(number);
        }
        if self.plan.sick {
            let last = self.destinations.last().copied().unwrap_or(0);
            self.sick = Some(if self.chance.percent(50) { 0 } else { last });
            self.was_sick = self.sick;
        }
        for _ in 0..self.plan.interruptions {
            let at = self.chance.below(active);
            let whose = self.chance.below(self.plan.containers) as usize;
            self.plan_for(at, Happening::Interrupt(whose));
        }
        let happenings: [(u64, fn() -> Happening); 5] = [
            (self.plan.kills, || Happening::Kill),
            (self.plan.stops, || Happening::TellToStop),
            (self.plan.steps, || Happening::Step),
            (if self.plan.deletions { 2 } else { 0 }, || Happening::Delete),
            (if self.plan.weather { 6 } else { 0 }, || Happening::Weather),
        ];
        for (count, happening) in happenings {
            for _ in 0..count {
                let at = self.chance.below(active);
                self.plan_for(at, happening());
            }
        }
        self.plan_for(active, Happening::Calm);
        let finish = active + self.chance.between(SECOND, 90 * SECOND);
        self.plan_for(finish, Happening::Finish);
        self.plan_for(0, Happening::Boot);
    }

    fn add_container(&mut self, number: usize) {
        // What cannot be read again ends for good when the machine is told to stop; and of lines without
        // times two may be joined, which nobody could count when they are dropped.
        let framings = match self.plan.stops > 0 || self.plan.when_full != WhenFull::Wait {
            true => &[Framing::JsonFile, Framing::FramesWithTimes, Framing::LinesWithTimes][..],
            false => &[
                Framing::JsonFile,
                Framing::JsonFile,
                Framing::FramesWithTimes,
                Framing::FramesWithTimes,
                Framing::LinesWithTimes,
                Framing::Frames,
                Framing::Lines,
            ],
        };
        let framing = self.chance.pick(framings);
        let shares = number > 0 && !self.plan.sick && self.chance.percent(30);
        let destination = match shares {
            true => self.destinations[number - 1],
            false => number,
        };
        let fellows = self.destinations.iter().filter(|other| **other == destination).count() as u8;
        let lives = self.chance.pick(&[0, 0, 1, 3]);
        let mut chance = self.chance.fork();
        let container = Container::new(format!("c{number}"), fellows, framing, lives, &mut chance);
        self.ledger.add_container(container.log.by_time());
        self.containers.push(container);
        self.destinations.push(destination);
        self.opened.push(Opened::NotYet);
        self.stored.push(Positions::default());
        let begin = self.chance.below(self.plan.active / 4);
        self.plan_for(begin, Happening::Start(number));
        // Times of stops and starts; between them it writes.
        let mut at = begin;
        for _ in 0..lives {
            at += self.chance.below((self.plan.active - at) / 2);
            let pause = self.chance.spread(MILLI, 5 * SECOND);
            if at + pause + SECOND >= self.plan.active {
                break;
            }
            self.plan_for(at, Happening::Stop(number, false));
            self.plan_for(at + pause, Happening::Restart(number));
            at += pause;
        }
        let end = self.chance.between(at, self.plan.active - 1);
        self.plan_for(end, Happening::Stop(number, true));
        for _ in 0..self.plan.acts {
            let act = begin + self.chance.below(end - begin + 1);
            self.plan_for(act, Happening::Act(number));
        }
    }

    /// Starts the machine with what was stored.
    pub(super) fn boot(&mut self) {
        self.life += 1;
        self.note(|| "the machine starts".to_owned(), 1);
        let options = Options {
            region: "eu-central-1".into(),
            group: if self.group_each { "g/{{.Name}}".into() } else { "g".into() },
            stream: "{{.Name}}".into(),
            host_name: "host".into(),
            flush_after: Millis(self.plan.flush_after_ms),
            buffer_bytes: self.plan.buffer_bytes,
            in_flight: self.plan.in_flight,
            when_full: self.plan.when_full,
            mark_gaps: self.plan.mark_gaps,
            dead_letters: self.plan.dead_letters,
            seed: self.chance.next(),
            lines: LineOptions {
                multiline_pattern: self.plan.multiline.then(|| text::EVENT_BEGINS.to_owned()),
                ..LineOptions::default()
            },
            ..Options::default()
        };
        let settings = match Settings::of(&options) {
            Ok(settings) => settings,
            Err(error) => unreachable!("the world's own options are wrong: {error}"),
        };
        self.machine = Some(Machine {
            shipper: Shipper::new(settings, Box::new(|_| [7; 32])),
            feeds: BTreeMap::new(),
            flights: BTreeMap::new(),
            doomed: None,
            stopping: None,
            finishing: false,
            wish: 0,
        });
        self.strikes.clear();
        self.ledger.begin_life(&self.stored);
        for container in 0..self.containers.len() {
            if self.opened[container] == Opened::Begun {
                self.open(container);
            }
        }
    }

    /// Has the machine read a container's log.
    pub(super) fn open(&mut self, container: usize) {
        self.opened[container] = Opened::Begun;
        if self.machine.is_none() {
            return;
        }
        self.last_source += 1;
        let id = SourceId(self.last_source);
        let taken = self.stored[container];
        let Container { log, terminal, .. } = &self.containers[container];
        let (feed, start) = Feed::open(id, container, log, &taken, &mut self.chance);
        let name = self.names(self.destinations[container]).1;
        let opening = Opening {
            framing: log.framing,
            start,
            taken,
            lost: None,
            terminal: *terminal,
            container: Described { name, ..Described::default() },
        };
        self.note(
            || format!("opens c{container} ({:?}) as {id:?} at {start}, taken {taken:?}", opening.framing),
            start,
        );
        if let Some(machine) = &mut self.machine {
            machine.shipper.handle_opened(id, opening);
            machine.feeds.insert(id, feed);
        }
    }

    /// The machine is no more: what it has not stored is gone, what it has sent is on its way.
    pub(super) fn kill(&mut self) {
        self.note(|| "the machine is gone".to_owned(), 2);
        self.machine = None;
        let most = self.chance.pick(&[20 * MILLI, 2 * SECOND, 60 * SECOND]);
        let down = self.chance.spread(MILLI, most);
        self.plan_for(self.now + down, Happening::Boot);
    }
}
