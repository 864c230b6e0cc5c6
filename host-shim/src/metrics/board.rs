//! All that there is to see.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::page::{Format, Page};
use super::panel::{Look, Owner, Panel};
use super::{families, health, process, status};

/// The panels of everybody who ships, and what else is to be seen. Clones are the same board.
#[derive(Clone)]
pub struct Board {
    shared: Arc<Shared>,
}

struct Shared {
    began: SystemTime,
    panels: Mutex<BTreeMap<Owner, Arc<Panel>>>,
    parts: Mutex<BTreeMap<&'static str, Arc<dyn Part>>>,
}

/// A part of the program that is not an instance, and has something to show all the same.
pub trait Part: Send + Sync {
    /// Under which it is found in the status.
    fn name(&self) -> &'static str;

    /// Its metrics.
    fn write(&self, page: &mut Page);

    /// How it stands.
    fn status(&self) -> Value;

    /// What is wrong with it.
    fn complaint(&self) -> Option<String> {
        None
    }
}

impl Default for Board {
    fn default() -> Board {
        let began = SystemTime::now();
        Board { shared: Arc::new(Shared { began, panels: Mutex::default(), parts: Mutex::default() }) }
    }
}

impl Board {
    /// The panel of whoever this is, from now on if there is none yet.
    pub fn panel(&self, owner: Owner) -> Arc<Panel> {
        let mut panels = lock(&self.shared.panels);
        let panel = panels.entry(owner).or_insert_with_key(|owner| Arc::new(Panel::new(owner.clone())));
        Arc::clone(panel)
    }

    /// Forgets whoever else there was.
    pub fn retain(&self, stays: impl Fn(&Owner) -> bool) {
        lock(&self.shared.panels).retain(|owner, _| stays(owner));
    }

    /// Shows a part, too; of several of one name, the first.
    pub fn add(&self, part: impl Part + 'static) {
        lock(&self.shared.parts).entry(part.name()).or_insert_with(|| Arc::new(part));
    }

    /// The metrics of now.
    pub fn metrics(&self, format: Format) -> String {
        let mut page = Page::new(format);
        families::write(&mut page, &self.looks(), SystemTime::now());
        for part in self.parts() {
            part.write(&mut page);
        }
        process::write(&mut page, self.shared.began);
        page.finish()
    }

    /// How everything stands now, as JSON for people and their scripts.
    pub fn status(&self) -> Value {
        let now = SystemTime::now();
        let looks = self.looks();
        let mut status = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": now.duration_since(self.shared.began).unwrap_or_default().as_secs(),
            "shipping": looks.iter().map(|look| status::of(look, now)).collect::<Vec<_>>(),
        });
        for part in self.parts() {
            if let Some(status) = status.as_object_mut() {
                status.insert(part.name().to_owned(), part.status());
            }
        }
        status
    }

    /// What is wrong now: whoever is down, and whose events have waited for CloudWatch for longer than `patience`.
    pub fn problems(&self, patience: Duration) -> Vec<String> {
        let now = SystemTime::now();
        let looks = self.looks();
        let of_instances = looks.iter().filter_map(|look| health::complaint(look, patience, now));
        let parts = self.parts();
        of_instances.chain(parts.iter().filter_map(|part| part.complaint())).collect()
    }

    fn looks(&self) -> Vec<Look> {
        lock(&self.shared.panels).values().map(|panel| panel.look()).collect()
    }

    fn parts(&self) -> Vec<Arc<dyn Part>> {
        lock(&self.shared.parts).values().cloned().collect()
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds the lock; should one ever, what is in it is still whole.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
