//! One request from its first byte to its answer: read, tried by faults, verified, carried out, counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use crate::api::{Context, Operation, Outcome, Subject};
use crate::body::{self, BodyError};
use crate::clock::Timestamp;
use crate::config::{Config, Work};
use crate::fault::{After, Before, FaultPlan, Faults, Ordeal, Page};
use crate::refusal::Refusal;
use crate::sigv4::Verifier;
use crate::stats::{Counts, Stats};
use crate::store::Store;
use crate::wire::Cut;

/// What all connections of an endpoint share.
pub struct Service {
    pub store: Store,
    pub stats: Stats,
    verifier: Verifier,
    in_force: Mutex<InForce>,
    config: Config,
    answers: AtomicU64,
}

/// The fault plan that holds and since when.
pub struct InForce {
    pub plan: FaultPlan,
    pub faults: Faults,
    since: Instant,
}

pub type Reply = Response<Full<Bytes>>;

/// The connection ends without an answer: the peer is gone, or a fault wants it so.
#[derive(Debug)]
pub struct Dropped;

impl Service {
    pub fn new(config: Config, store: Store) -> Service {
        Service {
            store,
            stats: Stats::default(),
            verifier: Verifier { keys: config.keys.clone(), service: "logs", region: config.region.clone() },
            in_force: Mutex::new(InForce::new(config.faults.clone(), config.seed)),
            config,
            answers: AtomicU64::new(0),
        }
    }

    /// Replaces the faults; counts and the plan's clock start anew.
    pub fn enforce(&self, plan: FaultPlan) {
        *self.in_force() = InForce::new(plan, self.config.seed);
    }

    pub fn in_force(&self) -> MutexGuard<'_, InForce> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request.
    pub async fn answer(self: Arc<Service>, request: Request<Incoming>, cut: Cut) -> Result<Reply, Dropped> {
        let (parts, incoming) = request.into_parts();
        if self.config.work == Work::Discard {
            return self.discard(incoming).await;
        }
        let raw = match body::read(incoming, self.config.body_limit).await {
            Ok(raw) => raw,
            Err(BodyError::TooLarge) => return Ok(self.refuse(&Refusal::too_large(), None, 0)),
            Err(BodyError::Broken(error)) => {
                tracing::debug!(%error, "a request broke off");
                return Err(Dropped);
            }
        };
        self.stats.change(|counts| {
            counts.requests += 1;
            counts.body_bytes += raw.len() as u64;
        });
        let Some(target) = target_of(&parts) else {
            self.stats.change(|counts| Counts::add(&mut counts.errors, "UnknownOperationException"));
            return Ok(self.page(&NO_OPERATION));
        };
        let operation = Operation::of_target(target);
        let body = body::decoded(&parts.headers, raw.clone(), self.config.body_limit);
        self.count(&parts, operation);

        let mut ordeal = self.ordeal(operation, body.as_deref().unwrap_or_default());
        if !ordeal.delay.is_zero() {
            tokio::time::sleep(ordeal.delay).await;
        }
        match ordeal.before.take() {
            None => {}
            Some(Before::Refuse(refusal)) => {
                return Ok(self.refuse(&refusal, ordeal.retry_after, ordeal.skew));
            }
            Some(Before::Page(page)) => return Ok(self.page(&page)),
            Some(Before::Reset) => {
                cut.after(0);
                return Err(Dropped);
            }
            Some(Before::Hang) => std::future::pending().await,
        }
        let Some(operation) = operation else {
            return Ok(self.refuse(&Refusal::unknown_operation(), None, ordeal.skew));
        };
        let (after, skew) = (ordeal.after, ordeal.skew);
        let call = Call { parts, raw, body, operation, ordeal };
        let reply = match self.carry_out(call).await {
            Ok(outcome) => self.reply(StatusCode::OK, outcome.body, skew),
            Err(refusal) => self.refuse(&refusal, None, skew),
        };
        suffer(after, &cut).await?;
        Ok(reply)
    }

    /// Reads the body and answers, at the least cost.
    async fn discard(&self, mut incoming: Incoming) -> Result<Reply, Dropped> {
        let mut bytes = 0;
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|_| Dropped)?;
            bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        self.stats.change(|counts| {
            counts.requests += 1;
            counts.body_bytes += bytes;
        });
        let mut reply = Response::new(Full::from(Bytes::from_static(b"{}")));
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        Ok(reply)
    }

    fn ordeal(&self, operation: Option<Operation>, body: &[u8]) -> Ordeal {
        let mut in_force = self.in_force();
        let subject = if in_force.faults.need_subject() { Subject::of(body) } else { Subject::default() };
        let elapsed = in_force.since.elapsed();
        let ordeal = in_force.faults.decide(operation, &subject, elapsed);
        drop(in_force);
        if !ordeal.struck.is_empty() {
            self.stats.change(|counts| {
                for rule in &ordeal.struck {
                    Counts::add(&mut counts.faults, rule);
                }
            });
        }
        ordeal
    }

    /// Verifies and performs a call, away from the other connections if it may wait for a disk.
    async fn carry_out(self: &Arc<Service>, call: Call) -> Result<Outcome, Refusal> {
        if !self.store.is_on_disk() {
            return self.perform(&call);
        }
        let service = Arc::clone(self);
        let performed = tokio::task::spawn_blocking(move || service.perform(&call)).await;
        performed.unwrap_or_else(|error| {
            tracing::error!(%error, "a call ended in a panic");
            Err(Refusal::internal())
        })
    }

    fn perform(&self, call: &Call) -> Result<Outcome, Refusal> {
        let now = Timestamp::now().plus(call.ordeal.skew);
        let region = self.verifier.verify(&call.parts, &call.raw, now)?;
        let body = call.body.as_ref().map_err(Refusal::clone)?;
        let region = region.as_deref().or(self.config.region.as_deref());
        let context = Context {
            store: &self.store,
            now,
            region: region.unwrap_or("us-east-1"),
            account: &self.config.account,
            put_faults: &call.ordeal.put,
            print: self.config.print,
        };
        let outcome = call.operation.perform(body, &context)?;
        if let Some(accepted) = &outcome.accepted {
            self.stats.change(|counts| counts.add_batch(accepted));
        }
        Ok(outcome)
    }

    fn count(&self, parts: &Parts, operation: Option<Operation>) {
        let format = parts.headers.get("x-amzn-logs-format");
        let format = format.and_then(|format| format.to_str().ok());
        let gzip = parts.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip");
        self.stats.change(|counts| {
            counts.gzip_requests += u64::from(gzip);
            let name = operation.map_or("(unknown)", Operation::name);
            Counts::add(&mut counts.operations, name);
            if let Some(format) = format {
                Counts::add(&mut counts.formats, format);
            }
        });
    }

    fn refuse(&self, refusal: &Refusal, retry_after: Option<u64>, skew: i64) -> Reply {
        tracing::debug!(code = refusal.code, message = refusal.message, "refused");
        self.stats.change(|counts| Counts::add(&mut counts.errors, refusal.code));
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut reply = self.reply(status, refusal.body(), skew);
        if let Some(millis) = retry_after {
            reply.headers_mut().insert("x-amz-retry-after", HeaderValue::from(millis));
        }
        reply
    }

    fn page(&self, page: &Page) -> Reply {
        let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::OK);
        let mut reply = self.reply(status, page.body.as_bytes().to_vec(), 0);
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(page.content_type));
        if let Some(location) = page.location {
            headers.insert(LOCATION, HeaderValue::from_static(location));
        }
        reply
    }

    fn reply(&self, status: StatusCode, body: Vec<u8>, skew: i64) -> Reply {
        let mut reply = Response::new(Full::from(body));
        *reply.status_mut() = status;
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        if let Ok(id) = HeaderValue::try_from(self.next_request_id()) {
            headers.insert("x-amzn-requestid", id);
        }
        if let Ok(date) = HeaderValue::try_from(Timestamp::now().plus(skew).http_date()) {
            headers.insert(DATE, date);
        }
        reply
    }

    /// Shaped like a random UUID, and counting.
    fn next_request_id(&self) -> String {
        let count = self.answers.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-0000-4000-8000-{:012x}", self.config.seed & 0xffff_ffff, count)
    }
}

impl InForce {
    fn new(plan: FaultPlan, seed: u64) -> InForce {
        InForce { faults: Faults::new(&plan, seed), plan, since: Instant::now() }
    }
}

/// A call that no fault has answered.
struct Call {
    parts: Parts,
    /// The body as it came, which is what was signed.
    raw: Bytes,
    body: Result<Bytes, Refusal>,
    operation: Operation,
    ordeal: Ordeal,
}

/// Lets happen to an answer what a fault wants.
async fn suffer(after: Option<After>, cut: &Cut) -> Result<(), Dropped> {
    match after {
        None => Ok(()),
        Some(After::Late(delay)) => {
            tokio::time::sleep(delay).await;
            Ok(())
        }
        Some(After::Half) => {
            cut.after(HALF_AN_ANSWER);
            Ok(())
        }
        Some(After::Reset) => {
            cut.after(0);
            Err(Dropped)
        }
        Some(After::Hang) => std::future::pending().await,
    }
}

/// The operation asked for, if the request has the shape of the protocol at all.
fn target_of(parts: &Parts) -> Option<&str> {
    let text = |name: &str| parts.headers.get(name)?.to_str().ok();
    let media = text("content-type")?.split(';').next()?.trim();
    let fits = parts.method == Method::POST && parts.uri.path() == "/" && media.eq_ignore_ascii_case(JSON);
    text("x-amz-target").filter(|_| fits)
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("config", &self.config).finish_non_exhaustive()
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ends without an answer")
    }
}

impl std::error::Error for Dropped {}

const JSON: &str = "application/x-amz-json-1.1";
/// How the service answers what is not its protocol.
const NO_OPERATION: Page =
    Page { status: 404, content_type: "text/xml", body: "<UnknownOperationException/>\n", location: None };
/// Bytes of an answer that get through: they end within its headers.
const HALF_AN_ANSWER: u64 = 100;
