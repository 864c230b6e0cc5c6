//! Whether the daemon is in sight.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::metrics::{Kind, Page, Part};

/// Whether the daemon is in sight. Clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    daemon: Daemon,
    losses: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Daemon {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    There,
    AwaySince(SystemTime),
}

/// A daemon may be away for so long, as when it is begun again, before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

impl Sight {
    /// The daemon is there.
    pub(super) fn gain(&self) {
        self.lock().daemon = Daemon::There;
    }

    /// The daemon is there no more.
    pub(super) fn lose(&self) {
        let mut seen = self.lock();
        seen.losses += 1;
        seen.daemon = Daemon::AwaySince(SystemTime::now());
    }

    fn is_there(&self) -> bool {
        self.lock().daemon == Daemon::There
    }

    /// How long it has been away, if it is.
    fn away(&self) -> Option<Duration> {
        match self.lock().daemon {
            Daemon::AwaySince(lost) => Some(lost.elapsed().unwrap_or_default()),
            Daemon::Unknown | Daemon::There => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // No code panics while it holds the lock; should one ever, what is in it is still whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part for Sight {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn write(&self, page: &mut Page) {
        let (up, losses) = (self.is_there(), self.lock().losses);
        page.family("cloudspout_docker_up", Kind::Gauge, "1 while the Docker daemon is in sight.");
        page.gauge("cloudspout_docker_up", &[], u64::from(up));
        page.family(
            "cloudspout_docker_losses",
            Kind::Counter,
            "Times that the Docker daemon went out of sight.",
        );
        page.counter("cloudspout_docker_losses", &[], losses);
    }

    fn status(&self) -> Value {
        let away = self.away();
        json!({ "in_sight": self.is_there(), "away_seconds": away.map(|away| away.as_secs()) })
    }

    fn complaint(&self) -> Option<String> {
        let away = self.away().filter(|away| *away > PATIENCE)?;
        Some(format!("the Docker daemon has been away for {} s: no log is read meanwhile", away.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_is_away_for_long_is_complained_of() {
        let sight = Sight::default();
        assert_eq!((sight.complaint(), sight.is_there()), (None, false), "nobody has looked yet");
        sight.gain();
        sight.lose();
        assert_eq!((sight.complaint(), sight.is_there()), (None, false), "it may be begun again");
        sight.lock().daemon = Daemon::AwaySince(SystemTime::now() - Duration::from_secs(100));
        let complaint = sight.complaint().unwrap();
        assert!(complaint.contains("away for 100 s"), "{complaint}");
        sight.gain();
        assert_eq!((sight.complaint(), sight.is_there(), sight.lock().losses), (None, true, 1));
    }
}
