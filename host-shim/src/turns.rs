//! Who computes next: instances take turns on the processors, by weight.
//!
//! An instance is polled only while it holds a turn, and there are as many turns as processors, so that what
//! the host itself has to do always finds a thread. A turn ends when the instance waits, or with the next tick
//! of the engine's epoch, which makes it yield. Whoever has computed least, by its weight, goes first.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use wasmtime::Engine;

use crate::account::Account;

/// The turns of all instances. Clones share them.
#[derive(Clone)]
pub struct Turns {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Told when somebody begins to compute.
    begun: Condvar,
}

struct State {
    free: usize,
    /// Turns that are taken.
    taken: usize,
    /// How far the last one that was let in had come: whoever waited for something else goes on from there,
    /// and has not saved up time meanwhile.
    reached: u64,
    /// By how much they have computed, then by number.
    waiting: BTreeMap<(u64, u64), Waker>,
    last_number: u64,
}

impl Turns {
    /// So many at a time. While anybody computes, the engine's epoch ticks.
    ///
    /// # Errors
    /// The thread that ticks cannot be started.
    pub fn new(at_a_time: usize, engine: Engine) -> std::io::Result<Turns> {
        let turns = Turns::without_ticks(at_a_time);
        let shared = Arc::downgrade(&turns.shared);
        std::thread::Builder::new().name("ticks".to_owned()).spawn(move || tick(&shared, &engine))?;
        Ok(turns)
    }

    fn without_ticks(at_a_time: usize) -> Turns {
        let state =
            State { free: at_a_time.max(1), taken: 0, reached: 0, waiting: BTreeMap::new(), last_number: 0 };
        Turns { shared: Arc::new(Shared { state: Mutex::new(state), begun: Condvar::new() }) }
    }

    /// Polls a future only in turns of its own. Twice the weight is twice the time, when there is not enough.
    pub fn take<F: Future>(&self, weight: u32, account: Arc<Account>, future: F) -> Taking<F> {
        let mut state = self.shared.lock();
        state.last_number += 1;
        let number = state.last_number;
        drop(state);
        Taking {
            shared: Arc::clone(&self.shared),
            number,
            weight: weight.max(1),
            spent: 0,
            stage: Stage::Out { since: Instant::now() },
            account,
            future: Box::pin(future),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; should one ever, the state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a turn back, and wakes whoever goes next.
    fn give_back(&self) {
        let mut state = self.lock();
        state.taken -= 1;
        state.free += 1;
        let next = state.waiting.first_key_value().map(|(_, waker)| waker.clone());
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}

/// A future that is polled in turns.
pub struct Taking<F> {
    shared: Arc<Shared>,
    number: u64,
    weight: u32,
    /// How much it has computed, in nanoseconds over its weight.
    spent: u64,
    stage: Stage,
    account: Arc<Account>,
    future: Pin<Box<F>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Computing, or waiting for something else than its turn.
    Out { since: Instant },
    /// In line, under this key.
    Waiting(u64),
}

impl<F: Future> Future for Taking<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        if !this.enter(context.waker()) {
            return Poll::Pending;
        }
        let began = Instant::now();
        let polled = this.future.as_mut().poll(context);
        let ended = Instant::now();
        let computed = ended - began;
        let spent = u64::try_from(computed.as_nanos()).unwrap_or(u64::MAX);
        this.spent = this.spent.saturating_add(spent.saturating_mul(ONE) / u64::from(this.weight));
        this.account.computed(computed);
        this.stage = Stage::Out { since: ended };
        if this.account.was_preempted() && polled.is_pending() {
            // It would go on at once, and so is in line from here on: whoever is further must not go first only
            // for being quicker back.
            let key = (this.spent, this.number);
            this.shared.lock().waiting.insert(key, context.waker().clone());
            this.stage = Stage::Waiting(this.spent);
        }
        this.shared.give_back();
        polled
    }
}

impl<F> Taking<F> {
    /// Whether it may be polled now; if not, its waker is called when it may be.
    fn enter(&mut self, waker: &Waker) -> bool {
        let mut state = self.shared.lock();
        let key = match self.stage {
            Stage::Waiting(key) => key,
            Stage::Out { since } => {
                self.account.waited(since.elapsed());
                self.spent.max(state.reached)
            }
        };
        let is_next = state.waiting.first_key_value().is_none_or(|(first, _)| (key, self.number) <= *first);
        if state.free == 0 || !is_next {
            state.waiting.insert((key, self.number), waker.clone());
            self.stage = Stage::Waiting(key);
            let next = state.waiting.first_key_value().map(|(_, waker)| waker.clone());
            let free = state.free > 0;
            drop(state);
            // Whoever is first may have been woken before it was in line.
            if let Some(next) = next.filter(|_| free) {
                next.wake();
            }
            return false;
        }
        state.waiting.remove(&(key, self.number));
        self.stage = Stage::Out { since: Instant::now() };
        self.spent = key;
        state.reached = state.reached.max(key);
        state.free -= 1;
        state.taken += 1;
        // Another may go in beside it.
        let next = state.waiting.first_key_value().map(|(_, waker)| waker.clone());
        let next = next.filter(|_| state.free > 0);
        drop(state);
        self.shared.begun.notify_one();
        if let Some(next) = next {
            next.wake();
        }
        true
    }
}

impl<F> Drop for Taking<F> {
    fn drop(&mut self) {
        let Stage::Waiting(key) = self.stage else { return };
        let mut state = self.shared.lock();
        state.waiting.remove(&(key, self.number));
        let next = state.waiting.first_key_value().map(|(_, waker)| waker.clone());
        drop(state);
        // It may have been this one that was woken.
        if let Some(next) = next {
            next.wake();
        }
    }
}

/// Lets the epoch tick while anybody computes, and sleeps while nobody does.
fn tick(shared: &Weak<Shared>, engine: &Engine) {
    while let Some(shared) = shared.upgrade() {
        let state = shared.lock();
        let idle = |state: &mut State| state.taken == 0 && state.waiting.is_empty();
        let waited = shared.begun.wait_timeout_while(state, LOOK_AGAIN_AFTER, idle);
        let idle = waited.is_ok_and(|(_, waited)| waited.timed_out());
        drop(shared);
        if !idle {
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    }
}

/// How long a turn is while others wait.
pub const TICK: Duration = Duration::from_millis(5);
/// How often the thread that ticks looks whether it is still wanted.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// The weight by which a nanosecond counts as one.
const ONE: u64 = 100;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Computes in pieces of 200 us, yielding after each, until it is told to stop; how long it computed.
    async fn compute(account: Arc<Account>, stop: Arc<AtomicBool>) -> Duration {
        let mut computed = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            while began.elapsed() < Duration::from_micros(200) {}
            // Longer, if the machine has other things to do; that counts as its own.
            computed += began.elapsed();
            account.preempt();
            tokio::task::yield_now().await;
        }
        computed
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn time_is_shared_by_weight() {
        let turns = Turns::without_ticks(1);
        let stop = Arc::new(AtomicBool::new(false));
        let begin = |weight| {
            let account = Arc::new(Account::default());
            let future =
                turns.take(weight, Arc::clone(&account), compute(Arc::clone(&account), stop.clone()));
            tokio::spawn(future)
        };
        let (light, heavy) = (begin(100), begin(300));
        tokio::time::sleep(Duration::from_millis(600)).await;
        stop.store(true, Ordering::Relaxed);
        let (light, heavy) = (light.await.unwrap(), heavy.await.unwrap());
        let ratio = heavy.as_secs_f64() / light.as_secs_f64();
        assert!((1.8..4.8).contains(&ratio), "{light:?} and {heavy:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn whoever_was_away_is_let_in_soon_and_has_saved_up_nothing() {
        let turns = Turns::without_ticks(1);
        let stop = Arc::new(AtomicBool::new(false));
        let hogs: Vec<_> = (0..4)
            .map(|_| {
                let account = Arc::new(Account::default());
                let future =
                    turns.take(100, Arc::clone(&account), compute(Arc::clone(&account), stop.clone()));
                tokio::spawn(future)
            })
            .collect();
        let account = Arc::new(Account::default());
        let sleeper = turns.take(100, Arc::clone(&account), async {
            let mut late = Duration::ZERO;
            for _ in 0..20 {
                let began = Instant::now();
                tokio::time::sleep(Duration::from_millis(10)).await;
                late += began.elapsed() - Duration::from_millis(10);
            }
            late / 20
        });
        let late = tokio::spawn(sleeper).await.unwrap();
        stop.store(true, Ordering::Relaxed);
        for hog in hogs {
            assert!(hog.await.unwrap() > Duration::from_millis(10));
        }
        assert!(late < Duration::from_millis(30), "{late:?}");
        assert!(account.to_no_effect() < Duration::from_millis(50), "a sleeper waits");
    }

    #[tokio::test]
    async fn one_that_is_dropped_in_line_keeps_nobody_out() {
        let turns = Turns::without_ticks(1);
        let account = Arc::new(Account::default());
        let mut first = turns.take(1, Arc::clone(&account), std::future::ready(1));
        turns.shared.lock().free = 0;
        let waker = Waker::noop();
        assert!(Pin::new(&mut first).poll(&mut Context::from_waker(waker)).is_pending());
        let second = turns.take(1, account, std::future::ready(2));
        turns.shared.lock().free = 1;
        drop(first);
        assert_eq!(second.await, 2);
    }
}
