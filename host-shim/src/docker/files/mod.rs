//! A container's log, read from the files of Docker's `json-file` driver.
//!
//! That costs the daemon nothing, and loses nothing of a log that rotates faster than the Engine API
//! follows it. A file is held open from when it is first seen, so that what is renamed, removed or behind
//! is read to its end all the same.

mod directory;
mod entry;
mod places;
mod resume;
mod rotation;
mod tail;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::container::Container;
use super::engine::CHUNK;
use super::records::Inspected;
use super::{Shared, instant};
use crate::positions::{Keeper, Record};
use crate::streams::{Framing, LogWriter, Opening, Pause, Positions};
use resume::{Resumed, resume};
pub(super) use rotation::SHORTEST;
use tail::{Missing, Next, Rotation, Tail};

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

    /// Waits for something, and lets no file of the log pass by meanwhile.
    pub async fn hold<T>(&mut self, wait: impl Future<Output = T>) -> T {
        while_looking(&mut self.resumed.tail, SHORTEST, wait).await
    }

    /// Passes over what there is.
    pub fn skip_backlog(&mut self) -> io::Result<()> {
        let left = self.resumed.tail.left()?;
        self.resumed.tail.skip(left)
    }
}

/// Whether a container has a log file.
pub(super) fn is_there(shared: &Shared, id: &str) -> bool {
    expected_path(shared, id).exists()
}

/// Where a container's log file is, as far as that is known before the container is.
fn expected_path(shared: &Shared, id: &str) -> PathBuf {
    let root = shared.config.docker_root.as_deref().unwrap_or(Path::new(&shared.data_root));
    root.join("containers").join(id).join(format!("{id}-json.log"))
}

/// Reads a container's log until the container is gone.
pub(super) async fn follow(container: &Container, found: Inspected, log: Log) {
    let (mut reader, keeper) = Reader::begin(container, &found, log);
    let mut looks = Looks::default();
    // A container that is over when it is first seen gives no further sign.
    let mut news = !found.is_running() && found.has_run();
    loop {
        let read = reader.tail.offset();
        if reader.read(u64::MAX).await.is_none() {
            return;
        }
        if news {
            let now = reader.hold(container.inspect()).await;
            // What was written until then can be read by now.
            if reader.read(u64::MAX).await.is_none() {
                return;
            }
            match now {
                None => return reader.writer.end(),
                Some(now) if now.is_running() => {}
                Some(now) => {
                    let Some(taken) = reader.pause().await else { return };
                    keeper.read_whole(taken, &now.state.finished_at);
                    if reader.hold(container.next_run(&now.state.started_at)).await.is_none() {
                        return reader.writer.end();
                    }
                }
            }
        }
        let mut moved = reader.tail.offset() > read;
        news = loop {
            let pause = looks.next(moved, reader.look_within);
            if tokio::time::timeout(pause, container.news.notified()).await.is_ok() {
                break true;
            }
            if !reader.tail.is_quiet() {
                break false;
            }
            moved = false;
        };
    }
}

/// Reads what a container has logged so far.
pub(super) async fn read_once(container: &Container, found: &Inspected, log: Log) -> io::Result<()> {
    let left = log.resumed.tail.left()?;
    let (mut reader, _keeper) = Reader::begin(container, found, log);
    if reader.read(left).await.is_some() {
        reader.writer.end();
    }
    Ok(())
}

/// How long to look away from a log that has nothing new.
#[derive(Default)]
struct Looks {
    quiet: u32,
}

impl Looks {
    fn next(&mut self, moved: bool, within: Duration) -> Duration {
        self.quiet = if moved { 0 } else { (self.quiet + 1).min(QUIET) };
        within.min(if self.quiet < QUIET { WHILE_BUSY } else { within })
    }
}

/// Moves a log on to the component.
struct Reader {
    writer: LogWriter,
    tail: Tail,
    look_within: Duration,
    name: String,
    said: Option<tokio::time::Instant>,
}

impl Reader {
    fn begin(container: &Container, found: &Inspected, log: Log) -> (Reader, Arc<Keeper<places::Places>>) {
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
            terminal: found.config.tty,
            container: found.container(&shared.daemon_name),
        };
        let writer = shared.hub.open(opening, keeper.clone());
        let name = found.name().to_owned();
        let reader = Reader { writer, tail, look_within: rotation.look_within(), name, said: None };
        if let Some(missing) = missing {
            reader.say_missing(missing);
        }
        (reader, keeper)
    }

    /// Moves on what there is, at most so many bytes. `None`: the component has let go of the log.
    async fn read(&mut self, mut most: u64) -> Option<()> {
        loop {
            let chunk = usize::try_from(most).unwrap_or(CHUNK).min(CHUNK);
            if chunk == 0 {
                return Some(());
            }
            match self.tail.look().and_then(|()| self.tail.next(chunk)) {
                Ok(Next::Bytes(bytes)) => {
                    most -= bytes.len() as u64;
                    let write = self.writer.write(bytes);
                    while_looking(&mut self.tail, self.look_within, write).await;
                    // A log without end must not keep the thread from everybody else.
                    tokio::task::yield_now().await;
                }
                Ok(Next::End) => return Some(()),
                Ok(Next::Gap(missing)) => {
                    self.say_missing(missing);
                    self.pause().await?;
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
        while_looking(&mut self.tail, self.look_within, wait).await
    }

    /// Says that what was begun will not go on, and goes on behind it.
    async fn pause(&mut self) -> Option<Positions> {
        let pause = self.writer.pause(Pause::Stopped);
        let taken = while_looking(&mut self.tail, self.look_within, pause).await?;
        // The component counts on from what it has taken. What was read beyond that was half an entry,
        // of which the rest never came.
        if taken != Positions::default() {
            self.tail.go_on_at(taken.offset());
        }
        Some(taken)
    }

    fn say_missing(&self, missing: Missing) {
        let name = &self.name;
        match missing {
            Missing::Bytes(count) => tracing::warn!(
                "{count} bytes of the log of container {name} are missing: Docker removed the files before they \
                 could be read; a larger max-size or max-file of its log gives more time"
            ),
            Missing::Files => tracing::warn!(
                "part of the log of container {name} may be missing: Docker rotated it further than it could be \
                 followed; a larger max-size or max-file of its log gives more time"
            ),
            Missing::Compressed(count) => tracing::warn!(
                "older parts of the log of container {name} are missing: {count} rotated files of it are \
                 compressed, and are not read; with compress=false in its log options they would be"
            ),
            Missing::Truncated => tracing::warn!(
                "part of the log of container {name} is missing: its file was truncated before all of it was \
                 read; with max-file of 2 or more Docker keeps what it rotates"
            ),
        }
    }
}

/// Waits for something, and does not let new files of the log pass by meanwhile.
async fn while_looking<T>(tail: &mut Tail, within: Duration, wait: impl Future<Output = T>) -> T {
    let mut wait = pin!(wait);
    loop {
        match tokio::time::timeout(within, &mut wait).await {
            Ok(result) => return result,
            // If that fails, the next reading look says so.
            Err(_elapsed) => drop(tail.look()),
        }
    }
}

/// A log that has just grown probably grows again: looked at more often than one that is quiet, and not
/// so often that each line is read by itself.
const WHILE_BUSY: Duration = Duration::from_millis(50);
/// Looks without anything new after which a log is quiet.
const QUIET: u32 = 20;
const SAY_EVERY: Duration = Duration::from_secs(60);
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
