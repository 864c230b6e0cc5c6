//! A container's log, read through the Engine API.

use std::time::Duration;

use tokio::time::Instant;

use super::Backlog;
use super::backoff::Backoff;
use super::body::Body;
use super::container::Container;
use super::engine::{CHUNK, Engine, EngineError, Extent};
use super::records::Inspected;
use crate::streams::{Hub, LogWriter, Pause, Positions};

/// Reads a container's log until the container is gone. `opened`: what came of opening it before;
/// `backlog`: how much is wanted of what it logged before.
pub(super) async fn follow(
    container: &Container,
    hub: &Hub,
    found: Inspected,
    opened: Option<Result<Body, EngineError>>,
    taken: Positions,
    backlog: Backlog,
) {
    let shared = &container.shared;
    let (from, last) = match backlog {
        Backlog::Beginning => (0, None),
        Backlog::Now | Backlog::Last(0) => (shared.begun, None),
        Backlog::Last(messages) => (0, Some(messages)),
    };
    let mut since = taken.time().max(from);
    // No log stream is opened for a log that cannot be read.
    let mut body = match open(container, opened, since, last).await {
        Opened::Log(body) => body,
        Opened::Gone => {
            return tracing::warn!(container = found.name(), "removed before its log could be read");
        }
        Opened::Unreadable => {
            say_unreadable(&found);
            return container.gone().await;
        }
    };
    let keeper = shared.keeper(&container.id);
    let writer = hub.open(shared.opening(&found, taken), keeper.clone());
    let mut run = found.state.started_at;
    let mut backoff = Backoff::default();
    let mut read_to_end = false;
    loop {
        let began = Instant::now();
        let broken = pass_on(&shared.engine, body, &writer).await.err();
        if let Some(problem) = &broken {
            tracing::debug!(container = container.id, "{problem}");
        }
        let Some(now) = container.inspect().await else {
            if broken.is_some() {
                tracing::warn!(container = container.id, "removed before its log could be read to the end");
            }
            return writer.finish().await;
        };
        let same_run = now.state.started_at == run;
        let stopped = broken.is_none() && !(same_run && now.is_running());
        if stopped && !read_to_end {
            match read_end(container, &writer, from).await {
                End::Read => {}
                End::Long(long) => {
                    body = long;
                    read_to_end = true;
                    continue;
                }
                End::Gone => return writer.finish().await,
            }
        }
        read_to_end = false;
        let pause = if stopped { Pause::Stopped } else { Pause::Interrupted };
        let Some(taken) = writer.pause(pause).await else { return };
        since = taken.time().max(from);
        if !stopped {
            if began.elapsed() > STEADY {
                backoff.reset();
            }
            container.wait(&mut backoff).await;
        } else if same_run {
            keeper.read_whole(taken, &now.state.finished_at);
            let Some(next) = container.next_run(&run).await else { return writer.finish().await };
            run = next.state.started_at;
        } else {
            run = now.state.started_at;
        }
        body = match open(container, None, since, last).await {
            Opened::Log(body) => body,
            Opened::Gone | Opened::Unreadable => return writer.finish().await,
        };
    }
}

/// What came of reading the end of a log.
enum End {
    Read,
    /// There is more of it than a few messages.
    Long(Body),
    Gone,
}

/// Reads the end of a log whose container has stopped: the daemon may end a follow before it has sent the
/// last messages (Engine 20.10 does, under load, mostly with a last line that has no end).
async fn read_end(container: &Container, writer: &LogWriter, from: u64) -> End {
    let Some(taken) = writer.pause(Pause::Interrupted).await else { return End::Gone };
    let since = taken.time().max(from);
    let engine = &container.shared.engine;
    let long = match engine.last_logs(&container.id, since).await {
        Ok(Some(bytes)) => {
            writer.room().await;
            writer.write(bytes);
            return End::Read;
        }
        Ok(None) => engine.logs(&container.id, Extent::Stored, since).await,
        Err(problem) => Err(problem),
    };
    match long {
        Ok(body) => End::Long(body),
        Err(EngineError::Gone(_)) => End::Gone,
        Err(problem) => {
            tracing::warn!(
                "the end of the log of container {} could not be read again, in case that the daemon left \
                 something out: {problem}",
                container.id
            );
            End::Read
        }
    }
}

/// What came of opening a log.
enum Opened {
    Log(Body),
    Gone,
    Unreadable,
}

/// Opens the log from `since` on, inclusive; from 0 on, all of it.
pub(super) async fn open_once(container: &Container, since: u64) -> Result<Body, EngineError> {
    container.shared.engine.logs(&container.id, Extent::Follow, since).await
}

/// Opens the log, however long it takes until the daemon is there.
/// `last`: of a log of which nothing is known, no more than so many messages.
async fn open(
    container: &Container,
    mut opened: Option<Result<Body, EngineError>>,
    since: u64,
    last: Option<u64>,
) -> Opened {
    let mut backoff = Backoff::default();
    loop {
        let attempt = match opened.take() {
            Some(attempt) => attempt,
            None => match last.filter(|_| since == 0) {
                Some(messages) => container.shared.engine.follow_last(&container.id, messages).await,
                None => open_once(container, since).await,
            },
        };
        match attempt {
            Ok(body) => return Opened::Log(body),
            Err(EngineError::Gone(_)) => return Opened::Gone,
            Err(EngineError::Unreadable(_)) => return Opened::Unreadable,
            // It is being removed, or that failed half way: then nothing changes for a long time.
            Err(EngineError::Conflict(_)) => container.news.notified().await,
            Err(problem) => {
                tracing::debug!(container = container.id, "{problem}");
                container.wait(&mut backoff).await;
            }
        }
        if container.inspect().await.is_none() {
            return Opened::Gone;
        }
    }
}

/// Moves everything on that comes. An error: there may be more.
pub(super) async fn pass_on(engine: &Engine, mut body: Body, writer: &LogWriter) -> Result<(), EngineError> {
    while let Some(bytes) = body.next(writer.room().await.min(CHUNK)).await {
        let bytes = bytes.map_err(|error| engine.broken(&error))?;
        let few = bytes.len() < FEW;
        if writer.is_released() {
            return Ok(());
        }
        writer.write(bytes);
        if few {
            tokio::time::sleep(A_WHILE).await;
        }
    }
    Ok(())
}

pub(super) fn say_unreadable(found: &Inspected) {
    tracing::warn!(
        "the log of container {} cannot be read: Docker keeps none with the log driver {:?}; run it with \
         --log-driver json-file or local for it to be shipped",
        found.name(),
        found.host_config.log_config.driver
    );
}

/// The daemon sends a busy log line by line: after so few bytes the next look waits a moment for more.
const FEW: usize = 4 << 10;
const A_WHILE: Duration = Duration::from_millis(1);
/// A connection that held for so long did not break for the reason of the one before.
const STEADY: Duration = Duration::from_secs(10);
