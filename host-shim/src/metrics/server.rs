//! Shows the board to whoever asks.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::board::Board;
use super::page::Format;
use crate::listening::{self, Door, ListenError};

/// Listens for those who ask how it stands.
pub struct Server {
    listener: TcpListener,
    board: Board,
    patience: Duration,
}

/// Connections at a time; those who ask are few.
const PLACES: u32 = 64;
/// How long somebody may take for the head of a request.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection lasts at most, also of somebody who does not read what was asked for.
const LASTS: Duration = Duration::from_secs(60);

impl Server {
    /// Opens the port. `patience`: how long an event may wait for CloudWatch before something is wrong.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn bind(address: SocketAddr, board: Board, patience: Duration) -> Result<Server, ListenError> {
        Ok(Server { listener: listening::listen(address).await?, board, patience })
    }

    /// Where it is found.
    ///
    /// # Errors
    /// The system does not say.
    pub fn url(&self) -> io::Result<String> {
        Ok(format!("http://{}", self.listener.local_addr()?))
    }

    /// Answers until it is dropped.
    pub async fn run(self) {
        let Server { listener, board, patience } = self;
        let door = Door::with_places(PLACES);
        while let Some((stream, peer, place)) = listening::accept(&listener, &door).await {
            let (board, door) = (board.clone(), door.clone());
            tokio::spawn(async move {
                let served = tokio::time::timeout(LASTS, serve(stream, &door, &board, patience)).await;
                if let Ok(Err(error)) = served {
                    tracing::debug!("{peer}: a connection ended: {error}");
                }
                drop(place);
            });
        }
    }
}

async fn serve(stream: TcpStream, door: &Door, board: &Board, patience: Duration) -> hyper::Result<()> {
    let answer = |request: Request<Incoming>| {
        let reply = answer(board, patience, &request);
        async { Ok::<_, Infallible>(reply) }
    };
    listening::answer(stream, door, HEAD_WITHIN, answer).await
}

fn answer<B>(board: &Board, patience: Duration, request: &Request<B>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let known = matches!(path, "/metrics" | "/status" | "/healthz" | "/livez");
    if known && !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut reply = reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, "these pages are read by GET\n");
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return reply;
    }
    match path {
        "/metrics" => {
            let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
            let format = Format::wanted_by(accept.unwrap_or_default());
            reply(StatusCode::OK, format.media(), board.metrics(format))
        }
        "/status" => reply(StatusCode::OK, JSON, format!("{:#}\n", board.status())),
        "/healthz" => match board.problems(patience) {
            problems if problems.is_empty() => reply(StatusCode::OK, JSON, OK),
            problems => {
                let body = json!({ "status": "failing", "problems": problems });
                reply(StatusCode::SERVICE_UNAVAILABLE, JSON, format!("{body:#}\n"))
            }
        },
        // That this is answered is all there is to say: what CloudWatch does is no reason to end the program.
        "/livez" => reply(StatusCode::OK, JSON, OK),
        _ => reply(StatusCode::NOT_FOUND, TEXT, "/metrics, /status, /healthz and /livez are here\n"),
    }
}

fn reply(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::from(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

const OK: &str = "{\"status\":\"ok\"}\n";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::super::panel::tests::{counts, status};
    use super::super::{Kind, Owner, Page};
    use super::*;
    use crate::reports::Reporter;
    use crate::streams::Hub;
    use http_body_util::BodyExt;
    use std::time::SystemTime;

    const PATIENCE: Duration = Duration::from_secs(300);

    struct Away;

    impl super::super::Part for Away {
        fn write(&self, page: &mut Page) {
            page.family("cloudspout_docker_up", Kind::Gauge, "Docker.");
            page.gauge("cloudspout_docker_up", &[], 0_u64);
        }

        fn name(&self) -> &'static str {
            "docker"
        }

        fn status(&self) -> serde_json::Value {
            json!("away")
        }

        fn complaint(&self) -> Option<String> {
            Some("Docker is away".to_owned())
        }
    }

    fn board() -> Board {
        let board = Board::default();
        for name in ["a", "b\"\n"] {
            let panel = board.panel(Owner::Tenant(name.to_owned()));
            panel.run(Hub::default());
            panel.count(&counts(3, 2), &status(Some(SystemTime::now())));
        }
        board
    }

    async fn ask(board: &Board, method: &str, path: &str, accept: &str) -> (u16, String, String) {
        let request = Request::builder().method(method).uri(path).header(ACCEPT, accept).body(()).unwrap();
        let reply = answer(board, PATIENCE, &request);
        let (status, media) =
            (reply.status().as_u16(), reply.headers()[CONTENT_TYPE].to_str().unwrap().to_owned());
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        (status, media, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn each_page_is_what_it_says() {
        let board = board();
        for (method, path, status, media) in [
            ("GET", "/metrics", 200, "text/plain; version=0.0.4"),
            ("HEAD", "/metrics", 200, "text/plain; version=0.0.4"),
            ("GET", "/status", 200, "application/json"),
            ("GET", "/healthz", 200, "application/json"),
            ("GET", "/livez", 200, "application/json"),
            ("POST", "/metrics", 405, "text/plain"),
            ("GET", "/", 404, "text/plain"),
        ] {
            let (found, kind, _) = ask(&board, method, path, "*/*").await;
            assert_eq!(found, status, "{method} {path}");
            assert!(kind.starts_with(media), "{method} {path}: {kind}");
        }
    }

    #[tokio::test]
    async fn every_family_stands_once_and_every_sample_belongs_to_the_one_above() {
        for (accept, total) in [("text/plain", "_total"), ("application/openmetrics-text", "")] {
            let (_, _, page) = ask(&board(), "GET", "/metrics", accept).await;
            let mut families = std::collections::BTreeSet::new();
            let mut family = "";
            for line in page.lines().filter(|line| *line != "# EOF") {
                if let Some(help) = line.strip_prefix("# HELP ") {
                    family = help.split(' ').next().unwrap();
                    assert!(families.insert(family), "{family} stands twice");
                } else if !line.starts_with('#') {
                    let name = line.split(['{', ' ']).next().unwrap();
                    assert!(name.starts_with(family), "{line} under {family}");
                }
            }
            assert!(families.contains(format!("cloudspout_events_read{total}").as_str()), "{page}");
            let sample = "cloudspout_events_accepted_total{tenant=\"b\\\"\\n\"} 2\n";
            assert!(page.contains(sample), "{page}");
        }
    }

    #[tokio::test]
    async fn a_part_has_its_say_everywhere() {
        let board = board();
        board.add(Away);
        assert!(ask(&board, "GET", "/metrics", "").await.2.contains("\ncloudspout_docker_up 0\n"));
        let status: serde_json::Value =
            serde_json::from_str(&ask(&board, "GET", "/status", "").await.2).unwrap();
        assert_eq!((&status["docker"], &status["shipping"][0]["tenant"]), (&json!("away"), &json!("a")));
        let (code, _, body) = ask(&board, "GET", "/healthz", "").await;
        assert!(code == 503 && body.contains("Docker is away"), "{body}");
        assert_eq!(ask(&board, "GET", "/livez", "").await.0, 200);
    }
}
