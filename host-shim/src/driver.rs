//! Loads the component, and runs instances of it.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::{Component, HasSelf, Linker, ResourceTable, WasmList};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

pub use crate::bindings::cloudspout::host::settings::{
    Collisions, Compression, NamingMode, Options, Output, Overrides, WhenFull, Wrap,
};
use crate::bindings::{self, ShipperPre};
use crate::clock::{Clock, SystemClock, WallClock};
use crate::credentials::Provider;
use crate::dead_letters::DeadLetters;
use crate::imports::sha256;
use crate::reports::Reporter;
use crate::streams::Hub;
use crate::transport::{Hooks, Transport};

include!("engine_config.rs");

/// The component, compiled ahead of time by the build script.
static COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cloudspout.cwasm"));

/// The component, ready to be run any number of times.
#[derive(Clone)]
pub struct Runtime {
    component: ShipperPre<State>,
    clock: Arc<dyn Clock>,
}

/// All that one instance can reach.
pub struct State {
    pub(crate) hub: Hub,
    pub(crate) options: Options,
    pub(crate) credentials: Arc<dyn Provider>,
    pub(crate) reporter: Arc<dyn Reporter>,
    pub(crate) dead_letters: Option<DeadLetters>,
    pub(crate) table: ResourceTable,
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
            collisions: Collisions::Share,
            own_group: false,
            own_stream: false,
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
    Other(String),
}

/// Why an instance ended in another way than it should.
#[derive(Debug)]
pub enum RunError {
    /// The component gave up.
    Failure(Failure),
    /// The component broke down, or cannot be loaded.
    Broken(wasmtime::Error),
}

impl Runtime {
    /// Loads the component.
    ///
    /// # Errors
    /// This machine cannot run it: it lacks instructions that it was compiled for.
    pub fn new() -> Result<Runtime, RunError> {
        load().map_err(RunError::Broken)
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
        let Means { credentials, transport, reporter, dead_letters } = means;
        let state = State {
            hub,
            options,
            credentials,
            reporter,
            dead_letters,
            table: ResourceTable::new(),
            http: Hooks(transport),
            wasi: WasiCtx::builder().wall_clock(WallClock(Arc::clone(&self.clock))).build(),
            wasi_http: WasiHttpCtx::new(),
        };
        let mut store = Store::new(self.component.engine(), state);
        let instance = self.component.instantiate_async(&mut store).await.map_err(RunError::Broken)?;
        let result = instance.call_run(&mut store).await.map_err(RunError::Broken)?;
        result.map_err(|given| RunError::Failure(failure(given)))
    }
}

fn load() -> wasmtime::Result<Runtime> {
    let engine = Engine::new(&engine_config(env!("CLOUDSPOUT_TARGET"))?)?;
    // SAFETY: the bytes are what the build script's engine wrote, and nobody can have changed them
    // without changing this program.
    let component = unsafe { Component::deserialize(&engine, COMPONENT)? };
    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bindings::cloudspout::host::logs::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::lifecycle::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::credentials::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::dead_letters::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::settings::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    bindings::cloudspout::host::reports::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    // By hand, because the generated binding would copy the body out of the component before hashing it.
    linker.instance("cloudspout:host/digest@0.1.0")?.func_wrap(
        "sha256",
        |store: StoreContextMut<'_, State>, (data,): (WasmList<u8>,)| {
            Ok((Some(sha256(data.as_le_slice(&store))),))
        },
    )?;
    let component = ShipperPre::new(linker.instantiate_pre(&component)?)?;
    Ok(Runtime { component, clock: Arc::new(SystemClock) })
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
            RunError::Broken(error) => write!(out, "the component broke down: {error:#}"),
        }
    }
}

impl std::error::Error for RunError {}
