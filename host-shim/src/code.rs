//! Compiled code where it lies in the program: it is not copied, and what is never used of it is never read.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::mm::{MprotectFlags, mprotect};
use wasmtime::component::Component;
use wasmtime::{Config, CustomCodeMemory, Engine};

/// A component that the build script has compiled.
pub struct Compiled {
    code: &'static Paged<[u8]>,
    /// Whether an engine has it in place: engines know code by its address, so the others need a copy.
    taken: AtomicBool,
}

/// Bytes that begin where a page does, of whatever size pages are.
#[repr(C, align(65536))]
pub struct Paged<T: ?Sized>(pub T);

impl Compiled {
    pub const fn new(code: &'static Paged<[u8]>) -> Compiled {
        Compiled { code, taken: AtomicBool::new(false) }
    }

    /// Has an engine load it that is configured as the build script's was, and for [`in_place`].
    pub fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        let Paged(code) = self.code;
        // SAFETY: the bytes are what the build script's engine wrote, and nobody can have changed them
        // without changing this program. They are there for as long as it runs.
        unsafe {
            if self.taken.swap(true, Ordering::Relaxed) {
                Component::deserialize(engine, code)
            } else {
                Component::deserialize_raw(engine, NonNull::from(code))
            }
        }
    }
}

/// Lets an engine run code that is not its own to keep.
pub fn in_place(config: &mut Config) {
    config.with_custom_code_memory(Some(Arc::new(InPlace)));
}

struct InPlace;

impl CustomCodeMemory for InPlace {
    fn required_alignment(&self) -> usize {
        rustix::param::page_size()
    }

    fn publish_executable(&self, code: *const u8, length: usize) -> wasmtime::Result<()> {
        let flags = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: nothing writes to these pages, whether they are the program's or the engine's own.
        Ok(unsafe { mprotect(code.cast_mut().cast(), length, flags) }?)
    }

    fn unpublish_executable(&self, _code: *const u8, _length: usize) -> wasmtime::Result<()> {
        // It can do no harm where it is, and the engine is about to give back what is its own.
        Ok(())
    }
}
