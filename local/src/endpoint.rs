//! The endpoint itself: bound to an address, then serving until told to stop.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::config::{Config, Exposure};
use crate::control::{self, Control};
use crate::service::{Dropped, Reply, Service};
use crate::store::{DiskError, Store, StoreError};
use crate::wire::{Cut, Wire};

/// A CloudWatch Logs endpoint that listens; [`serve`](Endpoint::serve) makes it answer.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
}

impl Endpoint {
    /// Opens the store and the port.
    pub async fn bind(config: Config) -> Result<Endpoint, LocalError> {
        if config.exposure == Exposure::LoopbackOnly && !config.listen.ip().is_loopback() {
            return Err(LocalError::NotLoopback(config.listen));
        }
        let store = match &config.data_dir {
            Some(directory) => Store::on_disk(directory, config.sync, config.stored_limit)
                .map_err(|cause| LocalError::Store { directory: directory.clone(), cause })?,
            None => Store::in_memory(config.stored_limit),
        };
        let failed = |cause| LocalError::Listen { address: config.listen, cause };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let service = Arc::new(Service::new(config, store));
        Ok(Endpoint { listener, address, service })
    }

    /// The address it listens on, with the port that a configured port 0 became.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle that outlives [`serve`](Endpoint::serve)'s taking of the endpoint.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.service))
    }

    /// Answers until `shutdown` completes, then ends open connections and settles the store.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), LocalError> {
        let Endpoint { listener, address, service } = self;
        tracing::info!(%address, "listening");
        let mut connections = JoinSet::new();
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut settling = tokio::time::interval(SETTLE);
        settling.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = accept(&listener, &room) => {
                    let (stream, permit) = accepted;
                    let service = Arc::clone(&service);
                    connections.spawn(async move {
                        serve_connection(stream, service).await;
                        drop(permit);
                    });
                }
                Some(_) = connections.join_next() => {}
                _ = settling.tick() => settle(&service, &mut connections),
            }
        }
        connections.shutdown().await;
        let settled = tokio::task::spawn_blocking(move || service.store.settle()).await;
        match settled {
            Ok(Ok(())) => Ok(()),
            Ok(Err(cause)) => Err(LocalError::Settle(cause)),
            Err(panic) => Err(LocalError::Settle(StoreError::Disk(panic.to_string()))),
        }
    }
}

/// Takes the next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                // Out of file descriptors, most likely: the next moment may be better.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, service: Arc<Service>) {
    service.stats.change(|counts| counts.connections += 1);
    // Answers are small and senders wait for them.
    let _ = stream.set_nodelay(true);
    let cut = Cut::new();
    let wire = TokioIo::new(Wire::new(stream, cut.clone()));
    let answer = |request: Request<Incoming>| {
        let (service, cut) = (Arc::clone(&service), cut.clone());
        async move { route(service, request, cut).await }
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        // Senders keep connections for as long as they like.
        .header_read_timeout(None)
        .serve_connection(wire, service_fn(answer))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn route(service: Arc<Service>, request: Request<Incoming>, cut: Cut) -> Result<Reply, Dropped> {
    if control::concerns(&request) {
        control::answer(&service, request).await
    } else {
        service.answer(request, cut).await
    }
}

fn settle(service: &Arc<Service>, tasks: &mut JoinSet<()>) {
    if service.store.is_unsettled() {
        let service = Arc::clone(service);
        tasks.spawn_blocking(move || {
            if let Err(error) = service.store.settle() {
                tracing::error!(?error, "cannot make the store safe; will try again");
            }
        });
    }
}

/// Why there is no endpoint, or no longer one.
#[derive(Debug)]
pub enum LocalError {
    /// The address can be reached from elsewhere, and nobody asked for that.
    NotLoopback(SocketAddr),
    Listen {
        address: SocketAddr,
        cause: io::Error,
    },
    Store {
        directory: PathBuf,
        cause: DiskError,
    },
    /// What arrived last may not have reached the disk.
    Settle(StoreError),
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocalError::NotLoopback(address) => write!(
                f,
                "cannot listen on {address}: it is no loopback address, and this endpoint's keys protect nothing"
            ),
            LocalError::Listen { address, .. } => write!(f, "cannot listen on {address}"),
            LocalError::Store { directory, .. } => {
                write!(f, "cannot use the data directory {}", directory.display())
            }
            LocalError::Settle(error) => write!(f, "cannot write the last events: {error}"),
        }
    }
}

impl std::error::Error for LocalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LocalError::NotLoopback(_) => None,
            LocalError::Listen { cause, .. } => Some(cause),
            LocalError::Store { cause, .. } => Some(cause),
            LocalError::Settle(cause) => Some(cause),
        }
    }
}

/// Connections open at a time; more wait.
const CONNECTIONS: usize = 1024;
/// How often what was stored is made safe.
const SETTLE: Duration = Duration::from_millis(250);
