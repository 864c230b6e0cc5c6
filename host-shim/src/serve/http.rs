//! Connections that bring requests.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use super::door::Place;
use super::{Intake, Tls, route};

/// Takes connections until the door closes.
pub async fn run(listener: TcpListener, tls: Option<Tls>, intake: Arc<Intake>) {
    while let Some((stream, peer, place)) = accept(&listener, &intake).await {
        let (tls, intake) = (tls.clone(), Arc::clone(&intake));
        tokio::spawn(async move {
            match tls {
                None => serve(stream, peer.ip(), intake).await,
                Some(tls) => match tokio::time::timeout(HEAD_WITHIN, tls.accept(stream)).await {
                    Ok(Ok(stream)) => serve(stream, peer.ip(), intake).await,
                    Ok(Err(error)) => tracing::debug!("{peer}: no TLS: {error}"),
                    Err(_) => tracing::debug!("{peer}: no TLS in time"),
                },
            }
            drop(place);
        });
    }
}

/// Takes the next connection, once there is room for it; `None` once the door is closed.
pub async fn accept(listener: &TcpListener, intake: &Intake) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = intake.door.enter().await?;
    loop {
        let accepted = tokio::select! {
            biased;
            () = intake.door.closed() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                intake.counts.connection();
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

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, peer: IpAddr, intake: Arc<Intake>) {
    let door = intake.door.clone();
    let answer = |request: Request<Incoming>| route::answer(Arc::clone(&intake), peer, request);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = door.closed() => {
            // What it is about is finished; nothing more is read from it.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!("{peer}: a connection ended: {error}");
    }
}

/// How long a sender may take for the head of a request, and keep a connection without one.
const HEAD_WITHIN: Duration = Duration::from_secs(120);
const A_MOMENT: Duration = Duration::from_millis(50);
