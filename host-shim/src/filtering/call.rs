//! An instance of a filter, and calls of it, within bounds.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use wasmtime::component::{ResourceTable, TypedFunc};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use super::{Filter, FilterBounds};
use crate::account::Account;
use crate::bindings::cloudspout::host::filtering::{Events, Failure, Origin, Outcome};
use crate::bounds::{Exceeded, MemoryBound};

/// A filter at work for one instance of the shipping component.
pub struct Filtering {
    filter: Filter,
    /// What it computes is on this account, if anybody takes turns.
    account: Option<Arc<Account>>,
    /// None before the first call, and after one that it did not survive.
    instance: Option<Instance>,
}

struct Instance {
    store: Store<Inside>,
    apply: TypedFunc<(Origin, Events), (Result<Outcome, Failure>,)>,
}

/// All that a filter can reach.
pub struct Inside {
    memory: MemoryBound,
    table: ResourceTable,
    wasi: WasiCtx,
    meter: Arc<Meter>,
}

/// How long a call has computed.
struct Meter {
    most: Duration,
    /// When the piece under way began, and the time of those before, in nanoseconds.
    since: Instant,
    began: AtomicU64,
    spent: AtomicU64,
    /// Whether it was made to yield.
    preempted: AtomicBool,
    account: Option<Arc<Account>>,
}

impl Filtering {
    pub fn new(filter: Filter) -> Filtering {
        Filtering { filter, account: None, instance: None }
    }

    /// Has it compute on this account.
    pub fn on(self, account: Arc<Account>) -> Filtering {
        Filtering { account: Some(account), ..self }
    }

    /// Begins an instance, unless there is one.
    ///
    /// # Errors
    /// It cannot be begun within its bounds.
    pub async fn begin(&mut self) -> Result<(), String> {
        if self.instance.is_some() {
            return Ok(());
        }
        let Filter { compiled, bounds } = &self.filter;
        let _call = compiled.ticks.call();
        let mut store = Store::new(compiled.component.engine(), Inside::new(*bounds, self.account.clone()));
        store.limiter(|inside| &mut inside.memory);
        store.epoch_deadline_callback(|inside| inside.data().meter.tick());
        store.set_epoch_deadline(1);
        let meter = Arc::clone(&store.data().meter);
        let begin = async {
            let instance = compiled.component.instantiate_async(&mut store).await?;
            instance.get_typed_func(&mut store, compiled.apply)
        };
        let apply = meter.run(begin).await.map_err(|error| said(&error))?;
        self.instance = Some(Instance { store, apply });
        Ok(())
    }

    /// Calls it; an instance that does not survive that is given up.
    pub async fn apply(&mut self, origin: Origin, events: Events) -> Result<Outcome, Failure> {
        self.begin().await.map_err(Failure::Broken)?;
        let _call = self.filter.compiled.ticks.call();
        let Some(mut instance) = self.instance.take() else { return Err(Failure::Broken(String::new())) };
        let most = events.texts.len().saturating_mul(4).saturating_add(events.ends.len() * 64);
        instance.store.set_hostcall_fuel(most.saturating_add(BEYOND));
        instance.store.set_epoch_deadline(1);
        let meter = Arc::clone(&instance.store.data().meter);
        let call = instance.apply.call_async(&mut instance.store, (origin, events));
        let (returned,) = meter.run(call).await.map_err(|error| Failure::Broken(said(&error)))?;
        self.instance = Some(instance);
        returned
    }
}

/// What one call may return beside four times what it is called with, in bytes: texts, and names of destinations.
const BEYOND: usize = 6 << 20;
/// Things of WASI's that a filter may hold.
const MOST_RESOURCES: usize = 256;

impl Inside {
    fn new(bounds: FilterBounds, account: Option<Arc<Account>>) -> Inside {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_RESOURCES);
        let mut wasi = WasiCtx::builder();
        wasi.wall_clock(Still).monotonic_clock(Still).allow_tcp(false).allow_udp(false);
        wasi.secure_random(Deterministic::new(RANDOM.to_vec()));
        wasi.insecure_random(Deterministic::new(RANDOM.to_vec())).insecure_random_seed(0);
        Inside {
            memory: MemoryBound::new(Some(bounds.memory), Arc::default()),
            table,
            wasi: wasi.build(),
            meter: Arc::new(Meter {
                most: bounds.time,
                since: Instant::now(),
                began: AtomicU64::new(0),
                spent: AtomicU64::new(0),
                preempted: AtomicBool::new(false),
                account,
            }),
        }
    }
}

/// What is random to a filter, over and over.
const RANDOM: &[u8] = b"\x9e\x37\x79\xb9\x7f\x4a\x7c\x15\xbf\x58\x47\x6d\x1c\xe4\xe5\xb9";

/// A clock that stands still, at 1970.
struct Still;

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1_000_000_000
    }

    fn now(&self) -> u64 {
        0
    }
}

impl WasiView for Inside {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Meter {
    /// The epoch has ticked.
    fn tick(&self) -> wasmtime::Result<UpdateDeadline> {
        let now = self.now();
        let spent =
            self.spent.load(Ordering::Relaxed) + now.saturating_sub(self.began.load(Ordering::Relaxed));
        if Duration::from_nanos(spent) > self.most {
            return Err(Overdue(self.most).into());
        }
        self.preempted.store(true, Ordering::Relaxed);
        if let Some(account) = &self.account {
            account.preempt();
        }
        Ok(UpdateDeadline::Yield(1))
    }

    /// Runs a call to its end, or to that of its time.
    async fn run<F, T>(&self, call: F) -> wasmtime::Result<T>
    where
        F: Future<Output = wasmtime::Result<T>> + Send,
    {
        self.spent.store(0, Ordering::Relaxed);
        Metered { meter: self, call: Box::pin(call) }.await
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A call whose time is taken.
struct Metered<'a, T> {
    meter: &'a Meter,
    call: Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>,
}

impl<T> Future for Metered<'_, T> {
    type Output = wasmtime::Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Metered { meter, call } = self.get_mut();
        let began = meter.now();
        meter.began.store(began, Ordering::Relaxed);
        let polled = call.as_mut().poll(context);
        let spent = meter.now().saturating_sub(began);
        meter.spent.fetch_add(spent, Ordering::Relaxed);
        if let Some(account) = &meter.account {
            account.set_apart(Duration::from_nanos(spent));
        }
        if polled.is_pending() && !meter.preempted.swap(false, Ordering::Relaxed) {
            return Poll::Ready(Err(Waits.into()));
        }
        polled
    }
}

/// It has computed for longer than this.
#[derive(Debug)]
struct Overdue(Duration);

impl fmt::Display for Overdue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "it computed for more than {:?} (filter-max-time)", self.0)
    }
}

impl std::error::Error for Overdue {}

/// It waits, and nothing will ever come.
#[derive(Debug)]
struct Waits;

impl fmt::Display for Waits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("it waits for something, and a filter has nothing to wait for")
    }
}

impl std::error::Error for Waits {}

/// What went wrong, for people: of a trap, which one, without the trace.
fn said(error: &wasmtime::Error) -> String {
    if let Some(Exceeded::Memory(most)) = error.downcast_ref::<Exceeded>() {
        return format!("it wanted more than the {} MiB that it may have (filter-max-memory)", most >> 20);
    }
    if let Some(overdue) = error.downcast_ref::<Overdue>() {
        return overdue.to_string();
    }
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(trap) => format!("it broke down: {trap}"),
        None => format!("{error:#}"),
    }
}
