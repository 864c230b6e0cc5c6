//! Waits for more of a log, or for something else while its files are kept in sight.

use std::future::{Future, pending};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::rotation::{Rotation, SHORTEST};
use super::tail::Tail;
use super::watch::{Happening, Watch, Watcher};

/// How one waits for a log.
///
/// While something happens one looks from time to time, so that a busy log is read in large pieces, and a
/// log of small files is seen before one of them is gone. Once nothing has happened for a while the log's
/// directory is watched, where that is possible, and looked at every few seconds should a sign get lost.
pub(super) struct Waiting {
    watcher: Arc<Watcher>,
    /// For how long one may look away from a log that is busy.
    look_within: Duration,
    /// Looks so far that found nothing new.
    quiet: u32,
}

impl Waiting {
    /// For a log of which it is not known yet when it is rotated.
    pub fn closely(watcher: Arc<Watcher>) -> Waiting {
        Waiting { watcher, look_within: SHORTEST, quiet: 0 }
    }

    pub fn of(watcher: Arc<Watcher>, rotation: Rotation) -> Waiting {
        Waiting { watcher, look_within: rotation.look_within(), quiet: 0 }
    }

    /// Waits until there may be more of the log, or news of its container: whether it is the latter.
    /// `moved`: whether there was more the last time.
    pub async fn for_more(&mut self, tail: &Tail, news: &Notify, moved: bool) -> bool {
        if moved {
            self.quiet = 0;
        }
        loop {
            let watch = if self.quiet < QUIET { None } else { self.watch(tail, Happening::Growth) };
            match &watch {
                // What happened before the watch was set gives no sign.
                Some(watch) if tail.is_quiet() => {
                    if self.told_or_news(tail, watch, news).await {
                        return true;
                    }
                }
                _ => {
                    let quiet = self.quiet >= QUIET && watch.is_none();
                    let pause = if quiet { self.look_within } else { self.look_within.min(WHILE_BUSY) };
                    if timeout(pause, news.notified()).await.is_ok() {
                        return true;
                    }
                }
            }
            if !tail.is_quiet() {
                return false;
            }
            self.quiet = (self.quiet + 1).min(QUIET);
        }
    }

    /// Whether there was news before the watch told of something.
    async fn told_or_news(&self, tail: &Tail, watch: &Watch, news: &Notify) -> bool {
        loop {
            tokio::select! {
                () = news.notified() => return true,
                () = watch.told() => return false,
                () = sleep_until(self.watcher.next_net()) => {}
            }
            if !tail.is_quiet() {
                return false;
            }
        }
    }

    /// Waits for something else, and lets no new file of the log pass by meanwhile.
    pub async fn meanwhile<T>(&self, tail: &mut Tail, wait: impl Future<Output = T>) -> T {
        let mut wait = pin!(wait);
        let mut looks = 0;
        loop {
            let watch = if looks < QUIET { None } else { self.watch(tail, Happening::NewFile) };
            if looks > 0 {
                // If that fails, the next reading look says so.
                drop(tail.look());
            }
            let until = match watch {
                Some(_) => self.watcher.next_net(),
                None => Instant::now() + self.look_within,
            };
            tokio::select! {
                biased;
                result = &mut wait => return result,
                () = told(watch.as_ref()) => looks = 1,
                () = sleep_until(until) => looks = (looks + 1).min(QUIET),
            }
        }
    }

    fn watch(&self, tail: &Tail, happening: Happening) -> Option<Watch> {
        self.watcher.watch(tail.path().parent()?, happening)
    }
}

/// Waits until a file is there, some time, unless there is news first: whether it is.
pub(super) async fn until_there(watcher: &Watcher, path: &Path, news: &Notify) -> bool {
    let mut patience = pin!(sleep(PATIENCE));
    loop {
        let watch = path.parent().and_then(|directory| watcher.watch(directory, Happening::NewFile));
        if path.exists() {
            return true;
        }
        let until = if watch.is_some() { watcher.next_net() } else { Instant::now() + SHORTEST };
        tokio::select! {
            () = news.notified() => return false,
            () = &mut patience => return false,
            () = told(watch.as_ref()) => {}
            () = sleep_until(until) => {}
        }
    }
}

async fn told(watch: Option<&Watch>) {
    match watch {
        Some(watch) => watch.told().await,
        None => pending().await,
    }
}

/// A log that has just grown probably grows again: looked at more often than one that is quiet, and not
/// so often that each line is read by itself.
const WHILE_BUSY: Duration = Duration::from_millis(50);
/// Looks without anything new after which a log is quiet.
const QUIET: u32 = 4;
/// How long a file is waited for between a container's making and its start.
const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::resume::resume;
    use super::super::tail::Next;
    use super::*;
    use crate::positions::Record;

    /// A directory with a log of one line, and the log, which was read.
    fn log() -> (PathBuf, Tail) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            std::env::temp_dir().join(format!("cloudspout-waiting-{}-{count}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("log"), b"one\n").unwrap();
        let mut tail = resume(&directory.join("log"), &Record::default()).unwrap().tail;
        assert!(matches!(tail.next(1_000), Ok(Next::Bytes(_))));
        (directory, tail)
    }

    /// Waits as for a log that has been quiet for long, both ways that there are.
    fn ways(directory: &Path) -> [Waiting; 2] {
        let rotation = Rotation { size: Some(1 << 20), files: 3 };
        [Watcher::new(directory), Watcher::blind()]
            .map(|watcher| Waiting { quiet: QUIET, ..Waiting::of(Arc::new(watcher), rotation) })
    }

    /// Lets everybody have a turn, however late it is.
    async fn turns() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_quiet_log_that_grows_is_noticed_and_so_is_news() {
        let (directory, mut tail) = log();
        let news = Notify::new();
        for mut waiting in ways(&directory) {
            let grow = async {
                turns().await;
                fs::write(directory.join("other"), b"of no interest").unwrap();
                turns().await;
                let mut log = fs::OpenOptions::new().append(true).open(directory.join("log")).unwrap();
                log.write_all(b"more\n").unwrap();
            };
            let (more, ()) = tokio::join!(waiting.for_more(&tail, &news, false), grow);
            assert!(!more && matches!(tail.next(1_000), Ok(Next::Bytes(_))));
            news.notify_one();
            assert!(waiting.for_more(&tail, &news, false).await);
        }
        fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn files_that_come_while_one_waits_for_something_else_are_kept() {
        let (directory, mut tail) = log();
        let path = directory.join("log");
        for waiting in ways(&directory) {
            let rotate = async {
                for number in 0..3 {
                    // So long that the log is only watched any more, or looked at.
                    sleep(waiting.look_within * (QUIET + 2)).await;
                    turns().await;
                    fs::remove_file(&path).unwrap();
                    fs::write(&path, format!("file {number}\n")).unwrap();
                    sleep(waiting.look_within * 30).await;
                    turns().await;
                }
            };
            waiting.meanwhile(&mut tail, rotate).await;
            let mut read = Vec::new();
            loop {
                match tail.next(1_000).unwrap() {
                    Next::Bytes(bytes) => read.extend_from_slice(&bytes),
                    Next::Gap(_) => {}
                    Next::End => break,
                }
            }
            assert_eq!(String::from_utf8(read).unwrap(), "file 0\nfile 1\nfile 2\n");
        }
        fs::remove_dir_all(directory).unwrap();
    }
}
