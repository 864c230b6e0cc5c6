//! Requests go out, answers come in, and each verdict is acted on.

use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;

use flate2::write::GzEncoder;

use super::keyring::Generation;
use super::letters::{Refused, refused_by};
use super::outlet::{Load, Outlet, OutletId, ParcelId, ParcelState, Sealed, Stage, Trouble};
use super::sent::{Sent, What};
use super::{Body, Digest, Failure, Output, Reason, Request, RequestId, Severity, Shipper};
use crate::batch::Frozen;
use crate::cloudwatch::{LogFormat, Operation, Rejected, stream_body};
use crate::delivery::{Answer, Cause, Pace, Refusal, Verdict};
use crate::naming::Site;
use crate::settings::{Compression, Signing};
use crate::sigv4::{self, Credentials, Hex};
use crate::time::{Millis, Timestamp};

/// Why there are no credentials; `failure` of `credentials` in the WIT says what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsError {
    Missing(String),
    Invalid(String),
    Unavailable(String),
}

/// Failures in a row, with nothing ever delivered, after which a short-lived instance gives up on an
/// endpoint.
pub(super) const FEW_TRIES: u32 = 4;

impl Shipper {
    /// Credentials were found, or not.
    pub fn handle_credentials(&mut self, found: Result<Credentials, CredentialsError>, now: Timestamp) {
        self.hear_time(now);
        match found {
            Ok(credentials) => {
                self.answers.credentials_found += 1;
                self.keyring.found(credentials, now);
                self.starved = false;
                self.stirred.extend((0..self.outlets.len()).map(OutletId));
            }
            Err(error) => {
                self.answers.credentials_missed += 1;
                let wait = self.keyring.missed(now, &mut self.jitter);
                let (text, lasting) = match error {
                    CredentialsError::Missing(text) => (format!("no credentials for AWS: {text}"), true),
                    CredentialsError::Invalid(text) => {
                        (format!("credentials for AWS cannot be used: {text}"), true)
                    }
                    CredentialsError::Unavailable(text) => {
                        (format!("credentials for AWS cannot be had: {text}"), false)
                    }
                };
                if self.settings.fail_fast && lasting {
                    self.done = Some(Err(Failure::Credentials(text)));
                } else {
                    self.tell(
                        Severity::Error,
                        format!("{text}; trying again in {} s", wait.0.div_ceil(1_000)),
                    );
                }
            }
        }
    }

    /// Sends the next batch of an outlet, if one can be sent. Whether it did.
    pub(super) fn send_parcel(&mut self, id: OutletId, now: Timestamp) -> bool {
        let (in_flight, service_now) = (self.settings.in_flight, now.shifted(self.clock_ahead));
        let next = self.outlets.get_mut(id.0).and_then(|outlet| outlet.next_parcel(in_flight, service_now));
        let Some(parcel) = next else { return false };
        let (frozen, marker) = match &parcel.load {
            Load::Batch(frozen) => (frozen, false),
            Load::Marker(frozen, _) => (frozen, true),
            Load::Gap(_) => return false,
        };
        let events = frozen.len();
        let Sealed { body, digest } = parcel.sealed.get_or_insert_with(|| {
            let body = sealed_body(frozen, self.settings.compression);
            let digest = digest_of(body.bytes(), &self.digest, self.settings.signing);
            Sealed { body, digest }
        });
        let (body, digest) = (body.clone(), digest.clone());
        let what = What::Put { parcel: parcel.id, events, marker };
        let parcel_id = parcel.id;
        if !self.send(id, what, body, &digest, now) {
            return false;
        }
        let Some(parcel) = self.outlets.get_mut(id.0).and_then(|outlet| outlet.parcel_mut(parcel_id)) else {
            return false;
        };
        parcel.state = ParcelState::UnderWay;
        parcel.tries += 1;
        self.counts.requests_sent += 1;
        self.counts.requests_retried += u64::from(parcel.tries > 1);
        self.counts.bytes_sent += parcel.sealed.as_ref().map_or(0, |sealed| sealed.body.bytes().len()) as u64;
        true
    }

    /// Asks for a log group or log stream.
    pub(super) fn send_create(&mut self, id: OutletId, operation: Operation, now: Timestamp) {
        let Some(outlet) = self.outlets.get(id.0) else { return };
        let (group, stream) = (outlet.destination.group(), outlet.destination.stream());
        let body = match operation {
            Operation::CreateLogGroup => self.settings.new_groups.body(group, outlet.tags),
            Operation::CreateLogStream => stream_body(group, stream),
            Operation::PutLogEvents | Operation::PutRetentionPolicy => return,
        };
        let digest = digest_of(&body, &self.digest, self.settings.signing);
        if self.send(id, What::Create(operation), Body::Bytes(body.into()), &digest, now)
            && let Some(outlet) = self.outlets.get_mut(id.0)
        {
            outlet.stage = Stage::Creating { operation, asked: true };
        }
    }

    pub(super) fn send(
        &mut self,
        outlet: OutletId,
        what: What,
        body: Body,
        digest: &str,
        now: Timestamp,
    ) -> bool {
        let operation = what.operation();
        let mut headers = operation.headers();
        if operation == Operation::PutLogEvents && self.settings.compression == Compression::Gzip {
            headers.push(("content-encoding", "gzip".to_owned()));
        }
        if operation == Operation::PutLogEvents {
            let own = self.outlets.get(outlet.0).and_then(|outlet| outlet.terms.format);
            headers.extend(own.or(self.settings.format).map(LogFormat::header));
        }
        let signed = now.shifted(self.clock_ahead);
        let site = self.outlets.get(outlet.0).and_then(|outlet| outlet.destination.site().cloned());
        let generation = match self.settings.signing {
            Signing::Here => match self.sign(site.as_deref(), &mut headers, digest, signed, now) {
                Some(generation) => generation,
                None => return false,
            },
            Signing::Elsewhere => Generation::default(),
        };
        self.last_request = RequestId(self.last_request.0 + 1);
        let id = self.last_request;
        let probe = self.outlets.get(outlet.0).is_some_and(Outlet::is_failing);
        self.probes += usize::from(probe);
        let clock_ahead = self.clock_ahead;
        self.under_way.insert(id, Sent { outlet, what, signed, clock_ahead, generation, probe });
        self.outputs.push_back(Output::Send(Request { id, operation, site, headers, body }));
        true
    }

    /// Where the requests of an outlet go.
    fn site_of(&self, id: OutletId) -> &Site {
        let other = self.outlets.get(id.0).and_then(|outlet| outlet.destination.site());
        other.map_or_else(|| self.settings.sites.own(), Arc::as_ref)
    }

    /// Adds the headers that sign a request; the credentials used, unless it cannot be signed.
    fn sign(
        &mut self,
        site: Option<&Site>,
        headers: &mut Vec<(&'static str, String)>,
        digest: &str,
        signed: Timestamp,
        now: Timestamp,
    ) -> Option<Generation> {
        // Credentials that are about to end are replaced in time, while they still serve.
        if let Some(renew) = self.keyring.poll_fetch(now) {
            self.outputs.push_back(Output::FetchCredentials { renew });
        }
        let Some((credentials, generation)) = self.keyring.credentials(now) else {
            self.starved = true;
            return None;
        };
        let site = site.unwrap_or_else(|| self.settings.sites.own());
        match sigv4::sign(&credentials, site.region.as_str(), signed, site.url(), headers, digest) {
            Ok(signature) => headers.extend(signature),
            Err(error) => {
                self.done = Some(Err(Failure::Credentials(format!("a request cannot be signed: {error}"))));
                return None;
            }
        }
        Some(generation)
    }

    /// What came of a request.
    pub fn handle_answer(&mut self, id: RequestId, answer: &Answer, now: Timestamp) {
        self.hear_time(now);
        let Some(sent) = self.under_way.remove(&id) else { return };
        self.probes -= usize::from(sent.probe);
        if let What::Retain(id) = sent.what {
            self.hear_of_retention(id, &sent, answer, now);
            self.stirred.insert(sent.outlet);
            return;
        }
        let took = now.since(sent.sent());
        let Sent { outlet, what, signed, clock_ahead, generation, .. } = sent;
        let events = match what {
            What::Put { parcel, events, .. } => {
                self.set_ready(outlet, parcel);
                events
            }
            What::Create(operation) => {
                self.set_stage(outlet, Stage::Creating { operation, asked: false });
                0
            }
            What::Retain(_) => 0,
        };
        let verdict = Verdict::of(answer, what.operation(), events, signed);
        self.answers.note(what.operation(), &verdict, took);
        if events > 0 && !matches!(verdict, Verdict::Accept(_)) && answer.leaves_open() {
            self.counts.requests_ambiguous += 1;
            let holds_events = matches!(what, What::Put { marker: false, .. });
            self.counts.events_possibly_doubled += if holds_events { events as u64 } else { 0 };
        }
        if what == What::Create(Operation::CreateLogGroup) {
            self.note_group(outlet, answer, &verdict, now);
        }
        match verdict {
            Verdict::Accept(rejected) => self.accept(outlet, what, rejected, now),
            Verdict::Retry(cause) => self.retry(outlet, what, &cause, now),
            Verdict::Create => self.create(outlet, what, now),
            Verdict::Renew(refusal) if self.settings.signing == Signing::Elsewhere => {
                self.blame_signer(outlet, what, refusal.text(), now);
            }
            Verdict::SetClock(off) if self.settings.signing == Signing::Elsewhere => {
                let text = format!("its clock is off by {} s", -off / 1_000);
                self.blame_signer(outlet, what, &text, now);
            }
            Verdict::Renew(refusal) => self.renew(outlet, generation, &refusal, now),
            Verdict::SetClock(off) => {
                self.clock_ahead = clock_ahead + off;
                let text = format!("by {} s", -self.clock_ahead / 1_000);
                self.trouble(outlet, Trouble::Clock, &text, now);
                self.wait_after(1, outlet, what.creating(), now);
            }
            Verdict::Hold(refusal) => self.hold(outlet, what, refusal, now),
            Verdict::Halve(refusal) => self.halve(outlet, what, &refusal, now),
        }
        self.stirred.insert(outlet);
    }

    fn accept(&mut self, outlet: OutletId, what: What, rejected: Rejected, now: Timestamp) {
        self.keyring.accepted();
        match what {
            What::Create(Operation::CreateLogGroup) => {
                self.set_stage(
                    outlet,
                    Stage::Creating { operation: Operation::CreateLogStream, asked: false },
                );
            }
            What::Create(_) => self.set_stage(outlet, Stage::Open),
            What::Retain(_) => {}
            What::Put { parcel, events, marker } => {
                self.delivered_any = true;
                self.retain_existing(outlet, now);
                if let Some(outlet) = self.outlets.get_mut(outlet.0) {
                    outlet.backoff.succeed();
                }
                self.relief(outlet);
                let accepted = (events - rejected.total()) as u64;
                if marker {
                    self.counts.gaps_marked += accepted;
                    return self.deliver(outlet, parcel);
                }
                self.counts.events_accepted += accepted;
                self.counts.events_too_old += rejected.too_old as u64;
                self.counts.events_expired += rejected.expired as u64;
                self.counts.events_too_new += rejected.too_new as u64;
                match rejected.total() {
                    0 => self.deliver(outlet, parcel),
                    _ => self.refuse(outlet, parcel, &refused_by(rejected, events), now),
                }
            }
        }
    }

    /// Takes a batch as delivered, and acknowledges whatever that completes.
    pub(super) fn deliver(&mut self, id: OutletId, parcel: ParcelId) {
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        if let Some(parcel) = outlet.parcel_mut(parcel) {
            parcel.state = ParcelState::Delivered;
        }
        self.take_delivered(id);
    }

    /// Acknowledges whatever is delivered and has nothing before it that is not.
    pub(super) fn take_delivered(&mut self, id: OutletId) {
        while let Some(parcel) = self.outlets.get_mut(id.0).and_then(|outlet| outlet.take_delivered()) {
            let marks = parcel.marks();
            for mark in marks.iter() {
                if let Some(source) = self.sources.get_mut(&mark.source) {
                    source.progress.deliver(id, parcel.number, mark);
                }
            }
            for mark in marks.iter() {
                self.acknowledge(mark.source);
            }
            self.recycle(parcel.load);
        }
    }

    fn retry(&mut self, id: OutletId, what: What, cause: &Cause, now: Timestamp) {
        let (pace, asked) = match cause {
            Cause::Throttled { asked, .. } => (Pace::Throttled, *asked),
            Cause::Fault { asked, .. } => (Pace::Brisk, *asked),
            Cause::NotSent(_) | Cause::Unanswered(_) => (Pace::Brisk, None),
        };
        let failures = self.wait(id, what.creating(), pace, asked, now);
        let Cause::NotSent(text) = cause else { return self.trouble(id, cause.trouble(), cause.text(), now) };
        // Whoever waits for the end hears of an endpoint that was never reached once: when it is given up.
        if !self.settings.fail_fast || self.delivered_any {
            self.trouble(id, cause.trouble(), text, now);
        } else if failures >= FEW_TRIES {
            let endpoint = &self.site_of(id).endpoint;
            let text = format!(
                "{endpoint} cannot be reached: {text}; check --region, --endpoint-url, network and proxies"
            );
            self.done = Some(Err(Failure::Endpoint(text)));
        }
    }

    /// Something does not exist: the log stream, or if that is what was to be made, the log group.
    fn create(&mut self, id: OutletId, what: What, now: Timestamp) {
        let Some(outlet) = self.outlets.get(id.0) else { return };
        let (group, stream) = (outlet.destination.group(), outlet.destination.stream());
        let create_group = outlet.terms.create_group.unwrap_or(self.settings.create_group);
        let create_stream = outlet.terms.create_stream.unwrap_or(self.settings.create_stream);
        let (operation, allowed, missing, option) = match what {
            What::Put { .. } => {
                let missing = format!("log stream {stream} of log group {group}");
                (Operation::CreateLogStream, create_stream, missing, "--create-stream")
            }
            What::Create(_) | What::Retain(_) => {
                let missing = format!("log group {group}");
                (Operation::CreateLogGroup, create_group, missing, "--create-group")
            }
        };
        if !allowed {
            let text = format!("{missing} does not exist, and {option} is off");
            return self.hold(id, what, Refusal::Denied(text), now);
        }
        self.tell(Severity::Debug, format!("{missing} does not exist yet: making it"));
        // At once the first time; the service may take a moment to find what it has just made.
        let free = match what {
            What::Put { .. } => 1,
            What::Create(_) | What::Retain(_) => 2,
        };
        self.wait_after(free, id, Some(operation), now);
    }

    pub(super) fn renew(&mut self, id: OutletId, generation: Generation, refusal: &Refusal, now: Timestamp) {
        let Some(renewed_before) = self.keyring.refused(generation, now, &mut self.jitter) else { return };
        self.starved = true;
        if !self.settings.fail_fast {
            self.trouble(id, refusal.trouble(), refusal.text(), now);
        } else if renewed_before > 0 {
            let text = format!("CloudWatch refuses the credentials: {}", refusal.text());
            self.done = Some(Err(Failure::Credentials(text)));
        }
    }

    /// What signs requests elsewhere does it wrong, or with credentials that are not good.
    fn blame_signer(&mut self, id: OutletId, what: What, text: &str, now: Timestamp) {
        self.wait(id, what.creating(), Pace::Patient, None, now);
        if self.settings.fail_fast {
            self.done = Some(Err(Failure::Credentials(format!("CloudWatch refuses the signature: {text}"))));
        } else {
            self.trouble(id, Trouble::Signer, text, now);
        }
    }

    fn hold(&mut self, id: OutletId, what: What, refusal: Refusal, now: Timestamp) {
        if self.drop_tags(id, what, &refusal) {
            return;
        }
        let failures = self.wait(id, what.creating(), Pace::Patient, None, now);
        // Something in between may have a bad moment; what has worked may work again.
        let passing =
            matches!(refusal, Refusal::NotCloudWatch(_)) && self.delivered_any && failures < FEW_TRIES;
        if !self.settings.fail_fast || passing {
            return self.trouble(id, refusal.trouble(), refusal.text(), now);
        }
        let Some(outlet) = self.outlets.get(id.0) else { return };
        let endpoint = &self.site_of(id).endpoint;
        let failure = match refusal {
            Refusal::Denied(text) | Refusal::Invalid(text) => Failure::Denied(format!(
                "not permitted: {}: {text} (these credentials need logs:PutLogEvents, logs:CreateLogStream and \
                 logs:CreateLogGroup there)",
                outlet.destination
            )),
            Refusal::Credentials(text) => Failure::Credentials(text),
            Refusal::NotCloudWatch(text) => Failure::Endpoint(format!(
                "{endpoint} is not CloudWatch Logs: {text}; check --endpoint-url, --region and proxies"
            )),
        };
        self.done = Some(Err(failure));
    }

    fn halve(&mut self, id: OutletId, what: What, refusal: &Refusal, now: Timestamp) {
        let What::Put { parcel, marker, .. } = what else {
            return self.hold(id, what, refusal.clone(), now);
        };
        // Nobody is told that nobody was told.
        if marker {
            return self.deliver(id, parcel);
        }
        self.trouble(id, Trouble::Invalid, refusal.text(), now);
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        if outlet.halve(parcel) {
            return;
        }
        self.counts.events_invalid += 1;
        outlet.losses.error = Some(refusal.text().to_owned());
        let whole = Refused { events: 0..1, reason: Reason::Invalid };
        self.refuse(id, parcel, &[whole], now);
    }

    /// Waits before the request is repeated; how often in a row that was.
    pub(super) fn wait(
        &mut self,
        id: OutletId,
        creating: Option<Operation>,
        pace: Pace,
        asked: Option<Millis>,
        now: Timestamp,
    ) -> u32 {
        let Some(outlet) = self.outlets.get_mut(id.0) else { return 0 };
        let wait = outlet.backoff.fail(pace, asked, &mut self.jitter);
        outlet.stage = Stage::Waiting { until: now + wait, creating };
        outlet.backoff.failures()
    }

    /// Goes on at once for the first few failures in a row, and waits after later ones.
    fn wait_after(&mut self, free: u32, id: OutletId, creating: Option<Operation>, now: Timestamp) {
        if self.wait(id, creating, Pace::Brisk, None, now) <= free {
            self.set_stage(id, Stage::Waiting { until: now, creating });
        }
    }

    fn set_ready(&mut self, id: OutletId, parcel: ParcelId) {
        let parcel = self.outlets.get_mut(id.0).and_then(|outlet| outlet.parcel_mut(parcel));
        if let Some(parcel) = parcel {
            parcel.state = ParcelState::Ready;
        }
    }

    fn set_stage(&mut self, id: OutletId, stage: Stage) {
        if let Some(outlet) = self.outlets.get_mut(id.0) {
            outlet.stage = stage;
        }
    }
}

/// What is signed of a body; nothing where that is not done here.
pub(super) fn digest_of(body: &[u8], digest: &Digest, signing: Signing) -> Hex {
    match signing {
        Signing::Here => sigv4::hex(&digest(body)),
        Signing::Elsewhere => Hex::new(),
    }
}

/// The body as it is sent.
fn sealed_body(frozen: &Rc<Frozen>, compression: Compression) -> Body {
    match compression {
        Compression::None => Body::Batch(Rc::clone(frozen)),
        Compression::Gzip => {
            let room = Vec::with_capacity(frozen.body().len() / 4);
            let mut encoder = GzEncoder::new(room, flate2::Compression::fast());
            // Writing to memory cannot fail; if it ever did, the body would go as it is, and be refused.
            let compressed = encoder.write_all(frozen.body()).and_then(|()| encoder.finish());
            compressed.map_or_else(|_| Body::Batch(Rc::clone(frozen)), |bytes| Body::Bytes(bytes.into()))
        }
    }
}
