//! One request from its head to its answer.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::answer::{Answer, JSON, OtlpForm, PROTOBUF, Reply, reply};
use super::coding::Coding;
use super::room::Taken;
use super::{Intake, body, called, opening};
use crate::streams::{Fate, Framing, Keep, Positions};

/// Nobody is left to be answered.
#[derive(Debug)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the sender is gone")
    }
}

impl std::error::Error for Gone {}

/// Answers a request.
pub async fn answer(intake: Arc<Intake>, peer: IpAddr, request: Request<Incoming>) -> Result<Reply, Gone> {
    intake.counts.request();
    let reply = match (request.uri().path(), request.method()) {
        ("/healthz", &Method::GET | &Method::HEAD) => health(&intake),
        ("/counts", &Method::GET) => {
            reply(StatusCode::OK, JSON, format!("{}\n", intake.counts.to_json(intake.room.taken())))
        }
        ("/" | "/events", &Method::POST | &Method::PUT) => {
            let framing = framing_of(request.headers());
            let accepted = "application/json, application/x-ndjson, text/plain";
            take(&intake, peer, request, framing, accepted).await?.to_reply()
        }
        ("/v1/logs", &Method::POST) => {
            let form = otlp_form_of(request.headers());
            let framing = form.map(|form| match form {
                OtlpForm::Protobuf => Framing::OtlpProtobuf,
                OtlpForm::Json => Framing::OtlpJson,
            });
            let accepted = "application/x-protobuf, application/json";
            let answer = take(&intake, peer, request, framing, accepted).await?;
            answer.to_otlp_reply(form.unwrap_or(OtlpForm::Json))
        }
        // Vector asks so whether it will find us.
        ("/" | "/events" | "/v1/logs", &Method::HEAD) => health(&intake),
        ("/" | "/events" | "/v1/logs", _) => says(StatusCode::METHOD_NOT_ALLOWED, "events are sent by POST"),
        _ => says(StatusCode::NOT_FOUND, "events are sent to /events, OTLP's logs to /v1/logs"),
    };
    intake.counts.answered(reply.status());
    Ok(reply)
}

fn health(intake: &Intake) -> Reply {
    match intake.door.is_closed() {
        false => reply(StatusCode::OK, JSON, "{\"status\":\"ok\"}\n"),
        true => Answer::closed().to_reply(),
    }
}

fn says(status: StatusCode, text: &str) -> Reply {
    Answer::Refused(status, text.to_owned()).to_reply()
}

/// Takes what a request brings; `framing` is `None` for what is not among the types that are `accepted`.
async fn take(
    intake: &Intake,
    peer: IpAddr,
    request: Request<Incoming>,
    framing: Option<Framing>,
    accepted: &str,
) -> Result<Answer, Gone> {
    let (head, incoming) = request.into_parts();
    let sender = match &intake.tokens {
        None => called(peer),
        Some(tokens) => match tokens.name_of(&head.headers) {
            Some(name) => name.to_owned(),
            None => return Ok(Answer::unauthorized()),
        },
    };
    let Some(framing) = framing else { return Ok(Answer::unsupported_type(accepted)) };
    let Some(coding) = Coding::of(&head.headers) else { return Ok(Answer::unsupported_coding()) };
    let (body, taken) = match body::read(incoming, coding, intake).await {
        Ok(read) => read,
        Err(error) => return Answer::of_error(error, &intake.limits).ok_or(Gone),
    };
    if intake.door.is_closed() {
        return Ok(Answer::closed());
    }
    let fate = {
        let _waiting = intake.counts.wait();
        hand_on(intake, framing, sender, body, taken).await
    };
    if let Some(Fate::Settled { events, refused }) = &fate {
        intake.counts.settled(*events, *refused);
    }
    Ok(Answer::of_fate(fate))
}

/// What a body holds, as its header has it; curl says that anything is a form.
fn framing_of(headers: &HeaderMap) -> Option<Framing> {
    match media_of(headers)?.as_str() {
        ""
        | JSON
        | "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/octet-stream"
        | "application/x-www-form-urlencoded" => Some(Framing::JsonBody),
        "text/plain" => Some(Framing::Lines),
        _ => None,
    }
}

fn otlp_form_of(headers: &HeaderMap) -> Option<OtlpForm> {
    match media_of(headers)?.as_str() {
        PROTOBUF | "application/protobuf" => Some(OtlpForm::Protobuf),
        JSON => Some(OtlpForm::Json),
        _ => None,
    }
}

/// The type of a body, without its parameters; empty where none is named.
fn media_of(headers: &HeaderMap) -> Option<String> {
    let Some(media) = headers.get(CONTENT_TYPE) else { return Some(String::new()) };
    Some(media.to_str().ok()?.split(';').next()?.trim().to_ascii_lowercase())
}

/// Has the component ship a body; what became of it, or `None` if the component ended before.
async fn hand_on(
    intake: &Intake,
    framing: Framing,
    sender: String,
    body: Bytes,
    taken: Taken,
) -> Option<Fate> {
    let (settled, fate) = oneshot::channel();
    let waits = Arc::new(Waits { settled: Mutex::new(Some(settled)), _taken: taken });
    let writer = intake.hub.open(opening(framing, sender), waits);
    // There is room: it is the server that says how much may wait.
    writer.write(body);
    writer.end();
    fate.await.ok()
}

/// A request that waits for its events to be settled. Its room is taken until then, also if the sender is
/// gone before.
struct Waits {
    settled: Mutex<Option<oneshot::Sender<Fate>>>,
    _taken: Taken,
}

impl Keep for Waits {
    fn keep(&self, _accepted: &Positions) {}

    fn settle(&self, fate: Fate) {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(settled) = settled {
            // The sender may be gone.
            let _ = settled.send(fate);
        }
    }
}
