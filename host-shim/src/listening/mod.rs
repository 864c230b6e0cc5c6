//! Connections that others open, and the requests that they bring.

mod door;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

pub use door::{Door, Place};

/// An address that cannot be listened on.
#[derive(Debug)]
pub struct ListenError {
    address: SocketAddr,
    cause: io::Error,
}

/// Opens a port.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|cause| ListenError { address, cause })
}

/// Takes the next connection, once there is room for it; `None` once the door is closed.
pub async fn accept(listener: &TcpListener, door: &Door) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = door.enter().await?;
    loop {
        let accepted = tokio::select! {
            biased;
            () = door.closed() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Answers are small and senders wait for them.
                let _ = stream.set_nodelay(true);
                return Some((stream, peer, place));
            }
            Err(error) => {
                // Out of file descriptors, most likely: the next moment may be better.
                tracing::warn!("a connection cannot be accepted: {error}");
                tokio::time::sleep(A_MOMENT).await;
            }
        }
    }
}

/// Answers the requests of a connection, until it ends or the door closes. `head_within`: how long somebody may
/// take for the head of a request, and keep the connection without one.
pub async fn answer<F, E>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    door: &Door,
    head_within: Duration,
    answer: impl Fn(Request<Incoming>) -> F,
) -> hyper::Result<()>
where
    F: Future<Output = Result<Response<Full<Bytes>>, E>>,
    E: std::error::Error + Send + Sync + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_within)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        served = connection.as_mut() => served,
        () = door.closed() => {
            // What it is about is finished; nothing more is read from it.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

const A_MOMENT: Duration = Duration::from_millis(50);

impl fmt::Display for ListenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "cannot listen on {}: {}", self.address, self.cause)
    }
}

impl std::error::Error for ListenError {}
