//! Tells when something happens in a directory, by inotify: one instance for all containers, and a watch
//! for each directory that somebody waits for.
//!
//! A watch tells once and is gone. So a log that is busy costs nothing here, however many lines it gets: its
//! reader looks from time to time, and has it watched again once it is quiet.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Watches directories.
pub(in super::super) struct Watcher {
    /// `None` where there is no inotify, or where it does not tell.
    shared: Option<Arc<Shared>>,
    reading: Option<AbortHandle>,
    said: AtomicBool,
    begun: Instant,
}

struct Shared {
    inotify: AsyncFd<OwnedFd>,
    /// By watch descriptor.
    waiting: Mutex<HashMap<i32, Arc<Notify>>>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Happening {
    /// A file is written to, made or moved here.
    Growth,
    /// A file is made or moved here.
    NewFile,
}

/// A directory under watch.
pub(in super::super) struct Watch {
    descriptor: i32,
    told: Arc<Notify>,
    shared: Arc<Shared>,
}

impl Watcher {
    /// A watcher for directories below this one. Where it cannot watch, it says so, once.
    pub fn new(root: &Path) -> Watcher {
        let shared = match Shared::new(root) {
            Ok(shared) => Some(Arc::new(shared)),
            Err(problem) => {
                tracing::warn!("{problem}, so log files are looked at several times a second");
                None
            }
        };
        let reading = shared.clone().map(|shared| tokio::spawn(shared.read()).abort_handle());
        Watcher { shared, reading, said: AtomicBool::new(false), begun: Instant::now() }
    }

    /// Watches a directory from now on; `None` if that cannot be.
    pub fn watch(&self, directory: &Path, happening: Happening) -> Option<Watch> {
        let shared = Arc::clone(self.shared.as_ref()?);
        match shared.watch(directory, happening) {
            Ok((descriptor, told)) => Some(Watch { descriptor, told, shared }),
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(error) => {
                if !self.said.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "not every log file can be watched ({error}), so some are looked at several times a \
                         second; sysctl fs.inotify.max_user_watches sets the limit"
                    );
                }
                None
            }
        }
    }

    /// A watcher that cannot watch.
    #[cfg(test)]
    pub fn blind() -> Watcher {
        Watcher { shared: None, reading: None, said: AtomicBool::new(false), begun: Instant::now() }
    }

    /// When to look although nothing was told: the same moment for all who wait, so that they cost one
    /// wake-up.
    pub fn next_net(&self) -> Instant {
        let nets = self.begun.elapsed().as_millis() / NET.as_millis();
        self.begun + NET * u32::try_from(nets + 1).unwrap_or(u32::MAX)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}

impl Watch {
    /// Returns once it has happened.
    pub async fn told(&self) {
        self.told.notified().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut waiting = self.shared.lock();
        // A directory has one watch, whoever asks: it may be somebody else's by now.
        if waiting.get(&self.descriptor).is_some_and(|told| Arc::ptr_eq(told, &self.told)) {
            waiting.remove(&self.descriptor);
            // It may have told just now, and so be gone.
            let _ = inotify::remove_watch(self.shared.inotify.get_ref(), self.descriptor);
        }
    }
}

impl Shared {
    fn new(root: &Path) -> Result<Shared, String> {
        if is_remote(root) {
            return Err(format!(
                "{} is on a filesystem that does not tell of changes made elsewhere",
                root.display()
            ));
        }
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).map_err(io::Error::from);
        // SAFETY: an `OwnedFd` is open and the same until it is dropped, which the `AsyncFd` sees to.
        match inotify.and_then(|inotify| Ok(unsafe { AsyncFd::register(inotify) }?)) {
            Ok(inotify) => Ok(Shared { inotify, waiting: Mutex::default() }),
            Err(error) => Err(format!(
                "inotify cannot be had ({error}; sysctl fs.inotify.max_user_instances sets the limit)"
            )),
        }
    }

    fn watch(&self, directory: &Path, happening: Happening) -> Result<(i32, Arc<Notify>), Errno> {
        let flags = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONESHOT | WatchFlags::ONLYDIR;
        let flags = match happening {
            Happening::Growth => flags | WatchFlags::MODIFY,
            Happening::NewFile => flags,
        };
        let told = Arc::new(Notify::new());
        let mut waiting = self.lock();
        let descriptor = inotify::add_watch(self.inotify.get_ref(), directory, flags)?;
        waiting.insert(descriptor, Arc::clone(&told));
        Ok((descriptor, told))
    }

    /// Passes on what the kernel tells, for ever.
    async fn read(self: Arc<Shared>) {
        let mut room = [MaybeUninit::uninit(); 4096];
        while let Ok(mut ready) = self.inotify.readable().await {
            let mut reader = Reader::new(self.inotify.get_ref(), &mut room);
            loop {
                match reader.next() {
                    Ok(event) => self.tell(event.wd()),
                    Err(Errno::INTR) => {}
                    Err(_would_block) => break,
                }
            }
            ready.clear_ready();
        }
    }

    fn tell(&self, descriptor: i32) {
        let mut waiting = self.lock();
        // Without a descriptor the kernel says that it had more to tell than it could keep.
        if descriptor < 0 {
            waiting.values().for_each(|told| told.notify_one());
        } else if let Some(told) = waiting.remove(&descriptor) {
            told.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Arc<Notify>>> {
        // No code panics while it holds the lock; should one ever, the map is still whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a directory may be changed by other machines, of which inotify does not hear.
fn is_remote(directory: &Path) -> bool {
    rustix::fs::statfs(directory).is_ok_and(|found| REMOTE.contains(&(found.f_type as u32)))
}

/// How often one looks at what is watched, should a sign get lost.
const NET: Duration = Duration::from_secs(5);

/// NFS, SMB (1 and 2), CIFS, AFS, Ceph, 9p, and everything in FUSE (`statfs(2)`).
const REMOTE: [u32; 8] =
    [0x6969, 0x517B, 0xFE53_4D42, 0xFF53_4D42, 0x5346_414F, 0x00C3_6400, 0x0102_1997, 0x6573_5546];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn directory(name: &str) -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("cloudspout-watch-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    async fn is_told(watch: &Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(20), watch.told()).await.is_ok()
    }

    fn watches(watcher: &Watcher) -> usize {
        watcher.shared.as_ref().unwrap().lock().len()
    }

    #[tokio::test]
    async fn a_watch_tells_once_of_what_is_waited_for() {
        let directory = directory("once");
        let watcher = Watcher::new(&directory);
        fs::write(directory.join("log"), b"").unwrap();
        let growth = watcher.watch(&directory, Happening::Growth).unwrap();
        fs::write(directory.join("log"), b"more").unwrap();
        assert!(is_told(&growth).await);
        assert_eq!(watches(&watcher), 0);
        let new = watcher.watch(&directory, Happening::NewFile).unwrap();
        fs::write(directory.join("log"), b"and more").unwrap();
        fs::rename(directory.join("log"), directory.join("log.1")).unwrap();
        assert!(is_told(&new).await);
        fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn who_waits_no_more_leaves_the_watch_of_another_alone() {
        let directory = directory("two");
        let watcher = Watcher::new(&directory);
        let first = watcher.watch(&directory, Happening::NewFile).unwrap();
        let second = watcher.watch(&directory, Happening::Growth).unwrap();
        drop(first);
        fs::write(directory.join("log"), b"more").unwrap();
        assert!(is_told(&second).await);
        drop(second);
        drop(watcher.watch(&directory, Happening::Growth).unwrap());
        assert_eq!(watches(&watcher), 0);
        fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_watched() {
        let directory = directory("gone");
        let watcher = Watcher::new(&directory);
        assert!(watcher.watch(&directory.join("none"), Happening::Growth).is_none());
        fs::remove_dir_all(directory).unwrap();
    }
}
