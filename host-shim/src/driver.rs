//! Loads the component, and runs instances of it.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::{Component, HasSelf, Linker, ResourceTable, WasmList};
use wasmtime::{
    Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreContextMut, UpdateDeadline,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::account::Account;
pub use crate::bindings::cloudspout::host::settings::{
    Collisions, Compression, FilterFailure, NamingMode, Options, Output, Overrides, WhenFull, Wrap,
};
use crate::bindings::{self, ShipperPre};
use crate::bounds::{Bounds, ENDLESS, Exceeded, MOST_RESOURCES, MemoryBound};
use crate::clock::{Clock, SystemClock, WallClock};
use crate::code::{self, Compiled, Paged};
use crate::credentials::Provider;
use crate::dead_letters::DeadLetters;
use crate::filtering::{Filter, Filtering};
use crate::imports::sha256;
use crate::reports::Reporter;
use crate::streams::Hub;
use crate::transport::{Hooks, Transport};
use crate::turns::Turns;
use crate::usage::Usage;

include!("engine_config.rs");

/// The component, compiled ahead of time by the build script.
static COMPONENT: Compiled =
    Compiled::new(const { &Paged(*include_bytes!(concat!(env!("OUT_DIR"), "/cloudspout.cwasm"))) });
/// The same, such that it can be interrupted anywhere. That costs it some time, so one alone does without.
static INTERRUPTIBLE: Compiled =
    Compiled::new(const { &Paged(*include_bytes!(concat!(env!("OUT_DIR"), "/interruptible.cwasm"))) });

/// The component, ready to be run any number of times.
#[derive(Clone)]
pub struct Runtime {
    component: ShipperPre<State>,
    clock: Arc<dyn Clock>,
    /// Of instances that share the machine.
    turns: Option<Turns>,
}

/// All that one instance can reach.
pub struct State {
    pub(crate) hub: Hub,
    pub(crate) options: Options,
    pub(crate) credentials: Arc<dyn Provider>,
    pub(crate) reporter: Arc<dyn Reporter>,
    pub(crate) dead_letters: Option<DeadLetters>,
    pub(crate) filtering: Option<Filtering>,
    pub(crate) table: ResourceTable,
    pub(crate) account: Arc<Account>,
    memory: MemoryBound,
    usage: Arc<Usage>,
    http: Hooks,
    /// Empty: no files, no environment, no arguments, no sockets, no standard streams.
    wasi: WasiCtx,
    wasi_http: WasiHttpCtx,
}

/// What `cloudspout run` does without options; Region, log group and log stream are still to be named.
impl Default for Options {
    fn default() -> Options {
        Options {
            region: String::new(),
            endpoint: None,
            naming_mode: NamingMode::Native,
            overrides: Overrides::empty(),
            log_group_name: String::new(),
            log_stream_name: String::new(),
            tag: None,
            stderr_group_name: None,
            stderr_stream_name: None,
            only: None,
            confine: None,
            allow_regions: Vec::new(),
            allow_endpoints: Vec::new(),
            collisions: Collisions::Share,
            own_group: false,
            own_stream: false,
            filter: None,
            host_name: "localhost".to_owned(),
            instance_id: String::new(),
            create_group: true,
            create_stream: true,
            flush_after: 5_000,
            buffer_bytes: 64 << 20,
            compression: Compression::None,
            in_flight: 1,
            when_full: WhenFull::Wait,
            mark_gaps: false,
            dead_letters: false,
            time_field: None,
            message_field: None,
            multiline_pattern: None,
            datetime_format: None,
            time_format: None,
            time_zone: None,
            wrap: Wrap::None,
            wrap_fields: Vec::new(),
            event_format: None,
            retention_days: None,
            retain_existing: false,
            group_tags: Vec::new(),
            kms_key_id: None,
            log_group_class: None,
            fail_fast: false,
            seed: 0,
        }
    }
}

/// What an instance is given to work with.
pub struct Means {
    pub credentials: Arc<dyn Provider>,
    pub transport: Arc<dyn Transport>,
    pub reporter: Arc<dyn Reporter>,
    /// Where events go that CloudWatch refused for good, if anywhere.
    pub dead_letters: Option<DeadLetters>,
    /// What events go through, if `options.filter` asks for it.
    pub filter: Option<Filter>,
}

/// Why an instance gave up; `failure` in the WIT says what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    Settings(String),
    Credentials(String),
    Denied(String),
    Endpoint(String),
    Rejected(u64),
    Unfinished(u64),
    Filter(String),
    Other(String),
}

/// Why an instance ended in another way than it should.
#[derive(Debug)]
pub enum RunError {
    /// The component gave up.
    Failure(Failure),
    /// The component ran into a bound of its own.
    Exceeded(Exceeded),
    /// The component broke down, or cannot be loaded.
    Broken(wasmtime::Error),
}

impl Runtime {
    /// Loads the component.
    ///
    /// # Errors
    /// This machine cannot run it: it lacks instructions that it was compiled for.
    pub fn new() -> Result<Runtime, RunError> {
        let load = || {
            let mut config = engine_config(env!("CLOUDSPOUT_TARGET"))?;
            code::in_place(&mut config);
            load(&Engine::new(&config)?, &COMPONENT)
        };
        load().map_err(RunError::Broken)
    }

    /// Loads the component for many instances, so many at most at a time, that share the machine: their memory
    /// lies ready for them, and they take turns on so many processors. They are to be run by an executor with a
    /// thread more than that.
    ///
    /// # Errors
    /// This machine cannot run it, or has no address space for so many.
    pub fn shared(instances: u32, processors: usize) -> Result<Runtime, RunError> {
        let load = || {
            let mut config = interruptible_config(env!("CLOUDSPOUT_TARGET"))?;
            code::in_place(&mut config);
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)));
            let engine = Engine::new(&config)?;
            let turns = Turns::new(processors, engine.clone())?;
            Ok(Runtime { turns: Some(turns), ..load(&engine, &INTERRUPTIBLE)? })
        };
        load().map_err(RunError::Broken)
    }

    /// Compiles another component of the world `shipper`; its instances are run in the place of the one at hand, and
    /// share the machine with those of this runtime. It takes a while.
    ///
    /// # Errors
    /// It is no component of that world.
    pub fn with_component(&self, component: &[u8]) -> Result<Runtime, RunError> {
        let engine = self.component.engine();
        let compile = || {
            let component = Component::new(engine, component)?;
            ShipperPre::new(linker(engine)?.instantiate_pre(&component)?)
        };
        Ok(Runtime { component: compile().map_err(RunError::Broken)?, ..self.clone() })
    }

    /// Has instances believe another clock than the machine's.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Runtime {
        Runtime { clock, ..self }
    }

    /// Runs an instance until the hub's phase and the component let it end. It can reach what is handed in
    /// here and nothing else; instances do not know of each other.
    ///
    /// # Errors
    /// The component gave up or broke down.
    pub async fn run(&self, hub: Hub, options: Options, means: Means) -> Result<(), RunError> {
        self.run_within(&Bounds::default(), hub, options, means).await
    }

    /// The same, within bounds. That it computes without end is noticed by a runtime that is
    /// [`shared`](Runtime::shared) only.
    ///
    /// # Errors
    /// The component gave up, broke down, or ran into a bound.
    pub async fn run_within(
        &self,
        bounds: &Bounds,
        hub: Hub,
        options: Options,
        means: Means,
    ) -> Result<(), RunError> {
        let mut store = self.store(bounds, hub, options, means);
        let State { account, usage, reporter, .. } = store.data();
        reporter.begin(usage);
        let account = Arc::clone(account);
        if self.turns.is_some() {
            let account = Arc::clone(&account);
            store.epoch_deadline_callback(move |_| {
                if account.to_no_effect() > ENDLESS {
                    return Err(Exceeded::Endless(ENDLESS).into());
                }
                account.preempt();
                Ok(UpdateDeadline::Yield(1))
            });
            store.set_epoch_deadline(1);
        }
        let run = async {
            let instance = self.component.instantiate_async(&mut store).await?;
            instance.call_run(&mut store).await
        };
        let result = match &self.turns {
            Some(turns) => turns.take(bounds.weight, account, run).await,
            None => run.await,
        };
        if !matches!(result, Ok(Ok(()))) {
            // Before the store goes, and its log streams with it.
            store.data().hub.abandon();
        }
        let result = result.map_err(|error| match error.downcast_ref::<Exceeded>() {
            Some(exceeded) => RunError::Exceeded(*exceeded),
            None => RunError::Broken(error),
        })?;
        result.map_err(|given| RunError::Failure(failure(given)))
    }

    pub(crate) fn component(&self) -> &ShipperPre<State> {
        &self.component
    }

    /// All that one instance can reach.
    pub(crate) fn store(&self, bounds: &Bounds, hub: Hub, options: Options, means: Means) -> Store<State> {
        let Means { credentials, transport, reporter, dead_letters, filter } = means;
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_RESOURCES);
        let usage = Arc::new(Usage::default());
        let account = Arc::new(Account::of(Arc::clone(&usage)));
        let state = State {
            hub,
            options,
            credentials,
            reporter,
            dead_letters,
            filtering: filter.map(|filter| Filtering::new(filter).on(Arc::clone(&account))),
            table,
            memory: MemoryBound::new(bounds.memory, Arc::clone(&usage)),
            usage,
            http: Hooks { transport, account: Arc::clone(&account) },
            account,
            wasi: WasiCtx::builder().wall_clock(WallClock(Arc::clone(&self.clock))).build(),
            wasi_http: WasiHttpCtx::new(),
        };
        let mut store = Store::new(self.component.engine(), state);
        store.limiter(|state| &mut state.memory);
        store
    }
}

/// Room for so many instances: each of them consists of a few modules, one of them with a memory.
fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(MODULES))
        .total_tables(instances.saturating_mul(MODULES))
        .total_memories(instances)
        .total_stacks(instances)
        .max_unused_warm_slots(instances.min(WARM))
        .table_elements(4_096);
    pool
}

/// Of what the component is made at most.
const MODULES: u32 = 4;
/// Slots that are kept as the last instance left them.
const WARM: u32 = 16;

fn load(engine: &Engine, compiled: &Compiled) -> wasmtime::Result<Runtime> {
    let component = compiled.load(engine)?;
    let component = ShipperPre::new(linker(engine)?.instantiate_pre(&component)?)?;
    Ok(Runtime { component, clock: Arc::new(SystemClock), turns: None })
}

/// All that an instance can call.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bindings::cloudspout::host::logs::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::lifecycle::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::credentials::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::dead_letters::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::filtering::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::settings::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::reports::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    // By hand, because the generated binding would copy the body out of the component before hashing it.
    linker.instance("cloudspout:host/digest@0.1.0")?.func_wrap(
        "sha256",
        |store: StoreContextMut<'_, State>, (data,): (WasmList<u8>,)| {
            Ok((Some(sha256(data.as_le_slice(&store))),))
        },
    )?;
    Ok(linker)
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.http, table: &mut self.table, ctx: &mut self.wasi_http }
    }
}

fn failure(given: bindings::Failure) -> Failure {
    match given {
        bindings::Failure::Settings(text) => Failure::Settings(text),
        bindings::Failure::Credentials(text) => Failure::Credentials(text),
        bindings::Failure::Denied(text) => Failure::Denied(text),
        bindings::Failure::Endpoint(text) => Failure::Endpoint(text),
        bindings::Failure::Rejected(events) => Failure::Rejected(events),
        bindings::Failure::Unfinished(events) => Failure::Unfinished(events),
        bindings::Failure::Filter(text) => Failure::Filter(text),
        bindings::Failure::Other(text) => Failure::Other(text),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Settings(text)
            | Failure::Credentials(text)
            | Failure::Denied(text)
            | Failure::Endpoint(text)
            | Failure::Filter(text)
            | Failure::Other(text) => out.write_str(text),
            Failure::Rejected(events) => {
                write!(
                    out,
                    "all was sent, but {events} events are missing for good: refused by CloudWatch, or dropped (see above)"
                )
            }
            Failure::Unfinished(events) => {
                write!(
                    out,
                    "ended with {events} events read and not delivered; what can be read again will be, at the next start with the same --state-dir"
                )
            }
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Failure(failure) => failure.fmt(out),
            RunError::Exceeded(exceeded) => exceeded.fmt(out),
            RunError::Broken(error) => write!(out, "the component broke down: {error:#}"),
        }
    }
}

impl std::error::Error for RunError {}
