//! Filters: components of somebody else's that have a say in what is shipped.
//!
//! A filter (`world filter` in the WIT) is compiled once ([`Filters::load`]), whoever uses it. Each instance of the
//! shipping component that uses one has an instance of the filter to itself, in a store of its own ([`call`]): with
//! a bound on its memory, on the time that a call computes, and on what it returns. It may import WASI, as compilers
//! have it, and finds nothing there: no file, no variable, no argument, no socket; its clocks stand still, and its
//! randomness is the same each time. A filter that breaks down is begun anew with the next call.

mod call;
mod ticks;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};

use crate::driver::interruptible_config;
use crate::imports::sha256;
pub(crate) use call::Filtering;
use call::Inside;
use ticks::Ticks;

/// Compiles filters. Clones share what they have compiled.
#[derive(Clone)]
pub struct Filters {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    linker: Linker<Inside>,
    ticks: Arc<Ticks>,
    /// By the digest of what it was compiled from.
    compiled: Mutex<BTreeMap<Vec<u8>, Weak<Compiled>>>,
}

/// A filter, and what it may take. Clones are the same one, each with instances of its own.
#[derive(Clone)]
pub struct Filter {
    compiled: Arc<Compiled>,
    bounds: FilterBounds,
}

struct Compiled {
    component: InstancePre<Inside>,
    apply: ComponentExportIndex,
    ticks: Arc<Ticks>,
    digest: Vec<u8>,
}

/// What an instance of a filter may take of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterBounds {
    /// Linear memory, in bytes.
    pub memory: usize,
    /// How long one call may compute.
    pub time: Duration,
}

impl Default for FilterBounds {
    fn default() -> FilterBounds {
        FilterBounds { memory: 64 << 20, time: Duration::from_secs(2) }
    }
}

/// A file that cannot be used as a filter.
#[derive(Debug)]
pub struct FilterError {
    path: PathBuf,
    problem: String,
}

impl Filters {
    /// None yet.
    ///
    /// # Errors
    /// This machine cannot run what is compiled for it, or has no thread to spare.
    pub fn new() -> wasmtime::Result<Filters> {
        let engine = Engine::new(&interruptible_config(env!("CLOUDSPOUT_TARGET"))?)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        let ticks = Arc::new(Ticks::start(&engine)?);
        let compiled = Mutex::default();
        Ok(Filters { shared: Arc::new(Shared { engine, linker, ticks, compiled }) })
    }

    /// Compiles the filter in a file, unless that is done, and tries whether it can be begun. Compiling takes a
    /// moment, or some, and a thread meanwhile.
    ///
    /// # Errors
    /// The file cannot be read, or is no component of the world `filter`.
    pub async fn load(&self, path: &Path, bounds: FilterBounds) -> Result<Filter, FilterError> {
        let wrong = |problem: String| FilterError { path: path.to_owned(), problem };
        let bytes = tokio::fs::read(path).await.map_err(|error| wrong(error.to_string()))?;
        let shared = Arc::clone(&self.shared);
        tracing::debug!(filter = %path.display(), bytes = bytes.len(), "compiling");
        let compiled = tokio::task::spawn_blocking(move || shared.compiled(&bytes)).await;
        let compiled = compiled.map_err(|error| wrong(error.to_string()))?.map_err(wrong)?;
        let filter = Filter { compiled, bounds };
        Filtering::new(filter.clone()).begin().await.map_err(wrong)?;
        Ok(filter)
    }
}

impl Shared {
    fn compiled(&self, bytes: &[u8]) -> Result<Arc<Compiled>, String> {
        let digest = sha256(bytes);
        // Held while it compiles: whoever wants the same waits for it.
        let mut known = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known.get(&digest).and_then(Weak::upgrade) {
            return Ok(compiled);
        }
        let component = Component::new(&self.engine, bytes)
            .map_err(|error| format!("it is no WebAssembly component: {}", brief(&error)))?;
        let interface = component.get_export_index(None, INTERFACE);
        let apply = interface.and_then(|interface| component.get_export_index(Some(&interface), "apply"));
        let apply =
            apply.ok_or_else(|| format!("it does not export {INTERFACE}, as the world `filter` does"))?;
        let component = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| format!("it imports what no filter is given: {}", brief(&error)))?;
        let compiled = Arc::new(Compiled { component, apply, ticks: Arc::clone(&self.ticks), digest });
        known.retain(|_, known| known.strong_count() > 0);
        known.insert(compiled.digest.clone(), Arc::downgrade(&compiled));
        Ok(compiled)
    }
}

/// The first line of what there is to say: the rest shows bytes.
fn brief(error: &wasmtime::Error) -> String {
    format!("{error:#}").lines().next().unwrap_or_default().to_owned()
}

/// What a filter exports.
const INTERFACE: &str = "cloudspout:host/filtering@0.1.0";

impl Filter {
    /// Tells it from others: the SHA-256 of its file.
    pub fn digest(&self) -> &[u8] {
        &self.compiled.digest
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "filter {}: {}", self.path.display(), self.problem)
    }
}

impl std::error::Error for FilterError {}
