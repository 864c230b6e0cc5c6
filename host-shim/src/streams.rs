//! Log streams on their way from a source (Docker, standard input) to the component that reads them.
//!
//! A source opens a log stream on the [`Hub`] and writes bytes to it; the component's imports take them
//! off at the other end. What waits in between is bounded, and a source that is ahead waits: for Docker
//! that means the daemon keeps the bytes, and the container never notices.

mod opening;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, SetOnce, oneshot};

pub use opening::{Container, Framing, Loss, LossCause, Opening, Position, Positions};

/// Why a log stream has no more bytes; see `pause` in the WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    Interrupted,
    Stopped,
    Ended,
    Lost(Loss),
}

/// What became of all that a log stream held; see `fate` in the WIT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Settled { events: u64, refused: u64 },
    Unreadable(String),
}

/// What the host wants of the component; see `phase` in the WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Running,
    Finishing,
    Stopping { within_ms: u32 },
}

/// Where the accepted positions of a log stream are kept. Called in order, never twice the same; it must
/// not block for long.
pub trait Keep: Send + Sync {
    fn keep(&self, accepted: &Positions);

    /// So many events were refused for good; comes before the `keep` that covers them.
    fn refuse(&self, events: u64) {
        // For most, that it was reported is enough.
        let _ = events;
    }

    /// The log stream has ended, and this is what became of it. Not called of one that the component lets go
    /// of, or that ends with the component, before everything is settled.
    fn settle(&self, fate: Fate) {
        // Sources that keep positions have heard of it by them.
        let _ = fate;
    }
}

/// For sources that cannot be read again.
pub struct KeepNothing;

impl Keep for KeepNothing {
    fn keep(&self, _accepted: &Positions) {}
}

/// Where sources and the component's imports meet.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// Told when there is something for the component to look at.
    news: Notify,
    closed: SetOnce<()>,
}

struct State {
    phase: Phase,
    phase_seen: bool,
    last_id: u32,
    streams: BTreeMap<u32, Stream>,
    /// Bytes of all log streams that the component has not read.
    unread: usize,
    /// Whether the instance that read here broke down.
    abandoned: bool,
    opened: VecDeque<u32>,
    ready: VecDeque<u32>,
}

struct Stream {
    opening: Option<Opening>,
    chunks: VecDeque<Bytes>,
    unread: usize,
    pause: Option<Pause>,
    /// Whether the component has been told, and has not yet read to the end.
    announced: bool,
    next_offset: u64,
    resume: Option<oneshot::Sender<Positions>>,
    keep: Arc<dyn Keep>,
    room: Arc<Notify>,
}

/// The source's end of a log stream. Dropped without a pause, the log stream is interrupted for good:
/// the component sees it as ended.
pub struct LogWriter {
    id: u32,
    room: Arc<Notify>,
    hub: Hub,
}

impl Default for Hub {
    fn default() -> Hub {
        Hub {
            inner: Arc::new(Inner {
                state: Mutex::new(State {
                    phase: Phase::Running,
                    phase_seen: true,
                    last_id: 0,
                    streams: BTreeMap::new(),
                    unread: 0,
                    abandoned: false,
                    opened: VecDeque::new(),
                    ready: VecDeque::new(),
                }),
                news: Notify::new(),
                closed: SetOnce::new(),
            }),
        }
    }
}

/// For sources.
impl Hub {
    /// Opens a log stream; the component hears of it at once.
    pub fn open(&self, opening: Opening, keep: Arc<dyn Keep>) -> LogWriter {
        let room = Arc::new(Notify::new());
        let mut state = self.lock();
        state.last_id += 1;
        let id = state.last_id;
        let stream = Stream {
            next_offset: opening.start,
            opening: Some(opening),
            chunks: VecDeque::new(),
            unread: 0,
            pause: None,
            announced: false,
            resume: None,
            keep,
            room: Arc::clone(&room),
        };
        state.streams.insert(id, stream);
        state.opened.push_back(id);
        drop(state);
        self.inner.news.notify_one();
        LogWriter { id, room, hub: self.clone() }
    }

    /// How many log streams are open, and how many bytes of them the component has not read.
    pub fn open_and_unread(&self) -> (usize, usize) {
        let state = self.lock();
        (state.streams.len(), state.unread)
    }

    /// Says that nobody reads here any more, nor ever will: sources go elsewhere with what is not accepted.
    pub fn close(&self) {
        let _ = self.inner.closed.set(());
    }

    /// Says that the instance which read here has broken down. It lets go of its log streams as it is cleared away:
    /// that does not mean that nothing of them is wanted any more.
    pub fn abandon(&self) {
        self.lock().abandoned = true;
    }

    /// Whether that was said.
    pub fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    /// Returns once the hub is closed.
    pub async fn closed(&self) {
        self.inner.closed.wait().await;
    }

    /// Moves the component on; it never moves back.
    pub fn set_phase(&self, phase: Phase) {
        let mut state = self.lock();
        if matches!((state.phase, phase), (Phase::Stopping { .. }, Phase::Running | Phase::Finishing)) {
            return;
        }
        state.phase = phase;
        state.phase_seen = false;
        drop(state);
        self.inner.news.notify_one();
    }
}

impl LogWriter {
    /// Waits while the component is far behind; how many bytes may be written then.
    pub async fn room(&self) -> usize {
        loop {
            let read = self.room.notified();
            let room = self.hub.lock().room_of(self.id);
            if room > 0 {
                return room;
            }
            read.await;
        }
    }

    /// Hands bytes on, for which there should be [`LogWriter::room`]. What is written after the component
    /// let go of the log stream is forgotten.
    pub fn write(&self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let count = bytes.len();
        self.hub.announce(self.id, |stream, unread| {
            stream.unread += count;
            *unread += count;
            stream.chunks.push_back(bytes);
        });
    }

    /// Whether the component has let go of the log stream: whatever comes is of no use to it.
    pub fn is_released(&self) -> bool {
        !self.hub.lock().streams.contains_key(&self.id)
    }

    /// Says that there is no more for the time being, and waits until the component, having read all
    /// there was, wants to go on. Returns what it has read completely: go on at or before that, with the
    /// first byte at [`Positions::offset`] where offsets count. `None`: it has let go of the log stream.
    pub async fn pause(&self, pause: Pause) -> Option<Positions> {
        let (resume, resumed) = oneshot::channel();
        self.hub.announce(self.id, |stream, _| {
            stream.pause = Some(pause);
            stream.resume = Some(resume);
        });
        resumed.await.ok()
    }

    /// Says that nothing will ever come again, and waits until the component has let go of the log stream: it
    /// wants nothing of it any more, or has [broken down](Hub::is_abandoned).
    pub async fn finish(&self) {
        self.hub.announce(self.id, |stream, _| stream.pause = Some(Pause::Ended));
        loop {
            let released = self.room.notified();
            if self.is_released() {
                return;
            }
            released.await;
        }
    }

    /// Says that nothing will ever come again.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.hub.announce(self.id, |stream, _| stream.pause = Some(Pause::Ended));
    }
}

/// For the component's imports.
impl Hub {
    /// See `logs.accept` in the WIT.
    pub fn accept(&self, max: usize) -> Vec<u32> {
        let mut state = self.lock();
        let count = state.opened.len().min(max);
        state.opened.drain(..count).collect()
    }

    /// See `logs.ready` in the WIT.
    pub fn ready(&self, max: usize) -> Vec<u32> {
        let mut guard = self.lock();
        let state = &mut *guard;
        // One that was opened since the last `accept` is not known to the component yet: it is named once
        // it has been accepted.
        let known = |id: &u32| state.opened.front().is_none_or(|unknown| id < unknown);
        let mut ready = Vec::new();
        state.ready.retain(|id| {
            let takes = ready.len() < max && known(id);
            if takes {
                ready.push(*id);
            }
            !takes
        });
        ready
    }

    /// Returns once `accept` or `ready` would return something, or the phase has changed.
    pub async fn news(&self) {
        loop {
            let news = self.inner.news.notified();
            if self.has_news() {
                return;
            }
            news.await;
        }
    }

    fn has_news(&self) -> bool {
        let state = self.lock();
        !state.opened.is_empty() || !state.ready.is_empty() || !state.phase_seen
    }

    /// See `lifecycle.current-phase` in the WIT.
    pub fn phase(&self) -> Phase {
        let mut state = self.lock();
        state.phase_seen = true;
        state.phase
    }

    /// See `log-stream.open` in the WIT; `None` the second time.
    pub fn opening(&self, id: u32) -> Option<Opening> {
        self.lock().streams.get_mut(&id)?.opening.take()
    }

    /// See `log-stream.read` in the WIT.
    pub fn read(&self, id: u32, max: usize) -> Result<Vec<u8>, Pause> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let stream = state.streams.get_mut(&id).ok_or(Pause::Ended)?;
        let bytes = stream.take(max);
        if bytes.is_empty() {
            stream.announced = false;
            return match stream.pause.take() {
                Some(pause) => Err(pause),
                None => Ok(bytes),
            };
        }
        stream.next_offset += bytes.len() as u64;
        stream.unread -= bytes.len();
        state.unread -= bytes.len();
        stream.room.notify_one();
        Ok(bytes)
    }

    /// See `log-stream.resume` in the WIT.
    pub fn resume(&self, id: u32, taken: Positions) -> u64 {
        let mut state = self.lock();
        let Some(stream) = state.streams.get_mut(&id) else { return 0 };
        if taken != Positions::default() {
            stream.next_offset = taken.offset();
        }
        let offset = stream.next_offset;
        if let Some(resume) = stream.resume.take() {
            // The source may be gone, on shutdown: then nobody reads on, which is what it wants.
            let _ = resume.send(taken);
        }
        offset
    }

    /// See `log-stream.acknowledge` in the WIT.
    pub fn acknowledge(&self, id: u32, accepted: &Positions) {
        let keep = self.lock().streams.get(&id).map(|stream| Arc::clone(&stream.keep));
        if let Some(keep) = keep {
            keep.keep(accepted);
        }
    }

    /// See `log-stream.refuse` in the WIT.
    pub fn refuse(&self, id: u32, events: u64) {
        let keep = self.lock().streams.get(&id).map(|stream| Arc::clone(&stream.keep));
        if let Some(keep) = keep {
            keep.refuse(events);
        }
    }

    /// See `log-stream.settle` in the WIT.
    pub fn settle(&self, id: u32, fate: Fate) {
        let keep = self.lock().streams.get(&id).map(|stream| Arc::clone(&stream.keep));
        if let Some(keep) = keep {
            keep.settle(fate);
        }
    }

    /// The component lets go of a log stream.
    pub fn release(&self, id: u32) {
        let mut state = self.lock();
        if let Some(stream) = state.streams.remove(&id) {
            state.unread -= stream.unread;
            stream.room.notify_one();
        }
    }

    /// Changes a log stream, and what is unread of all, and makes sure the component looks at it.
    fn announce(&self, id: u32, change: impl FnOnce(&mut Stream, &mut usize)) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(stream) = state.streams.get_mut(&id) else { return };
        change(stream, &mut state.unread);
        if !stream.announced {
            stream.announced = true;
            state.ready.push_back(id);
            drop(guard);
            self.inner.news.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; should one ever, the state is still whole.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How much may be written to a log stream. A share of what all together may still have: the more there
    /// are that read ahead, the less each does, and one that comes later finds room all the same. The least
    /// is everybody's own, so that streams which the component does not read hold up no other.
    fn room_of(&self, id: u32) -> usize {
        let Some(stream) = self.streams.get(&id) else { return MOST };
        let share = (ALL_TOGETHER.saturating_sub(self.unread) / SHARE).clamp(LEAST, MOST);
        // Less than half of the least is not worth a read; there is enough for the component to read first.
        share.checked_sub(stream.unread).filter(|room| *room >= LEAST / 2).unwrap_or_default()
    }
}

impl Stream {
    /// At most `max` bytes; a whole chunk moves without a copy.
    fn take(&mut self, max: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while let Some(mut chunk) = self.chunks.pop_front() {
            let room = max - taken.len();
            if chunk.len() > room {
                taken.extend_from_slice(&chunk.split_to(room));
                self.chunks.push_front(chunk);
                break;
            }
            if taken.is_empty() {
                taken = Vec::from(chunk);
            } else {
                taken.extend_from_slice(&chunk);
            }
            if taken.len() >= max {
                break;
            }
        }
        taken
    }
}

/// Bytes that may be unread of all log streams, beside each stream's least.
const ALL_TOGETHER: usize = 8 << 20;
/// Which part of what is left of them one log stream may have: one over this.
const SHARE: usize = 4;
/// Unread bytes that a log stream may have in any case, and those that it may have at most.
const LEAST: usize = 32 << 10;
const MOST: usize = 1 << 20;

#[cfg(test)]
mod tests;
