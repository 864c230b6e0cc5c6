//! How requests of the component leave: by [`HttpClient`](crate::HttpClient), or by a client of your own.

use std::future::Future;
use std::sync::Arc;
use std::{error, fmt};

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::account::Account;

/// The body of a request or of a response, as it comes.
pub type Body = UnsyncBoxBody<Bytes, SendError>;

/// Sends requests for an instance.
#[wasmtime_wasi::async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request, which is signed, and returns the answer. It follows no redirect and repeats nothing:
    /// the component does what is to be done.
    ///
    /// # Errors
    /// There is no answer. Whether the request can have arrived must be right: what cannot is sent again
    /// without more ado, what can is counted as possibly doubled.
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, SendError>;
}

/// Why there is no answer. All but the last two: the request cannot have arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// No host of that name is known.
    UnknownHost,
    /// The connection was refused.
    Refused,
    /// Connecting took too long.
    ConnectTimeout,
    /// The other side does not speak TLS, or has no certificate that is trusted.
    Tls,
    /// There is no way to the host.
    Unreachable,
    /// The request is not allowed to leave.
    Denied,
    /// Too much is being sent already: it did not leave, and may be sent later.
    HeldBack,
    /// No answer came in time.
    AnswerTimeout,
    /// Something else, which people can read.
    Broken(String),
}

/// What `wasi:http` asks, handed to a transport.
pub struct Hooks {
    pub transport: Arc<dyn Transport>,
    /// Hears of answers.
    pub account: Arc<Account>,
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _received: Io,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), Error>> + Send> {
        let (transport, account) = (Arc::clone(&self.transport), Arc::clone(&self.account));
        Box::new(async move {
            let broken = |error: Error| SendError::Broken(error.to_string());
            let request = request.map(|body| body.map_err(broken).boxed_unsync());
            let response = transport.send(request).await?;
            account.effect();
            let response = response.map(|body| body.map_err(Error::from).boxed_unsync());
            Ok((response, Box::new(async { Ok(()) }) as Io))
        })
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Error {
        match error {
            SendError::UnknownHost => Error::DnsError { rcode: None, info_code: None },
            SendError::Refused => Error::ConnectionRefused,
            SendError::ConnectTimeout => Error::ConnectionTimeout,
            SendError::Tls => Error::TlsProtocolError,
            SendError::Unreachable => Error::DestinationUnavailable,
            SendError::Denied => Error::HttpRequestDenied,
            SendError::HeldBack => Error::ConnectionLimitReached,
            SendError::AnswerTimeout => Error::HttpResponseTimeout,
            SendError::Broken(text) => Error::InternalError(Some(text)),
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            SendError::UnknownHost => "no host of that name is known",
            SendError::Refused => "the connection was refused",
            SendError::ConnectTimeout => "connecting took too long",
            SendError::Tls => "its TLS certificate is not trusted, or it does not speak TLS",
            SendError::Unreachable => "there is no way to the host",
            SendError::Denied => "the request is not allowed to leave",
            SendError::HeldBack => "too much is being sent already",
            SendError::AnswerTimeout => "no answer came in time",
            SendError::Broken(text) => text,
        })
    }
}

impl error::Error for SendError {}
