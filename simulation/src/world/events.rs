//! What happens, and to whom.

use super::{Happening, Opened, World};
use crate::docker::{Taste, Written, text};
use crate::model::{Line, Mark};
use crate::plan::SECOND;
use crate::world::weather::Weather;
use cloudspout::shipper::Phase;
use cloudspout::time::{Millis, Timestamp};

impl World {
    /// Lets something happen. Whether the world is over.
    pub(super) fn happen(&mut self, happening: Happening) -> Result<bool, String> {
        match happening {
            Happening::Start(container) => {
                self.note(|| format!("c{container} starts"), 3);
                self.open(container);
            }
            Happening::Act(container) => {
                if self.opened[container] != Opened::NotYet && self.containers[container].running {
                    self.act(container);
                }
            }
            Happening::Stop(container, for_good) => {
                if self.containers[container].running {
                    if for_good {
                        self.containers[container].lives = 0;
                    }
                    let now = self.wall();
                    let written = self.containers[container].stop(now, &mut self.chance);
                    self.note(|| format!("c{container} stops"), 4);
                    self.write_down(container, written);
                } else if for_good {
                    self.containers[container].gone = true;
                }
            }
            Happening::Restart(container) => {
                let stopped = &mut self.containers[container];
                if !stopped.running && !stopped.gone {
                    stopped.start();
                    self.ledger.begin_container(container);
                    self.note(|| format!("c{container} starts again"), 5);
                }
            }
            Happening::Interrupt(container) => self.interrupt(container),
            Happening::Thaw(source) => {
                let feeds = self.machine.as_mut().map(|machine| &mut machine.feeds);
                if let Some(feed) = feeds.and_then(|feeds| feeds.get_mut(&source)) {
                    feed.stalled = false;
                }
            }
            Happening::Boot => {
                if self.machine.is_none() {
                    self.boot();
                }
            }
            Happening::Kill => {
                if let Some(machine) = &mut self.machine
                    && self.now < self.plan.active
                {
                    // At whatever it is about to do; at the latest, on the spot.
                    if machine.doomed.is_some() {
                        self.kill();
                        self.summary.kills += 1;
                    } else {
                        machine.doomed = Some(self.chance.spread(1, 12));
                        let latest = self.now + self.chance.spread(1, 5 * SECOND);
                        self.plan_for(latest.min(self.plan.active - 1), Happening::Kill);
                    }
                }
            }
            Happening::TellToStop => self.tell_to_stop(),
            Happening::Weather => {
                if self.now < self.plan.active && !self.plan.outage {
                    self.weather = Weather::draw(&mut self.chance);
                    let weather = self.weather;
                    self.note(|| format!("{weather:?}"), 6);
                }
            }
            Happening::Step => self.step_clock(),
            Happening::Delete => {
                let whose = self.chance.pick(&self.destinations);
                let (group, stream) = self.names(whose);
                let whole = self.chance.percent(40);
                self.note(|| format!("somebody deletes {group} {}", if whole { "" } else { &stream }), 7);
                self.service.delete(&group, (!whole).then_some(stream.as_str()));
            }
            Happening::Calm => {
                self.note(|| "the trouble is over".to_owned(), 8);
                self.weather = Weather::fine();
                self.sick = None;
            }
            Happening::Finish => {
                let now = Timestamp::from_nanos(self.wall());
                match &mut self.machine {
                    Some(machine) if machine.stopping.is_none() => {
                        machine.finishing = true;
                        machine.shipper.handle_phase(Phase::Finishing, now);
                        self.note(|| "no more containers will come".to_owned(), 9);
                    }
                    _ => self.plan_for(self.now + SECOND, Happening::Finish),
                }
            }
            Happening::Wake(wish) => {
                if self.machine.as_ref().is_some_and(|machine| machine.wish == wish) {
                    self.note(|| "time to wake up".to_owned(), 10);
                }
            }
            Happening::Arrive(flight) => self.arrive(flight)?,
            Happening::Answer(flight, answer, genuine) => self.answer(flight, &answer, genuine)?,
            Happening::Credentials(life, renew) => self.hand_out_credentials(life, renew),
            Happening::Kept(life, id, letters) => self.kept(life, id, &letters)?,
            Happening::KeyEnds(key) => {
                self.service.first_good_key = self.service.first_good_key.max(key + 1);
                self.note(|| format!("key {key} ends"), key);
            }
            Happening::Store(life, container, positions) => {
                if life == self.life && self.machine.is_some() {
                    self.stored[container] = positions;
                }
            }
        }
        Ok(false)
    }

    fn act(&mut self, container: usize) {
        let taste = Taste {
            least: self.plan.least_line,
            usual: self.plan.usual_line,
            long: self.plan.long_lines,
            poison: self.plan.poison,
            // Logs that are found again by time have to have times in order.
            odd_times: self.plan.odd_times
                && self.containers[container].log.framing == cloudspout::lines::Framing::JsonFile,
            burst: self.plan.burst,
        };
        let now = self.wall();
        let written = self.containers[container].act(now, taste, &mut self.chance);
        let length = self.containers[container].log.len();
        self.note(|| format!("c{container} writes, up to {length}"), length);
        self.write_down(container, written);
    }

    /// Tells the model what was written.
    fn write_down(&mut self, container: usize, written: Vec<Written>) {
        let destination = self.destinations[container];
        for written in written {
            match written {
                Written::Begun { side, time, parts, poison, joined } => {
                    let begins_event = parts.first().is_some_and(|part| text::begins_event(part));
                    self.ledger.begin_line(Line {
                        container,
                        side,
                        destination,
                        time,
                        parts,
                        poison,
                        joined,
                        begins_event,
                    });
                }
                Written::Ended { side, offset, time, ordinal, line_end } => {
                    self.ledger.end_line(container, side, Mark { offset, time, ordinal }, line_end, self.now);
                }
            }
        }
    }

    fn interrupt(&mut self, container: usize) {
        let Some(machine) = &mut self.machine else { return };
        if let Some(feed) = machine.feeds.values_mut().find(|feed| feed.container == container) {
            feed.broken = true;
            self.note(|| format!("the way to c{container} breaks off"), 11);
        }
    }

    fn tell_to_stop(&mut self) {
        let wall = self.wall();
        let within = self.chance.spread(10, 20_000);
        let Some(machine) = &mut self.machine else { return };
        if self.now >= self.plan.active || machine.stopping.is_some() {
            return;
        }
        let now = Timestamp::from_nanos(wall);
        machine.stopping = Some(self.now + within * 1_000_000);
        machine.shipper.handle_phase(Phase::Stopping { by: now + Millis(within) }, now);
        self.note(|| format!("the machine is to stop within {within} ms"), 12);
    }

    fn step_clock(&mut self) {
        let size = self.chance.pick(&[1, 30, 400, 3_600, 7_000]) as i64 * SECOND as i64;
        let size = if self.chance.percent(50) { -size } else { size };
        self.ahead += size;
        self.note(|| format!("the clock is stepped by {} s", size / SECOND as i64), 13);
        if size < 0 {
            for container in 0..self.containers.len() {
                if !self.containers[container].gone {
                    self.ledger.clock_went_back(container);
                }
            }
        }
    }
}
