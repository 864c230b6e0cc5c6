//! Requests of the component, sent over pooled connections.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::causes::causes;
use crate::positions::Store;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::transport::{Body as Stream, SendError, Transport};

/// Sends requests: keeps connections, speaks TLS with the system's roots of trust, goes through the proxy
/// that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), follows no redirect. Clones share
/// their connections.
#[derive(Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    store: Store,
}

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// From the first byte sent to the last byte of the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);
/// Shorter than the service keeps idle connections, so that none is used that it is about to close.
const IDLE_FOR: Duration = Duration::from_secs(15);

impl HttpClient {
    /// A client that sends nothing before the positions stored until then are on disk: whatever ends this
    /// program, no more is sent again than what was under way.
    ///
    /// # Errors
    /// The system's roots of trust cannot be read.
    pub fn new(store: Store) -> Result<HttpClient, String> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .pool_idle_timeout(IDLE_FOR)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| causes(&error))?;
        Ok(HttpClient { client, store })
    }
}

/// TLS with the system's roots of trust.
///
/// # Errors
/// There is none with this machine's libraries.
pub(crate) fn tls() -> Result<rustls::ClientConfig, String> {
    let roots = rustls_native_certs::load_native_certs();
    let mut trusted = rustls::RootCertStore::empty();
    trusted.add_parsable_certificates(roots.certs);
    let provider = rustls::crypto::ring::default_provider();
    Ok(rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(trusted)
        .with_no_client_auth())
}

#[wasmtime_wasi::async_trait]
impl Transport for HttpClient {
    async fn send(&self, request: http::Request<Stream>) -> Result<http::Response<Stream>, SendError> {
        let (parts, body) = request.into_parts();
        let request = self
            .client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(reqwest::Body::wrap(Outgoing { body: Mutex::new(body) }));
        self.store.settle().await;
        let response = request.send().await.map_err(|error| failure(&error))?;
        let response: http::Response<reqwest::Body> = response.into();
        Ok(response.map(|body| body.map_err(|error| failure(&error)).boxed_unsync()))
    }
}

/// The body that the component writes. The lock is never taken: it makes the body shareable in name, as
/// the client wants it.
struct Outgoing {
    body: Mutex<Stream>,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = SendError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        match self.body.get_mut() {
            Ok(body) => Pin::new(body).poll_frame(context),
            Err(_) => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.lock().map(|body| body.size_hint()).unwrap_or_default()
    }
}

/// What went wrong: whether the request can have arrived must be right.
fn failure(error: &reqwest::Error) -> SendError {
    let text = causes(error);
    tracing::debug!("a request failed: {text}");
    if !error.is_connect() {
        return if error.is_timeout() { SendError::AnswerTimeout } else { SendError::Broken(text) };
    }
    if error.is_timeout() {
        return SendError::ConnectTimeout;
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => SendError::Refused,
        _ if text.contains("dns error") => SendError::UnknownHost,
        _ if is_tls(error) => SendError::Tls,
        _ => SendError::Unreachable,
    }
}

/// Whether TLS is to blame. What an I/O error wraps is not among its causes, so it is looked at apart.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<rustls::Error>() || wrapped.is_some_and(|wrapped| is_tls(wrapped)) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
