//! Follows one container, from where its log was left to the container's removal.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::backoff::Backoff;
use super::body::Body;
use super::engine::EngineError;
use super::records::Inspected;
use super::{Backlog, Shared, Source, api, files, instant};
use crate::positions::{Keeper, Record};
use crate::streams::{Framing, Opening, Positions};

/// How the supervisor came across a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// It was made before our eyes, and has not started yet.
    Created,
    /// It started before our eyes.
    Started,
    /// It was running when the containers were listed.
    Found,
    /// It was not. What it logged is wanted if its end, `unseen_since` then, has not been seen.
    Ended { unseen_since: Option<u64> },
    /// It has been followed before.
    Again,
}

/// Follows a container until it is gone, or there is a reason not to. Whenever its hub is closed it is assigned
/// anew, and read again from what has been accepted.
pub(super) async fn follow(shared: Arc<Shared>, id: String, begin: Begin, news: Arc<Notify>) {
    let container = Container::new(shared, id, news);
    let mut begin = begin;
    while container.follow(begin).await == Left::Closed {
        tracing::debug!(container = container.id, "assigned anew");
        begin = Begin::Again;
    }
}

/// Why a container is followed no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// It is gone, or left out.
    Over,
    /// Nobody reads any more where its log went.
    Closed,
}

impl Container {
    async fn follow(&self, begin: Begin) -> Left {
        let shared = &self.shared;
        let record = shared.store.record(&self.id);
        if begin == Begin::Created && !self.awaits_file().await {
            return Left::Over;
        }
        let (found, mut early) = match begin {
            Begin::Created | Begin::Started => self.inspect_and_open(record.as_ref()).await,
            Begin::Found | Begin::Ended { .. } => (self.inspect().await, Early::Nothing),
            Begin::Again => self.inspect_or_held(record.as_ref()).await,
        };
        let Some(found) = found else {
            if begin == Begin::Again {
                tracing::warn!(
                    container = self.id,
                    "removed before its log was delivered: what had not been is gone with it"
                );
            }
            return Left::Over;
        };
        if let Some(why) = shared.leaves_out(&found) {
            tracing::debug!(container = found.name(), "left out: {why}");
            return Left::Over;
        }
        if !begin.wants(&found, record.as_ref()) {
            return Left::Over;
        }
        let backlog = match (&record, begin, self.skipped.get()) {
            (None, Begin::Found, None) => shared.config.backlog,
            // Where that was can be told by time, if at all: rather more is sent than less.
            (None, _, Some(None)) if shared.config.backlog == Backlog::Now => Backlog::Now,
            _ => Backlog::Beginning,
        };
        let candidate = found.candidate();
        let mut assigned = shared.assign.assign(&candidate);
        let seat = tokio::select! {
            biased;
            seat = &mut assigned => seat,
            () = std::future::ready(()) => {
                // It may take for ever: what was opened in haste is not held until then.
                early = Early::Nothing;
                tokio::select! {
                    seat = assigned => seat,
                    () = self.gone() => None,
                }
            }
        };
        let Some(seat) = seat else { return Left::Over };
        let hub = &seat.hub;
        let (early_log, early_api) = match early {
            Early::Nothing => (None, None),
            Early::File(log) => (Some(log), None),
            Early::Api(attempt) => (None, Some(*attempt)),
        };
        let taken = record.as_ref().map(Record::positions).unwrap_or_default();
        let known = record.as_ref().or_else(|| self.skipped.get().and_then(Option::as_ref));
        let read = async {
            match shared.choose(&found, known, early_log) {
                Way::Files(mut log) => {
                    if backlog != Backlog::Beginning {
                        self.skip_backlog(&found, &mut log, backlog);
                    }
                    files::follow(self, hub, found.clone(), *log).await;
                }
                Way::Api => {
                    if backlog != Backlog::Beginning {
                        let _ = self.skipped.set(None);
                    }
                    api::follow(self, hub, found.clone(), early_api, taken, backlog).await;
                }
                Way::None => self.gone().await,
            }
        };
        tokio::select! {
            biased;
            () = hub.closed() => return Left::Closed,
            () = read => {}
        }
        if hub.is_abandoned() {
            hub.closed().await;
            return Left::Closed;
        }
        drop(self.take_held());
        // It is gone, or the component has let go of it; which it does as well when it ends, a moment before its
        // hub is closed.
        tokio::select! {
            biased;
            () = hub.closed() => Left::Closed,
            () = self.gone() => Left::Over,
        }
    }

    /// Begins where the log ends, and remembers where that is.
    fn skip_backlog(&self, found: &Inspected, log: &mut files::Log, backlog: Backlog) {
        match log.skip_backlog(backlog) {
            Ok(place) => {
                let begun = Record { stdout: place, stderr: place, ..Record::default() };
                let _ = self.skipped.set(Some(begun));
            }
            Err(error) => {
                tracing::warn!("the log of container {} is read from its beginning: {error}", found.name())
            }
        }
    }
}

/// How a container's log is read.
pub(super) enum Way {
    Files(Box<files::Log>),
    Api,
    /// Not at all, for a reason that has been given.
    None,
}

impl Shared {
    /// Chooses how a container's log is read, as the operator wishes and as it can be.
    pub(super) fn choose(
        &self,
        found: &Inspected,
        record: Option<&Record>,
        early: Option<Box<files::Log>>,
    ) -> Way {
        let only_files = match self.config.source {
            Source::Api => return Way::Api,
            Source::Files => true,
            Source::Auto => false,
        };
        let name = found.name();
        let driver = &found.host_config.log_config.driver;
        if driver != JSON_FILE {
            if only_files {
                tracing::warn!(
                    "the log of container {name} is not read: only files are (--source files), and its log \
                     driver {driver:?} has none; use --source auto"
                );
                return Way::None;
            }
            return Way::Api;
        }
        // What was read through the Engine API is not known by its place in a file.
        if !only_files && record.is_some_and(|record| record.is_without_files()) {
            return Way::Api;
        }
        if let Some(log) = early {
            return Way::Files(log);
        }
        match files::Log::open_found(self, found, record) {
            Ok(log) => Way::Files(Box::new(log)),
            Err(error) if only_files => {
                tracing::warn!(
                    "the log of container {name} is not read: {}: {error}; run as root, and say where Docker's \
                     data root is seen (--docker-root)",
                    found.log_path
                );
                Way::None
            }
            Err(error) => {
                if !self.said_unreadable.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "Docker's log files cannot be read ({}: {error}), so logs are read through the Engine \
                         API: it loses lines of logs that rotate fast; run as root, and say where Docker's data \
                         root is seen (--docker-root)",
                        found.log_path
                    );
                }
                Way::Api
            }
        }
    }
}

/// What was opened before anything was known of a container.
enum Early {
    Nothing,
    File(Box<files::Log>),
    Api(Box<Result<Body, EngineError>>),
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
    pub(super) fn keeper(&self, id: &str) -> Arc<Keeper<()>> {
        Arc::new(Keeper::new(self.store.clone(), id, (), instant::now))
    }

    pub(super) fn opening(&self, found: &Inspected, taken: Positions) -> Opening {
        let terminal = found.config.tty;
        Opening {
            framing: if terminal { Framing::LinesWithTimes } else { Framing::FramesWithTimes },
            start: taken.offset(),
            taken,
            lost: None,
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
    /// Where its log was begun, if not at its beginning (`--backlog now`); without a place, by time.
    skipped: OnceLock<Option<Record>>,
    /// What was being read when its hub was closed.
    held: Mutex<Option<files::Held>>,
}

impl Container {
    pub fn new(shared: Arc<Shared>, id: String, news: Arc<Notify>) -> Container {
        Container { shared, id, news, skipped: OnceLock::new(), held: Mutex::new(None) }
    }

    /// Waits for the log file of a container that has not started yet: one that writes fast has rotated its
    /// first file away before anybody hears of its start. Whether there is something to follow now.
    async fn awaits_file(&self) -> bool {
        if self.shared.config.source == Source::Api {
            return false;
        }
        let Some(found) = self.inspect().await else { return false };
        if found.host_config.log_config.driver != JSON_FILE || self.shared.leaves_out(&found).is_some() {
            return false;
        }
        // If there is none in the end, what is to be heard of it next decides: its start or its end.
        files::until_there(&self.shared, &self.id, &self.news).await
    }

    /// Opens the log of a container that has just started while it is inspected: it can be over and removed
    /// within milliseconds.
    async fn inspect_and_open(&self, record: Option<&Record>) -> (Option<Inspected>, Early) {
        let Shared { config, .. } = &*self.shared;
        if config.source != Source::Api
            && let Ok(mut log) = files::Log::open_early(&self.shared, &self.id, record)
        {
            let found = log.hold(&self.shared, self.inspect()).await;
            return (found, Early::File(Box::new(log)));
        }
        if config.source == Source::Files {
            return (self.inspect().await, Early::Nothing);
        }
        let since = record.map(Record::positions).unwrap_or_default().time();
        let (found, attempt) = tokio::join!(self.inspect(), api::open_once(self, since));
        (found, Early::Api(Box::new(attempt)))
    }

    /// How it stands with a container that was being read; if it is gone, how it stood, and the log that was held.
    async fn inspect_or_held(&self, record: Option<&Record>) -> (Option<Inspected>, Early) {
        let (held, found) = (self.take_held(), self.inspect().await);
        let (None, Some(held)) = (&found, held) else { return (found, Early::Nothing) };
        let found = held.found.clone();
        match files::Log::of_held(held, record) {
            Ok(log) => {
                // It gives no further sign.
                self.news.notify_one();
                (Some(found), Early::File(Box::new(log)))
            }
            Err(error) => {
                tracing::warn!("the log of container {} cannot be read again: {error}", found.name());
                (None, Early::Nothing)
            }
        }
    }

    fn take_held(&self) -> Option<files::Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps the files of a log that is read no longer.
    pub fn hold(&self, held: files::Held) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

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

const JSON_FILE: &str = "json-file";
