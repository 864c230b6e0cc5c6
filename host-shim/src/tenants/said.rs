//! What is said of a tenant by the host and by the tenant's own component, which is not to drown all others.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Says things of one tenant, each not too often.
#[derive(Debug)]
pub struct Said {
    tenant: String,
    /// When each kind of thing was last said.
    last: Mutex<BTreeMap<&'static str, Instant>>,
    /// Messages of the component in the window of now, and those left out.
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    told: u32,
    left_out: u64,
}

impl Said {
    pub fn new(tenant: &str) -> Said {
        Said {
            tenant: tenant.to_owned(),
            last: Mutex::new(BTreeMap::new()),
            window: Mutex::new(Window { began: Instant::now(), told: 0, left_out: 0 }),
        }
    }

    pub fn warn(&self, kind: &'static str, text: &str) {
        if self.is_due(kind) {
            tracing::warn!(tenant = self.tenant, "{text}");
        }
    }

    pub fn info(&self, kind: &'static str, text: &str) {
        if self.is_due(kind) {
            tracing::info!(tenant = self.tenant, "{text}");
        }
    }

    fn is_due(&self, kind: &'static str) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.get(kind).is_none_or(|last| last.elapsed() >= SAY_EVERY);
        if due {
            last.insert(kind, Instant::now());
        }
        due
    }

    /// Whether a message of the component is told. Those that are not are counted, and said by the next.
    pub fn admits(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.began.elapsed() >= WINDOW {
            if window.left_out > 0 {
                tracing::warn!(tenant = self.tenant, "{} further messages were left out", window.left_out);
            }
            *window = Window { began: Instant::now(), told: 0, left_out: 0 };
        }
        let told = window.told < MOST;
        if told {
            window.told += 1;
        } else {
            window.left_out += 1;
        }
        told
    }
}

const SAY_EVERY: Duration = Duration::from_secs(60);
const WINDOW: Duration = Duration::from_secs(10);
/// Messages of a tenant's component in a window.
const MOST: u32 = 50;
