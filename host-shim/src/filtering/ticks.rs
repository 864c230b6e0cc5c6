//! The clock by which filters are interrupted.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use wasmtime::Engine;

use crate::turns::TICK;

/// Lets the epoch of an engine tick while a call is under way, and sleeps while none is.
pub struct Ticks {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    calls: Mutex<Calls>,
    changed: Condvar,
}

#[derive(Default)]
struct Calls {
    under_way: usize,
    over: bool,
}

/// A call under way, until it is dropped.
pub struct Call(Arc<Shared>);

impl Ticks {
    /// # Errors
    /// The thread cannot be started.
    pub fn start(engine: &Engine) -> std::io::Result<Ticks> {
        let shared = Arc::new(Shared::default());
        let (theirs, engine) = (Arc::clone(&shared), engine.weak());
        std::thread::Builder::new().name("filter-ticks".to_owned()).spawn(move || {
            while theirs.wait_for_calls() {
                std::thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })?;
        Ok(Ticks { shared })
    }

    /// A call begins.
    pub fn call(&self) -> Call {
        self.shared.lock().under_way += 1;
        self.shared.changed.notify_one();
        Call(Arc::clone(&self.shared))
    }
}

impl Shared {
    /// Whether there is a call under way, at last; `false` once there will be none.
    fn wait_for_calls(&self) -> bool {
        let idle = |calls: &mut Calls| calls.under_way == 0 && !calls.over;
        let calls = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        !calls.over
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // No code panics while it holds the lock; should one ever, the number is still right.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
    }
}

impl Drop for Ticks {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_one();
    }
}
