//! A container's log, read from the files of Docker's `json-file` driver.
//!
//! That costs the daemon nothing, and loses nothing of a log that rotates faster than the Engine API
//! follows it. A file is held open from when it is first seen, so that what is renamed, removed or behind
//! is read to its end all the same.

mod compressed;
mod directory;
mod entry;
mod file;
mod missing;
mod places;
mod resume;
mod rotation;
mod tail;
mod waiting;
mod watch;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::container::Container;
use super::engine::CHUNK;
use super::records::Inspected;
use super::{Backlog, Shared, instant};
use crate::positions::{Keeper, Place, Record};
use crate::streams::{Framing, Hub, LogWriter, Loss, LossCause, Opening, Pause, Positions};
use file::LogFile;
use missing::{Missing, Why};
use resume::{Resumed, resume, resume_in};
use rotation::Rotation;
use tail::{Next, Tail};
use waiting::Waiting;
pub(super) use watch::Watcher;

/// A log about to be read.
pub(super) struct Log {
    resumed: Resumed,
    taken: Positions,
}

impl Log {
    /// Opens a container's log before anything else is known of it: in a moment it may be rotated, or
    /// removed.
    pub fn open_early(shared: &Shared, id: &str, record: Option<&Record>) -> io::Result<Log> {
        Log::open(&expected_path(shared, id), record)
    }

    /// Opens a container's log where its record says; that of an unknown one at its beginning.
    pub fn open_found(shared: &Shared, found: &Inspected, record: Option<&Record>) -> io::Result<Log> {
        match &shared.config.docker_root {
            Some(_) => Log::open(&expected_path(shared, &found.id), record),
            None => Log::open(Path::new(&found.log_path), record),
        }
    }

    fn open(path: &Path, record: Option<&Record>) -> io::Result<Log> {
        let record = record.cloned().unwrap_or_default();
        Ok(Log { resumed: resume(path, &record)?, taken: record.positions() })
    }

    /// A log of which nothing is left but open files, where its record says.
    pub fn of_held(held: Held, record: Option<&Record>) -> io::Result<Log> {
        let record = record.cloned().unwrap_or_default();
        Ok(Log { resumed: resume_in(&held.path, held.files, &record)?, taken: record.positions() })
    }

    /// Waits for something, and lets no file of the log pass by meanwhile.
    pub async fn hold<T>(&mut self, shared: &Shared, wait: impl Future<Output = T>) -> T {
        Waiting::closely(watcher(shared)).meanwhile(&mut self.resumed.tail, wait).await
    }

    /// Passes over what there is, but for as much as is wanted of it, and says where it goes on.
    pub fn skip_backlog(&mut self, backlog: Backlog) -> io::Result<Option<Place>> {
        match backlog {
            Backlog::Beginning => return Ok(None),
            Backlog::Now => self.resumed.tail.skip_all()?,
            Backlog::Last(entries) => self.resumed.tail.keep_last(entries)?,
        }
        Ok(self.resumed.tail.place())
    }
}

/// The files of a log that was being read, still open: of a container that is gone there is no other way to them.
pub(super) struct Held {
    pub found: Inspected,
    path: PathBuf,
    files: Vec<LogFile>,
}

/// Waits until a container has a log file, some time, unless there is news first: whether it has one.
pub(super) async fn until_there(shared: &Shared, id: &str, news: &Notify) -> bool {
    waiting::until_there(&watcher(shared), &expected_path(shared, id), news).await
}

fn watcher(shared: &Shared) -> Arc<Watcher> {
    let new = || Arc::new(Watcher::new(&data_root(shared).join("containers")));
    Arc::clone(shared.watcher.get_or_init(new))
}

/// Where Docker's data root is, as seen from here.
fn data_root(shared: &Shared) -> &Path {
    shared.config.docker_root.as_deref().unwrap_or(Path::new(&shared.data_root))
}

/// Where a container's log file is, as far as that is known before the container is.
fn expected_path(shared: &Shared, id: &str) -> PathBuf {
    data_root(shared).join("containers").join(id).join(format!("{id}-json.log"))
}

/// Reads a container's log until the container is gone and the component wants nothing of it any more.
pub(super) async fn follow(container: &Container, hub: &Hub, found: Inspected, log: Log) {
    let (reader, keeper) = Reader::begin(container, hub, &found, log);
    let mut holding = Holding { reader, container, found: &found };
    let reader = &mut holding.reader;
    // A container that is over when it is first seen gives no further sign.
    let mut news = !found.is_running() && found.has_run();
    loop {
        let read = reader.tail.offset();
        if reader.read().await.is_none() {
            return;
        }
        if news {
            let now = reader.hold(container.inspect()).await;
            // What was written until then can be read by now.
            if reader.read().await.is_none() {
                return;
            }
            match now {
                None => return reader.writer.finish().await,
                Some(now) if now.is_running() => {}
                Some(now) => {
                    let Some(taken) = reader.pause(Pause::Stopped).await else { return };
                    keeper.read_whole(taken, &now.state.finished_at);
                    if reader.hold(container.next_run(&now.state.started_at)).await.is_none() {
                        return reader.writer.finish().await;
                    }
                }
            }
        }
        let moved = reader.tail.offset() > read;
        news = reader.waiting.for_more(&reader.tail, &container.news, moved).await;
    }
}

/// Reads what a container has logged so far.
pub(super) async fn read_once(
    container: &Container,
    hub: &Hub,
    found: &Inspected,
    mut log: Log,
) -> io::Result<()> {
    log.resumed.tail.end_here()?;
    let (mut reader, _keeper) = Reader::begin(container, hub, found, log);
    if reader.read().await.is_some() {
        reader.writer.end();
    }
    Ok(())
}

/// Leaves a log's files with its container when it is read no longer.
struct Holding<'a> {
    reader: Reader,
    container: &'a Container,
    found: &'a Inspected,
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        let (path, files) = self.reader.tail.take();
        self.container.hold(Held { found: self.found.clone(), path, files });
    }
}

/// Moves a log on to the component.
struct Reader {
    writer: LogWriter,
    tail: Tail,
    waiting: Waiting,
    name: String,
    said: Option<tokio::time::Instant>,
}

impl Reader {
    fn begin(
        container: &Container,
        hub: &Hub,
        found: &Inspected,
        log: Log,
    ) -> (Reader, Arc<Keeper<places::Places>>) {
        let Log { resumed: Resumed { mut tail, missing }, taken } = log;
        let rotation = Rotation::of(&found.host_config.log_config.config);
        tail.rotates(rotation);
        let shared = &container.shared;
        let keeper =
            Arc::new(Keeper::new(shared.store.clone(), &container.id, tail.places().clone(), instant::now));
        let opening = Opening {
            framing: Framing::JsonFile,
            start: tail.offset(),
            taken,
            lost: missing.map(loss),
            terminal: found.config.tty,
            container: found.container(&shared.daemon_name),
        };
        let writer = hub.open(opening, keeper.clone());
        let name = found.name().to_owned();
        let waiting = Waiting::of(watcher(shared), rotation);
        let reader = Reader { writer, tail, waiting, name, said: None };
        if let Some(missing) = missing {
            reader.say_missing(missing);
        }
        (reader, keeper)
    }

    /// Moves on what there is. `None`: the component has let go of the log.
    async fn read(&mut self) -> Option<()> {
        loop {
            let room = self.waiting.meanwhile(&mut self.tail, self.writer.room()).await;
            if self.writer.is_released() {
                return None;
            }
            match self.tail.look().and_then(|()| self.tail.next(room.min(CHUNK))) {
                Ok(Next::Bytes(bytes)) => {
                    self.writer.write(bytes);
                    // A log without end must not keep the thread from everybody else.
                    tokio::task::yield_now().await;
                }
                Ok(Next::End) => return Some(()),
                Ok(Next::Gap(missing)) => {
                    self.lose(missing).await?;
                }
                Err(error) => {
                    if self.said.is_none_or(|said| said.elapsed() > SAY_EVERY) {
                        self.said = Some(tokio::time::Instant::now());
                        tracing::error!(
                            "the log file of container {} cannot be read, trying again: {error}",
                            self.name
                        );
                    }
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// Waits for something, and lets no file of the log pass by meanwhile.
    async fn hold<T>(&mut self, wait: impl Future<Output = T>) -> T {
        self.waiting.meanwhile(&mut self.tail, wait).await
    }

    /// Says that part of the log is gone, and goes on behind it.
    async fn lose(&mut self, missing: Missing) -> Option<Positions> {
        self.say_missing(missing);
        self.pause(Pause::Lost(loss(missing))).await
    }

    /// Says that what was begun will not go on, and goes on behind it.
    async fn pause(&mut self, pause: Pause) -> Option<Positions> {
        let pause = self.writer.pause(pause);
        let taken = self.waiting.meanwhile(&mut self.tail, pause).await?;
        // The component counts on from what it has taken. What was read beyond that was half an entry,
        // of which the rest never came.
        if taken != Positions::default() {
            self.tail.go_on_at(taken.offset());
        }
        Some(taken)
    }

    fn say_missing(&self, missing: Missing) {
        tracing::warn!("{}", missing.text(&self.name));
    }
}

/// A gap as the component hears of it.
fn loss(missing: Missing) -> Loss {
    let cause = match missing.why {
        Why::Removed | Why::Unseen => LossCause::Rotated,
        Why::Truncated => LossCause::Truncated,
        Why::CutOff => LossCause::Compressed,
    };
    Loss { cause, bytes: missing.bytes, before: missing.before }
}

const SAY_EVERY: Duration = Duration::from_secs(60);
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
