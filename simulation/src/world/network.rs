//! Requests on their way to the service, and answers on their way back.

use cloudspout::cloudwatch::Operation;
use cloudspout::delivery::Answer;
use cloudspout::shipper::{Body, CredentialsError, Request, RequestId};
use cloudspout::sigv4::Credentials;
use cloudspout::time::Timestamp;

use super::{BEGIN, Happening, World};
use crate::chance::fingerprint;
use crate::docker::POISON;
use crate::model::{Fate, Found, Marker};
use crate::plan::{MILLI, SECOND};
use crate::sabotage::Sabotage;
use crate::service::{self, Deed, Heading, Put};

/// A request by its number in the world; the machine's own numbers begin anew with each life.
pub type FlightId = u64;

/// A request on its way.
pub struct Flight {
    life: u32,
    request: RequestId,
    destination: usize,
    operation: Operation,
    body: Body,
    signed: u64,
    key: u64,
    /// Its events; none for one that makes a group or a stream.
    events: Vec<Found>,
    /// Or the machine's own, which say that others are missing.
    markers: Vec<Marker>,
    /// The machine has had an answer, of whatever kind.
    answered: bool,
    /// What the service did with the events.
    fates: Option<Vec<Fate>>,
}

/// Failures in a row that no rule of waiting can be blamed for, and how often more may follow.
const FREE_STRIKES: u64 = 40;
const STRIKE_EVERY: u64 = SECOND;

impl World {
    pub(super) fn send(&mut self, request: Request) -> Result<(), String> {
        let Request { id, operation, headers, body, .. } = request;
        let header =
            |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        let signed = header("x-amz-date").and_then(seconds).ok_or("sends a request without a date")?;
        let key = header("authorization").and_then(key_of).ok_or("sends a request without a signature")?;
        self.queued += 1;
        let flight = self.queued;
        self.summary.requests += 1;
        let (mut events, mut markers) = (Vec::new(), Vec::new());
        let destination = match operation {
            Operation::PutLogEvents => {
                let put: Put = serde_json::from_slice(body.bytes())
                    .map_err(|error| format!("sends what is no request: {error}"))?;
                let destination = self.destination_of(&put.log_group_name, &put.log_stream_name)?;
                let mut put = put;
                if self.strikes(Sabotage::ReverseEvents) {
                    put.log_events.reverse();
                }
                markers = put.log_events.iter().filter_map(|event| Marker::of(&event.message)).collect();
                if !markers.is_empty() && (markers.len() < put.log_events.len() || !self.plan.mark_gaps) {
                    return Err("sends markers among events, or unasked".to_owned());
                }
                if let Some(marker) = markers.iter().find(|marker| !marker.makes_sense()) {
                    return Err(format!("sends a marker that makes no sense: {marker:?}"));
                }
                if markers.is_empty() {
                    let each = put.log_events.iter().map(|event| (event.timestamp, event.message.as_ref()));
                    events = self.ledger.send(flight, destination, each)?;
                }
                let (count, times) =
                    (put.log_events.len(), put.log_events.first().map_or(0, |event| event.timestamp));
                self.note(
                    || format!("request {flight}: puts {count} events to {destination}, from time {times}"),
                    fingerprint(body.bytes()),
                );
                destination
            }
            // No world asks for it.
            Operation::PutRetentionPolicy => {
                return Err("says how long to keep events, unasked".to_owned());
            }
            Operation::CreateLogStream | Operation::CreateLogGroup => {
                let text = String::from_utf8_lossy(body.bytes()).into_owned();
                self.note(|| format!("request {flight}: {operation:?} {text}"), fingerprint(text.as_bytes()));
                let of = |at: &usize| {
                    let (group, stream) = self.names(*at);
                    match operation {
                        Operation::CreateLogGroup => text.contains(&format!("\"{group}\"")),
                        _ => text.contains(&format!("\"{stream}\"")),
                    }
                };
                let known = self.destinations.iter().copied().find(of);
                known.ok_or_else(|| format!("makes what nobody asked for: {text}"))?
            }
        };
        let machine = self.machine.as_mut().ok_or("sends while it is gone")?;
        machine.flights.insert(id, flight);
        let (life, early) = (self.life, self.sabotage == Some(Sabotage::AcknowledgeEarly));
        self.flights.insert(
            flight,
            Flight {
                life,
                request: id,
                destination,
                operation,
                body: body.clone(),
                signed,
                key,
                events,
                markers,
                answered: false,
                fates: None,
            },
        );
        if early && let Body::Batch(frozen) = &body {
            self.acknowledge_early(frozen)?;
        }
        self.dispatch(flight);
        Ok(())
    }

    fn acknowledge_early(&mut self, frozen: &cloudspout::batch::Frozen) -> Result<(), String> {
        for mark in frozen.marks().iter() {
            let mut accepted = cloudspout::shipper::Positions::default();
            *accepted.get_mut(mark.side) = Some(mark.position);
            self.acknowledge(mark.source, accepted)?;
        }
        Ok(())
    }

    pub(super) fn destination_of(&self, group: &str, stream: &str) -> Result<usize, String> {
        let known =
            self.destinations.iter().copied().find(|at| self.names(*at) == (group.into(), stream.into()));
        known.ok_or_else(|| format!("sends to {group} {stream}, which nobody asked for"))
    }

    /// Decides how a request fares on its way.
    fn dispatch(&mut self, flight: FlightId) {
        let weather = self.weather;
        let way = weather.way(&mut self.chance);
        let give_up = self.chance.between(10 * SECOND, 40 * SECOND);
        if self.chance.percent(weather.refused) {
            let answer = Answer::NotSent("simulated: connection refused".into());
            return self.plan_for(self.now + way, Happening::Answer(flight, answer, false));
        }
        let unanswered = || Answer::Unanswered("simulated: no answer".into());
        if self.chance.percent(weather.lost) {
            return self.plan_for(self.now + give_up, Happening::Answer(flight, unanswered(), false));
        }
        if self.chance.percent(weather.late) {
            let late = give_up + self.chance.below(10 * SECOND);
            self.plan_for(self.now + give_up, Happening::Answer(flight, unanswered(), false));
            return self.plan_for(self.now + late, Happening::Arrive(flight));
        }
        self.plan_for(self.now + way, Happening::Arrive(flight));
    }

    /// A request reaches the service, or what stands in front of it.
    pub(super) fn arrive(&mut self, id: FlightId) -> Result<(), String> {
        let weather = self.weather;
        let now = BEGIN + self.now / SECOND;
        let way = self.now + weather.way(&mut self.chance);
        let Some(flight) = self.flights.get_mut(&id) else { return Ok(()) };
        let sick = self.sick == Some(flight.destination);
        let mut turned_away = None;
        if self.chance.percent(weather.throttled) {
            let asked = self.chance.pick(&[None, Some(500), Some(9_000)]);
            turned_away = Some(service::throttle(asked, now));
        } else if self.chance.percent(weather.failing) {
            turned_away = Some(match self.chance.below(3) {
                0 => service::answer(500, String::new(), now),
                1 => service::answer(503, "{\"__type\":\"ServiceUnavailableException\"}".into(), now),
                _ => service::answer(500, "{\"__type\":\"InternalFailure\"}".into(), now),
            });
        } else if sick || self.chance.percent(weather.denied) {
            turned_away = Some(service::refuse("AccessDeniedException", now));
        } else if self.chance.percent(weather.proxied) {
            let status = self.chance.pick(&[301, 302, 307, 403, 404, 502, 504, 429, 200]);
            turned_away = Some(service::answer(status, "<html>simulated</html>".into(), now));
        }
        if let Some(response) = turned_away {
            self.plan_for(way, Happening::Answer(id, Answer::Response(response), false));
            return Ok(());
        }
        let Flight { operation, signed, key, .. } = *flight;
        let heading = Heading { operation, now, signed, key };
        let (deed, response) = self.service.handle(&heading, flight.body.bytes())?;
        if let Deed::Took(fates) = deed {
            self.ledger.carry_out(&flight.events, &fates);
            flight.fates = Some(fates);
        }
        let (answered, status) = (flight.answered, response.status);
        self.note(|| format!("request {id}: carried out with status {status}"), id);
        if answered {
            self.flights.remove(&id);
            return Ok(());
        }
        let (answer, genuine, at) = if self.chance.percent(weather.answer_lost) {
            let give_up = self.chance.spread(MILLI, 40 * SECOND);
            (Answer::Unanswered("simulated: cut off".into()), false, self.now + give_up)
        } else if self.chance.percent(weather.garbled) {
            let body = self.chance.pick(&["<html>simulated</html>", "{\"rejectedLog", ""]);
            let status = self.chance.pick(&[200, 502, 504]);
            let body = if operation != Operation::PutLogEvents { "<html>" } else { body };
            (Answer::Response(service::answer(status, body.into(), now)), false, way)
        } else {
            (Answer::Response(response), true, way)
        };
        self.plan_for(at, Happening::Answer(id, answer, genuine));
        Ok(())
    }

    /// The machine gets to see an answer. `genuine`: it is the service's own.
    pub(super) fn answer(&mut self, id: FlightId, answer: &Answer, genuine: bool) -> Result<(), String> {
        let now = Timestamp::from_nanos(self.wall());
        let believe = self.strikes(Sabotage::BelieveLostAnswers);
        let overlook = self.sabotage == Some(Sabotage::OverlookRejections);
        let resend = self.strikes(Sabotage::ResendAfterSuccess);
        let (forget, too_few) =
            (self.sabotage == Some(Sabotage::ForgetMarkers), self.sabotage == Some(Sabotage::MarkTooFew));
        let Some(flight) = self.flights.get_mut(&id) else { return Ok(()) };
        flight.answered = true;
        let (request, destination, operation) = (flight.request, flight.destination, flight.operation);
        let machine = self.machine.as_mut().filter(|_| flight.life == self.life);
        let Some(machine) = machine else {
            self.flights.remove(&id);
            return Ok(());
        };
        machine.flights.remove(&request);
        let status = match answer {
            Answer::Response(response) => response.status,
            Answer::NotSent(_) => 0,
            Answer::Unanswered(_) => 1,
        };
        let invalid = match answer {
            Answer::Response(response) => response.body.windows(16).any(|text| text == b"InvalidParameter"),
            Answer::NotSent(_) | Answer::Unanswered(_) => false,
        };
        self.ledger.drop_request(id, &flight.events);
        if genuine && refused_for_clock(answer) {
            // Each request under way when the clock is found to be off may be refused once.
            self.clock_refusals += 1;
            let destinations = self.destinations.iter().max().map_or(1, |most| *most as u64 + 1);
            let occasions = self.plan.steps + u64::from(self.life);
            let most = occasions * destinations * u64::from(self.plan.in_flight);
            if self.clock_refusals > most {
                return Err(format!("is refused {} times for its clock", self.clock_refusals));
            }
        }
        let healthy = self.was_sick.is_some_and(|sick| sick != destination);
        if genuine && let Some(fates) = &flight.fates {
            self.ledger.settle(&flight.events, fates, self.now, healthy);
            for (marker, fate) in flight.markers.iter().zip(fates).filter(|_| !forget) {
                let events = marker.events - u64::from(too_few);
                self.ledger.mark(&Marker { events, ..marker.clone() }, *fate == Fate::Accepted);
            }
        } else if invalid && let [event] = flight.events.as_slice() {
            let poison = self.ledger.has_poison(*event);
            if !poison {
                return Err(format!("sends an event that the service refuses, without {POISON}"));
            }
            self.ledger.refuse(&flight.events);
            self.ledger.settle(&flight.events, &[Fate::Invalid], self.now, false);
        }
        let mut answer = answer.clone();
        if believe && let Answer::Unanswered(_) = answer {
            answer = Answer::Response(service::answer(200, "{}".into(), 0));
        }
        if overlook
            && let Answer::Response(response) = &mut answer
            && response.status == 200
        {
            response.body = b"{}".to_vec();
        }
        machine.shipper.handle_answer(request, &answer, now);
        let again = (resend && genuine && flight.fates.is_some()).then(|| flight.body.clone());
        let gone_for_good = !matches!(answer, Answer::Unanswered(_)) || flight.fates.is_some();
        if gone_for_good {
            self.flights.remove(&id);
        }
        self.note(
            || format!("request {id}: {operation:?} is answered with {status}, genuine: {genuine}"),
            status.into(),
        );
        if let Some(body) = again {
            let put: Put = serde_json::from_slice(body.bytes()).map_err(|error| error.to_string())?;
            let each = put.log_events.iter().map(|event| (event.timestamp, event.message.as_ref()));
            self.ledger.send(u64::MAX, destination, each)?;
        }
        self.strike(destination, operation, status, invalid)
    }

    /// Counts failures in a row: more than waits allow are a storm.
    fn strike(
        &mut self,
        destination: usize,
        operation: Operation,
        status: u16,
        invalid: bool,
    ) -> Result<(), String> {
        if status == 200 {
            if operation == Operation::PutLogEvents {
                self.strikes.remove(&destination);
            }
            return Ok(());
        }
        self.summary.troubles += 1;
        if invalid {
            return Ok(());
        }
        let (count, since) = self.strikes.entry(destination).or_insert((0, self.now));
        *count += if self.sabotage == Some(Sabotage::Storm) { 20 } else { 1 };
        if *count > FREE_STRIKES + (self.now - *since) / STRIKE_EVERY {
            let seconds = (self.now - *since) / SECOND;
            return Err(format!("sends {count} requests in vain to one destination within {seconds} s"));
        }
        Ok(())
    }

    pub(super) fn hand_out_credentials(&mut self, life: u32, renew: bool) {
        let now = Timestamp::from_nanos(self.wall());
        let trouble = self.now < self.plan.active && self.plan.credentials;
        let fails = trouble && self.chance.percent(20);
        let fresh = renew || self.last_key == 0 || self.chance.percent(50) || !trouble;
        let Some(machine) = self.machine.as_mut().filter(|_| life == self.life) else { return };
        if fails {
            let text = "simulated".to_owned();
            let error = match self.chance.below(3) {
                0 => CredentialsError::Missing(text),
                1 => CredentialsError::Invalid(text),
                _ => CredentialsError::Unavailable(text),
            };
            machine.shipper.handle_credentials(Err(error), now);
            return self.note(|| "there are no credentials".to_owned(), 30);
        }
        if fresh {
            self.last_key += 1;
        }
        let key = self.last_key.max(self.service.first_good_key);
        self.last_key = key;
        let lasts = self.chance.spread(5 * SECOND, 300 * SECOND);
        let expires = (trouble && self.chance.percent(70)).then_some(now.nanos() + lasts);
        let credentials =
            Credentials::new(format!("AKID{key}"), "secret".into(), None, expires.map(Timestamp::from_nanos));
        machine.shipper.handle_credentials(Ok(credentials), now);
        if trouble && self.chance.percent(70) {
            let at =
                if expires.is_some() { self.now + lasts } else { self.now + self.chance.below(60 * SECOND) };
            self.plan_for(at.min(self.plan.active), Happening::KeyEnds(key));
        }
        self.note(|| format!("credentials: key {key}, until {expires:?}"), key);
    }
}

fn refused_for_clock(answer: &Answer) -> bool {
    match answer {
        Answer::Response(response) => response.body.windows(16).any(|text| text == b"InvalidSignature"),
        Answer::NotSent(_) | Answer::Unanswered(_) => false,
    }
}

/// The seconds since 1970 of a time such as `20270115T080005Z`.
fn seconds(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let leap = |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: u64 = (1970..year).map(|year| 365 + u64::from(leap(year))).sum();
    let months: u64 = lengths.iter().take(month as usize - 1).sum();
    let days = years + months + day - 1;
    Some(days * 86_400 + number(9..11)? * 3_600 + number(11..13)? * 60 + number(13..15)?)
}

fn key_of(authorization: &str) -> Option<u64> {
    let (_, key) = authorization.split_once("Credential=AKID")?;
    key.split_once('/')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_of_signatures_are_read() {
        assert_eq!(super::seconds("20270115T080005Z"), Some(1_800_000_005));
        assert_eq!(super::seconds("19700301T000000Z"), Some(59 * 86_400));
    }
}
