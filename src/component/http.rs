//! One request on its way through `wasi:http`, without ever blocking.

use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme,
};
use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::cloudwatch::Endpoint;
use crate::delivery::{Answer, Response};
use crate::naming::Site;
use crate::shipper::{Request, RequestId};

/// A request that has been handed to the host.
pub struct Exchange {
    pub id: RequestId,
    stage: Stage,
}

enum Stage {
    Sending { request: Request, written: usize, outgoing: Outgoing, response: FutureIncomingResponse },
    Awaiting { response: FutureIncomingResponse },
    Reading { head: Response, incoming: Incoming },
    Answered(Answer),
    Over,
}

/// A body on its way out. Fields are dropped in order, and WASI wants children dropped before parents.
struct Outgoing {
    stream: OutputStream,
    body: OutgoingBody,
}

/// An answer's body; dropped in order, as above.
struct Incoming {
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
}

/// What is read of an answer at most, in bytes. The service's are far shorter.
const LONGEST_ANSWER: usize = 256 << 10;
const CHUNK: u64 = 64 << 10;

const SECOND: u64 = 1_000_000_000;
/// How long a host may take to connect, and then to wait for each part of the answer, in nanoseconds. A
/// host that knows better goes by its own.
const CONNECT_WITHIN: u64 = 10 * SECOND;
const ANSWER_WITHIN: u64 = 90 * SECOND;

impl Exchange {
    /// Hands a request to the host. `own`: where it goes unless it says so itself.
    pub fn start(own: &Site, request: Request) -> Exchange {
        let id = request.id;
        let endpoint = request.site.as_ref().map_or(&own.endpoint, |site| &site.endpoint).clone();
        let stage = begin(&endpoint, request).unwrap_or_else(Stage::Answered);
        Exchange { id, stage }
    }

    /// Goes on as far as that is possible; the answer, once it is there.
    pub fn advance(&mut self) -> Option<Answer> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Over => return None,
                Stage::Answered(answer) => return Some(answer),
                stage => match step(stage) {
                    Ok(stage) => self.stage = stage,
                    Err(stage) => {
                        self.stage = stage;
                        return None;
                    }
                },
            }
        }
    }

    /// Ready when `advance` can go on.
    pub fn subscribe(&self) -> Option<Pollable> {
        match &self.stage {
            Stage::Sending { outgoing, .. } => Some(outgoing.stream.subscribe()),
            Stage::Awaiting { response } => Some(response.subscribe()),
            Stage::Reading { incoming, .. } => Some(incoming.stream.subscribe()),
            Stage::Answered(_) | Stage::Over => None,
        }
    }
}

fn begin(endpoint: &Endpoint, request: Request) -> Result<Stage, Answer> {
    let refused = |what: &str| Answer::NotSent(format!("the host does not take the request's {what}"));
    let mut headers: Vec<_> = Vec::with_capacity(request.headers.len() + 2);
    headers.push(("content-length".to_owned(), request.body.bytes().len().to_string().into_bytes()));
    headers.push(("user-agent".to_owned(), concat!("cloudspout/", env!("CARGO_PKG_VERSION")).into()));
    headers
        .extend(request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
    let headers = Fields::from_list(&headers).map_err(|_| refused("headers"))?;
    let outgoing = OutgoingRequest::new(headers);
    let scheme = if endpoint.is_tls() { Scheme::Https } else { Scheme::Http };
    outgoing.set_method(&Method::Post).map_err(|()| refused("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| refused("scheme"))?;
    outgoing.set_authority(Some(endpoint.authority())).map_err(|()| refused("host"))?;
    outgoing.set_path_with_query(Some(endpoint.path())).map_err(|()| refused("path"))?;
    let body = outgoing.body().map_err(|()| refused("body"))?;
    let stream = body.write().map_err(|()| refused("body"))?;
    let sending = Outgoing { stream, body };
    let response = outgoing_handler::handle(outgoing, Some(patience())).map_err(|error| transport(&error))?;
    Ok(Stage::Sending { request, written: 0, outgoing: sending, response })
}

fn patience() -> RequestOptions {
    let options = RequestOptions::new();
    // Hosts need not support these: theirs are then as good.
    let _ = options.set_connect_timeout(Some(CONNECT_WITHIN));
    let _ = options.set_first_byte_timeout(Some(ANSWER_WITHIN));
    let _ = options.set_between_bytes_timeout(Some(ANSWER_WITHIN));
    options
}

/// Takes a step; gives the stage back as an error if it has to wait.
fn step(stage: Stage) -> Result<Stage, Stage> {
    match stage {
        Stage::Sending { request, mut written, outgoing, response } => {
            let left = request.body.bytes().get(written..).unwrap_or_default();
            if left.is_empty() {
                let Outgoing { stream, body } = outgoing;
                drop(stream);
                return match OutgoingBody::finish(body, None) {
                    Ok(()) => Ok(Stage::Awaiting { response }),
                    Err(error) => Ok(Stage::Answered(transport(&error))),
                };
            }
            match outgoing.stream.check_write() {
                Ok(0) => Err(Stage::Sending { request, written, outgoing, response }),
                Ok(room) => {
                    let room = usize::try_from(room).unwrap_or(usize::MAX);
                    let chunk = left.get(..room).unwrap_or(left);
                    // What goes wrong here comes up again, with its reason, in the response.
                    if outgoing.stream.write(chunk).is_err() {
                        return Ok(Stage::Awaiting { response });
                    }
                    written += chunk.len();
                    Ok(Stage::Sending { request, written, outgoing, response })
                }
                // The other side has had enough of the body: perhaps it has answered already.
                Err(_) => Ok(Stage::Awaiting { response }),
            }
        }
        Stage::Awaiting { response } => match response.get() {
            None => Err(Stage::Awaiting { response }),
            Some(Ok(Ok(incoming))) => Ok(reading(incoming)),
            Some(Ok(Err(error))) => Ok(Stage::Answered(transport(&error))),
            Some(Err(())) => Ok(Stage::Answered(Answer::Unanswered("the host lost the response".into()))),
        },
        Stage::Reading { mut head, incoming } => match incoming.stream.read(CHUNK) {
            Ok(chunk) if chunk.is_empty() => Err(Stage::Reading { head, incoming }),
            Ok(chunk) if head.body.len() + chunk.len() <= LONGEST_ANSWER => {
                head.body.extend_from_slice(&chunk);
                Ok(Stage::Reading { head, incoming })
            }
            Ok(_) | Err(StreamError::Closed) => Ok(Stage::Answered(Answer::Response(head))),
            Err(StreamError::LastOperationFailed(error)) => {
                let text = format!("the answer broke off: {}", error.to_debug_string());
                Ok(Stage::Answered(Answer::Unanswered(text)))
            }
        },
        Stage::Answered(_) | Stage::Over => Err(stage),
    }
}

fn reading(response: IncomingResponse) -> Stage {
    let head = head(&response);
    let body = response.consume().and_then(|body| Ok((body.stream()?, body)));
    match body {
        Ok((stream, body)) => {
            Stage::Reading { head, incoming: Incoming { stream, _body: body, _response: response } }
        }
        Err(()) => Stage::Answered(Answer::Response(head)),
    }
}

fn head(response: &IncomingResponse) -> Response {
    let headers = response.headers();
    Response::of_head(response.status(), |name| String::from_utf8(headers.get(name).into_iter().next()?).ok())
}

/// What went wrong on the way: whether the request can have arrived decides.
fn transport(error: &ErrorCode) -> Answer {
    match error {
        ErrorCode::DnsTimeout => Answer::NotSent("looking up the host's name took too long".into()),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            Answer::NotSent("no host of that name is known".into())
        }
        ErrorCode::ConnectionRefused => Answer::NotSent("the connection was refused".into()),
        ErrorCode::ConnectionTimeout => Answer::NotSent("connecting took too long".into()),
        ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable => Answer::NotSent("there is no way to the host".into()),
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
            Answer::NotSent("its TLS certificate is not trusted, or it does not speak TLS".into())
        }
        ErrorCode::HttpRequestDenied => Answer::NotSent("the host does not allow requests to there".into()),
        ErrorCode::ConnectionLimitReached => {
            Answer::NotSent("the host holds requests back: more are sent than it allows".into())
        }
        ErrorCode::InternalError(Some(text)) => Answer::Unanswered(text.clone()),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            Answer::Unanswered("the connection was cut".into())
        }
        ErrorCode::HttpProtocolError => Answer::Unanswered("the connection was cut, or is not HTTP".into()),
        ErrorCode::HttpResponseTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout => Answer::Unanswered("no answer came in time".into()),
        other => Answer::Unanswered(format!("{other:?}")),
    }
}
