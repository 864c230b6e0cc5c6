//! Reads what all containers have logged so far.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::api::{pass_on, say_unreadable};
use super::backoff::Backoff;
use super::container::{Container, Way};
use super::engine::{EngineError, Extent};
use super::records::Inspected;
use super::{Shared, files};
use crate::streams::Pause;

/// Reads every container's log to where it stands, and tells the component to finish.
pub(super) async fn run(shared: Arc<Shared>) -> Result<(), EngineError> {
    let containers = shared.engine.containers().await?;
    shared.config.sight.gain();
    let room = Arc::new(Semaphore::new(AT_A_TIME));
    let mut running = JoinSet::new();
    for listed in containers.into_iter().filter(|listed| !listed.is_new()) {
        let container = Container::new(Arc::clone(&shared), listed.id, Arc::new(Notify::new()));
        let room = Arc::clone(&room);
        running.spawn(async move {
            // The semaphore is never closed.
            let _permit = room.acquire().await.ok();
            read(&container).await
        });
    }
    let mut result = Ok(());
    while let Some(ended) = running.join_next().await {
        let ended = ended.unwrap_or_else(|panic| {
            Err(EngineError::Other {
                doing: "reading a container's log".to_owned(),
                problem: panic.to_string(),
            })
        });
        result = result.and(ended);
    }
    shared.assign.finish();
    result
}

async fn read(container: &Container) -> Result<(), EngineError> {
    let shared = &container.shared;
    let found = match shared.engine.inspect(&container.id).await {
        Ok(found) => found,
        Err(EngineError::Gone(_)) => return Ok(()),
        Err(problem) => return Err(problem),
    };
    if shared.leaves_out(&found).is_some() {
        return Ok(());
    }
    let Some(seat) = shared.assign.assign(&found.candidate()).await else { return Ok(()) };
    let record = shared.store.record(&container.id);
    match shared.choose(&found, record.as_ref(), None) {
        Way::Files(log) => {
            return files::read_once(container, &seat.hub, &found, *log).await.map_err(|error| {
                EngineError::Other {
                    doing: format!("reading the log file of container {}", found.name()),
                    problem: error.to_string(),
                }
            });
        }
        Way::Api => {}
        Way::None => return Ok(()),
    }
    let taken = record.unwrap_or_default().positions();
    let body = match shared.engine.logs(&container.id, Extent::Stored, taken.time()).await {
        Ok(body) => body,
        Err(EngineError::Unreadable(_)) => {
            say_unreadable(&found);
            return Ok(());
        }
        Err(EngineError::Gone(_) | EngineError::Conflict(_)) => return gone(&found),
        Err(problem) => return Err(problem),
    };
    let keeper = shared.keeper(&container.id);
    let writer = seat.hub.open(shared.opening(&found, taken), keeper);
    let mut outcome = pass_on(&shared.engine, body, &writer).await;
    let mut backoff = Backoff::default();
    for _ in 0..ATTEMPTS {
        if outcome.is_ok() {
            break;
        }
        let Some(taken) = writer.pause(Pause::Interrupted).await else { return Ok(()) };
        tokio::time::sleep(backoff.next()).await;
        outcome = match shared.engine.logs(&container.id, Extent::Stored, taken.time()).await {
            Ok(body) => pass_on(&shared.engine, body, &writer).await,
            Err(EngineError::Gone(_) | EngineError::Conflict(_)) => return gone(&found),
            Err(problem) => Err(problem),
        };
    }
    writer.end();
    outcome
}

fn gone(found: &Inspected) -> Result<(), EngineError> {
    tracing::warn!(container = found.name(), "removed before its log could be read");
    Ok(())
}

/// Logs that are read at a time: each costs the daemon a processor's time.
const AT_A_TIME: usize = 4;
/// Attempts to go on with a log after its connection broke: some 30 s.
const ATTEMPTS: usize = 10;
