//! Log streams on their way from a source (Docker, standard input) to the component that reads them.
//!
//! A source opens a log stream on the [`Hub`] and writes bytes to it; the component's imports take them
//! off at the other end. What waits in between is bounded, and a source that is ahead waits: for Docker
//! that means the daemon keeps the bytes, and the container never notices.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, SetOnce, oneshot};

/// How the bytes of a log stream are to be understood; see `framing` in the WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Lines,
    LinesWithTimes,
    Frames,
    FramesWithTimes,
    JsonFile,
    JsonLines,
}

/// What the naming templates may see of a container; see `container` in the WIT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub name: String,
    pub image_name: String,
    pub image_id: String,
    pub hostname: String,
    pub daemon_name: String,
    pub entrypoint: String,
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub labels: Vec<(String, String)>,
    pub log_options: Vec<(String, String)>,
    pub created: String,
    pub log_path: String,
    pub event: String,
}

/// How far standard output or standard error has been taken; see `position` in the WIT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub offset: u64,
    pub time: u64,
    pub ordinal: u32,
    pub into_line: u64,
}

/// The positions of one log stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    pub stdout: Option<Position>,
    pub stderr: Option<Position>,
}

impl Positions {
    /// The offset to read on from so that nothing is missed on either side; 0 where a side is unknown.
    pub fn offset(&self) -> u64 {
        self.earliest(|position| position.offset)
    }

    /// The time to read on from so that nothing is missed on either side; 0 where a side is unknown.
    pub fn time(&self) -> u64 {
        self.earliest(|position| position.time)
    }

    fn earliest(&self, of: impl Fn(&Position) -> u64) -> u64 {
        let of = |side: &Option<Position>| side.as_ref().map_or(0, &of);
        of(&self.stdout).min(of(&self.stderr))
    }
}

/// How a log stream begins; see `opened` in the WIT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub framing: Framing,
    pub start: u64,
    pub taken: Positions,
    pub terminal: bool,
    pub container: Container,
}

/// Why a log stream has no more bytes; see `pause` in the WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    Interrupted,
    Stopped,
    Ended,
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
}

/// For sources that cannot be read again.
pub struct KeepNothing;

impl Keep for KeepNothing {
    fn keep(&self, _accepted: &Positions) {}
}

/// Unread bytes of one log stream past which its source waits.
const ROOM: usize = 1 << 20;

/// Where sources and the component's imports meet.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// Told when there is something for the component to look at.
    news: Notify,
    /// The fields by which events are kept apart.
    kept_apart: SetOnce<Vec<String>>,
}

struct State {
    phase: Phase,
    phase_seen: bool,
    last_id: u32,
    streams: BTreeMap<u32, Stream>,
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
                    opened: VecDeque::new(),
                    ready: VecDeque::new(),
                }),
                news: Notify::new(),
                kept_apart: SetOnce::new(),
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

    /// The fields by which events are kept apart, once the component has named them.
    pub async fn kept_apart(&self) -> &[String] {
        self.inner.kept_apart.wait().await
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
    /// Hands bytes on, and waits while the component is far behind. Bytes written after the component
    /// let go of the log stream are forgotten.
    pub async fn write(&self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let full = self.hub.announce(self.id, |stream| {
            stream.unread += bytes.len();
            stream.chunks.push_back(bytes);
            stream.unread >= ROOM
        });
        if full == Some(true) {
            self.wait_for_room().await;
        }
    }

    async fn wait_for_room(&self) {
        loop {
            let room = self.room.notified();
            let full = self.hub.lock().streams.get(&self.id).is_some_and(|stream| stream.unread >= ROOM);
            if !full {
                return;
            }
            room.await;
        }
    }

    /// Says that there is no more for the time being, and waits until the component, having read all
    /// there was, wants to go on. Returns what it has read completely: go on at or before that, with the
    /// first byte at [`Positions::offset`] where offsets count. `None`: it has let go of the log stream.
    pub async fn pause(&self, pause: Pause) -> Option<Positions> {
        let (resume, resumed) = oneshot::channel();
        self.hub.announce(self.id, |stream| {
            stream.pause = Some(pause);
            stream.resume = Some(resume);
        });
        resumed.await.ok()
    }

    /// Says that nothing will ever come again.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.hub.announce(self.id, |stream| stream.pause = Some(Pause::Ended));
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
        let mut state = self.lock();
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
        if stream.unread < ROOM {
            stream.room.notify_one();
        }
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

    /// See `logs.keep-apart` in the WIT; only the first time counts.
    pub fn keep_apart(&self, fields: Vec<String>) {
        let _ = self.inner.kept_apart.set(fields);
    }

    /// The component lets go of a log stream.
    pub fn release(&self, id: u32) {
        if let Some(stream) = self.lock().streams.remove(&id) {
            stream.room.notify_one();
        }
    }

    /// Changes a log stream and makes sure the component looks at it.
    fn announce<R>(&self, id: u32, change: impl FnOnce(&mut Stream) -> R) -> Option<R> {
        let mut state = self.lock();
        let stream = state.streams.get_mut(&id)?;
        let result = change(stream);
        if !stream.announced {
            stream.announced = true;
            state.ready.push_back(id);
            drop(state);
            self.inner.news.notify_one();
        }
        Some(result)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; should one ever, the state is still whole.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests;
