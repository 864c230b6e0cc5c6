//! What the run loop needs of whoever runs it, whichever world it is built for.

use wasi::io::poll::Pollable;

use crate::batch::SourceId;
use crate::shipper::{
    Counts, CredentialsError, Fate, Filter, KeepId, Opening, Pause, Phase, Positions, Severity, Status,
};
use crate::sigv4::Credentials;
use crate::time::Timestamp;

/// Logs, credentials, and people's ears. Nothing here waits.
pub trait Host {
    /// A log stream that has been opened and not been handed out yet.
    fn accept(&mut self) -> Option<(SourceId, Opening)>;

    /// Log streams that have something to read; each is named again only after a read came back empty.
    fn ready(&mut self) -> Vec<SourceId>;

    fn phase(&mut self, now: Timestamp) -> Phase;

    /// At most `max` bytes; none if there are none at hand.
    fn read(&mut self, source: SourceId, max: u32) -> Result<Vec<u8>, Pause>;

    /// Has a log stream go on after a pause; the offset of its next byte, unless it is unknown.
    fn resume(&mut self, source: SourceId, taken: &Positions) -> Option<u64>;

    fn acknowledge(&mut self, source: SourceId, accepted: &Positions);

    /// So many events were refused for good; comes before the `acknowledge` that covers them.
    fn refuse(&mut self, source: SourceId, events: u64);

    /// What became of a log stream; comes before it is released.
    fn settle(&mut self, source: SourceId, fate: Fate);

    fn release(&mut self, source: SourceId);

    /// Begins a lookup; with `renew`, what was found before was refused.
    fn fetch_credentials(&mut self, renew: bool);

    /// What a lookup found, once it has.
    fn take_credentials(&mut self) -> Option<Result<Credentials, CredentialsError>>;

    /// Begins to keep dead letters, lines of JSON, where they outlast us.
    fn keep(&mut self, id: KeepId, lines: &[u8]);

    /// Which dead letters have been kept, or why not.
    fn take_kept(&mut self) -> Vec<(KeepId, Result<(), String>)>;

    /// What events go through before anything becomes of them, where the options ask for it.
    fn filter(&self) -> Option<Box<dyn Filter>>;

    fn tell(&mut self, severity: Severity, text: String);

    /// How things stand, and what has been counted.
    fn count(&mut self, counts: &Counts, status: &Status);

    /// Whether there is something to hear that no pollable tells of.
    fn has_news(&self) -> bool;

    /// What becomes ready when there is something to hear.
    fn pollables(&self) -> Vec<&Pollable>;

    /// SHA-256, by whoever does it best.
    fn sha256(data: &[u8]) -> [u8; 32];
}
