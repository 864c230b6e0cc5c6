//! The credentials at hand, and when to ask for others.

use std::rc::Rc;

use crate::delivery::{Backoff, Jitter, Pace};
use crate::sigv4::Credentials;
use crate::time::{Millis, Timestamp};

/// Credentials, or the way to them.
pub struct Keyring {
    held: Option<Held>,
    stage: Stage,
    backoff: Backoff,
    generation: Generation,
}

/// Which credentials a request was signed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

struct Held {
    credentials: Rc<Credentials>,
    /// Refused by the service: kept only to tell old answers from new ones.
    refused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Fetching,
    Waiting { until: Timestamp, renew: bool },
}

/// Credentials that end so soon are replaced before they are used.
const LAST_MOMENTS: Millis = Millis(30_000);
/// A host that hands out credentials about to end is not asked again at once.
const PATIENCE: Millis = Millis(10_000);

impl Keyring {
    pub fn new() -> Keyring {
        Keyring {
            held: None,
            stage: Stage::Idle,
            backoff: Backoff::default(),
            generation: Generation::default(),
        }
    }

    /// Credentials to sign with, unless there are none that can be used.
    pub fn credentials(&self, now: Timestamp) -> Option<(Rc<Credentials>, Generation)> {
        let held = self.held.as_ref().filter(|held| !held.refused)?;
        let ended = held.credentials.expires().is_some_and(|expires| expires <= now);
        (!ended).then(|| (Rc::clone(&held.credentials), self.generation))
    }

    /// When those at hand end; none if they do not, or if there are none that can be used.
    pub fn expires(&self) -> Option<Timestamp> {
        self.held.as_ref().filter(|held| !held.refused)?.credentials.expires()
    }

    /// Whether to fetch others at this moment, and if so whether to renew. Saying so begins the fetch.
    pub fn poll_fetch(&mut self, now: Timestamp) -> Option<bool> {
        let renew = match self.stage {
            Stage::Fetching => return None,
            Stage::Waiting { until, .. } if now < until => return None,
            Stage::Waiting { renew, .. } => renew,
            Stage::Idle => match &self.held {
                None => false,
                Some(held) if held.refused => true,
                Some(held) => {
                    let expires = held.credentials.expires()?;
                    if now + LAST_MOMENTS < expires {
                        return None;
                    }
                    false
                }
            },
        };
        self.stage = Stage::Fetching;
        Some(renew)
    }

    /// When `poll_fetch` will say yes by the passing of time.
    pub fn due(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Waiting { until, .. } => Some(until),
            Stage::Idle | Stage::Fetching => None,
        }
    }

    /// The clock was stepped back.
    pub fn rewind(&mut self, nanos: u64) {
        if let Stage::Waiting { until, .. } = &mut self.stage {
            *until = until.back(nanos);
        }
    }

    pub fn found(&mut self, credentials: Credentials, now: Timestamp) {
        let soon = credentials.expires().is_some_and(|expires| expires <= now + LAST_MOMENTS);
        self.stage = if soon { Stage::Waiting { until: now + PATIENCE, renew: false } } else { Stage::Idle };
        self.held = Some(Held { credentials: Rc::new(credentials), refused: false });
        self.generation = Generation(self.generation.0 + 1);
    }

    /// Notes that a fetch failed; says how long it waits before the next.
    pub fn missed(&mut self, now: Timestamp, jitter: &mut Jitter) -> Millis {
        let wait = self.backoff.fail(Pace::Patient, None, jitter);
        let renew = self.held.as_ref().is_some_and(|held| held.refused);
        self.stage = Stage::Waiting { until: now + wait, renew };
        wait
    }

    /// Notes that the service refused a request of this generation. Says whether that was news, and how
    /// often in a row freshly renewed credentials have been refused.
    pub fn refused(&mut self, generation: Generation, now: Timestamp, jitter: &mut Jitter) -> Option<u32> {
        if generation != self.generation {
            return None;
        }
        let held = self.held.as_mut().filter(|held| !held.refused)?;
        held.refused = true;
        let before = self.backoff.failures();
        let wait = self.backoff.fail(Pace::Patient, None, jitter);
        self.stage =
            if before == 0 { Stage::Idle } else { Stage::Waiting { until: now + wait, renew: true } };
        Some(before)
    }

    /// Notes that the service took a request.
    pub fn accepted(&mut self) {
        self.backoff.succeed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(expires: Option<u64>) -> Credentials {
        Credentials::new("id".into(), "secret".into(), None, expires.map(Timestamp::from_millis))
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn credentials_are_fetched_once_and_kept() {
        let mut keyring = Keyring::new();
        assert_eq!(keyring.poll_fetch(at(0)), Some(false));
        assert_eq!(keyring.poll_fetch(at(0)), None);
        keyring.found(credentials(None), at(0));
        assert_eq!(keyring.poll_fetch(at(1 << 40)), None);
        assert!(keyring.credentials(at(1 << 40)).is_some());
    }

    #[test]
    fn credentials_about_to_end_are_replaced_while_they_still_serve() {
        let mut keyring = Keyring::new();
        keyring.poll_fetch(at(0));
        keyring.found(credentials(Some(100_000)), at(0));
        assert_eq!(keyring.poll_fetch(at(60_000)), None);
        assert_eq!(keyring.poll_fetch(at(75_000)), Some(false));
        assert!(keyring.credentials(at(75_000)).is_some());
        assert!(keyring.credentials(at(100_000)).is_none());
        keyring.found(credentials(Some(100_000)), at(75_000));
        assert_eq!(keyring.poll_fetch(at(75_001)), None, "the host has no better ones yet");
        assert_eq!(keyring.poll_fetch(at(90_000)), Some(false));
    }

    #[test]
    fn refused_credentials_are_renewed_at_once_and_then_with_patience() {
        let mut keyring = Keyring::new();
        let mut jitter = Jitter::new(1);
        keyring.poll_fetch(at(0));
        keyring.found(credentials(None), at(0));
        let (_, generation) = keyring.credentials(at(0)).unwrap();
        assert_eq!(keyring.refused(generation, at(0), &mut jitter), Some(0));
        assert_eq!(keyring.refused(generation, at(0), &mut jitter), None, "an old answer");
        assert!(keyring.credentials(at(0)).is_none());
        assert_eq!(keyring.poll_fetch(at(0)), Some(true));
        keyring.found(credentials(None), at(0));
        let (_, generation) = keyring.credentials(at(0)).unwrap();
        assert_eq!(keyring.refused(generation, at(0), &mut jitter), Some(1));
        let until = keyring.due().unwrap();
        assert_eq!(keyring.poll_fetch(until), Some(true));
    }
}
