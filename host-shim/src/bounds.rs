//! What one instance may take of the machine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{ResourceLimiter, Result};

use crate::usage::Usage;

/// Bounds of one instance. What it holds beside its memory, in the host, is bounded in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Linear memory, in bytes; none for no bound but the address space.
    pub memory: Option<usize>,
    /// The share of the processors when there is not enough for all, to that of others: 100 is usual.
    pub weight: u32,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { memory: None, weight: 100 }
    }
}

/// A bound that an instance ran into, and was ended for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// It wanted more memory than so many bytes.
    Memory(usize),
    /// It computed for so long, and read nothing and had no request answered meanwhile.
    Endless(Duration),
}

/// An instance that computes for so long to no effect is taken to do so for ever: whatever it can have to do with
/// what it may hold takes a fraction of that.
pub const ENDLESS: Duration = Duration::from_secs(10);
/// Resources of the host that an instance may hold: log streams, requests, things to wait for.
pub const MOST_RESOURCES: usize = 1 << 16;
/// Elements of its tables; the component has some hundreds.
const MOST_ELEMENTS: usize = 1 << 16;
/// Modules that it is made of, tables, and memories. What Python makes has some dozens.
const MOST_PARTS: usize = 128;

/// Watches over the memory of an instance.
#[derive(Debug)]
pub struct MemoryBound {
    most: Option<usize>,
    /// What its memories have together.
    held: usize,
    usage: Arc<Usage>,
}

impl MemoryBound {
    pub fn new(most: Option<usize>, usage: Arc<Usage>) -> MemoryBound {
        MemoryBound { most, held: 0, usage }
    }
}

impl ResourceLimiter for MemoryBound {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let held = self.held.saturating_add(desired.saturating_sub(current));
        match self.most.filter(|most| held > *most) {
            // Refusing would have it end with less to say for itself.
            Some(most) => Err(Exceeded::Memory(most).into()),
            None => {
                self.held = held;
                self.usage.grow(desired.saturating_sub(current));
                Ok(true)
            }
        }
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(desired <= MOST_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MOST_PARTS
    }

    fn tables(&self) -> usize {
        MOST_PARTS
    }

    fn memories(&self) -> usize {
        MOST_PARTS
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exceeded::Memory(most) => {
                write!(out, "it wanted more memory than the {} MiB that it may have", most >> 20)
            }
            Exceeded::Endless(time) => {
                write!(
                    out,
                    "it computed for {} s, in which it read nothing and had no request answered",
                    time.as_secs()
                )
            }
        }
    }
}

impl std::error::Error for Exceeded {}
