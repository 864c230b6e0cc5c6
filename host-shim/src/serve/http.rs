//! Connections that bring requests.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use super::{Intake, Tls, route};
use crate::listening;

/// Takes connections until the door closes.
pub async fn run(listener: TcpListener, tls: Option<Tls>, intake: Arc<Intake>) {
    while let Some((stream, peer, place)) = intake.accept(&listener).await {
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

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, peer: IpAddr, intake: Arc<Intake>) {
    let answer = |request: Request<Incoming>| route::answer(Arc::clone(&intake), peer, request);
    if let Err(error) = listening::answer(stream, &intake.door, HEAD_WITHIN, answer).await {
        tracing::debug!("{peer}: a connection ended: {error}");
    }
}

/// How long a sender may take for the head of a request, and keep a connection without one.
const HEAD_WITHIN: Duration = Duration::from_secs(120);
