//! Follows one container, from where its log was left to the container's removal.

use std::sync::Arc;

use tokio::sync::Notify;

use super::backoff::Backoff;
use super::engine::EngineError;
use super::own::LeftOut;
use super::records::Inspected;
use super::{Backlog, Shared, api, instant};
use crate::positions::{Keeper, Record};
use crate::streams::{Framing, Opening, Positions};

/// How the supervisor came across a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// It started before our eyes.
    Started,
    /// It was running when the containers were listed.
    Found,
    /// It was not. What it logged is wanted if its end, `unseen_since` then, has not been seen.
    Ended { unseen_since: Option<u64> },
}

/// Follows a container until it is gone, or there is a reason not to.
pub(super) async fn follow(shared: Arc<Shared>, id: String, begin: Begin, news: Arc<Notify>) {
    let container = Container { shared, id, news };
    let record = container.shared.store.record(&container.id);
    let taken = record.as_ref().map(Record::positions).unwrap_or_default();
    // A container can be over and removed within milliseconds of its start: its log is opened while it is
    // inspected.
    let (found, opened) = match begin {
        Begin::Started => {
            tokio::join!(container.inspect(), async { Some(api::open_once(&container, taken.time()).await) })
        }
        Begin::Found | Begin::Ended { .. } => (container.inspect().await, None),
    };
    let Some(found) = found else { return };
    if let Some(why) = container.shared.own.leaves_out(&found) {
        let why = match why {
            LeftOut::Own => "it is cloudspout's own",
            LeftOut::Asked => "its environment or a label asks for it",
        };
        return tracing::debug!(container = found.name(), "left out: {why}");
    }
    if begin.wants(&found, record.as_ref()) {
        let from = if record.is_none() && begin == Begin::Found { container.shared.backlog() } else { 0 };
        api::follow(&container, found, opened, taken, from).await;
    }
}

impl Begin {
    fn wants(self, found: &Inspected, record: Option<&Record>) -> bool {
        let Begin::Ended { unseen_since } = self else { return true };
        match record {
            Some(record) => record.done.as_ref() != Some(&found.state.finished_at),
            None => {
                unseen_since.is_some_and(|since| found.finished().is_some_and(|finished| finished >= since))
            }
        }
    }
}

impl Shared {
    /// From when on an unknown container's log is wanted.
    fn backlog(&self) -> u64 {
        match self.config.backlog {
            Backlog::Beginning => 0,
            Backlog::Now => self.begun,
        }
    }

    pub(super) fn keeper(&self, id: &str) -> Arc<Keeper> {
        Arc::new(Keeper::new(self.store.clone(), id, instant::now))
    }

    pub(super) fn opening(&self, found: &Inspected, taken: Positions) -> Opening {
        let terminal = found.config.tty;
        Opening {
            framing: if terminal { Framing::LinesWithTimes } else { Framing::FramesWithTimes },
            start: taken.offset(),
            taken,
            terminal,
            container: found.container(&self.daemon_name),
        }
    }
}

/// A container that is followed.
pub(super) struct Container {
    pub shared: Arc<Shared>,
    pub id: String,
    /// Told when something became of the container.
    pub news: Arc<Notify>,
}

impl Container {
    /// How it stands with the container; `None` when it is gone. Waits for a daemon that is away.
    pub async fn inspect(&self) -> Option<Inspected> {
        let mut backoff = Backoff::default();
        loop {
            match self.shared.engine.inspect(&self.id).await {
                Ok(found) => return Some(found),
                Err(EngineError::Gone(_)) => return None,
                Err(problem) => {
                    tracing::debug!(container = self.id, "{problem}");
                    self.wait(&mut backoff).await;
                }
            }
        }
    }

    /// Waits for the daemon to be there again, but not for long.
    pub async fn wait(&self, backoff: &mut Backoff) {
        let mut connected = self.shared.connected.subscribe();
        // Its sender lives as long as this.
        let _ = tokio::time::timeout(backoff.next(), connected.changed()).await;
    }

    /// Waits until there is a run that is not `run`; `None` when the container is gone.
    pub async fn next_run(&self, run: &str) -> Option<Inspected> {
        loop {
            let found = self.inspect().await?;
            if found.state.started_at != run {
                return Some(found);
            }
            self.news.notified().await;
        }
    }

    /// Waits until the container is gone.
    pub async fn gone(&self) {
        while self.inspect().await.is_some() {
            self.news.notified().await;
        }
    }
}
