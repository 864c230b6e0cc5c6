//! The number of a worker: of those that log, in the order of their first request.

use std::cell::OnceCell;

use proxy_wasm::hostcalls::{get_shared_data, set_shared_data};
use proxy_wasm::types::Status;

use crate::line::{Attributes, WORKER};

thread_local! {
    /// An instance keeps its number for as long as Envoy keeps the instance.
    static NUMBER: OnceCell<u64> = const { OnceCell::new() };
}

/// How many have a number; what instances of one `vm_id` share.
const TAKEN: &str = "cloudspout.workers";
/// A number is missed only if others take one meanwhile.
const TRIES: usize = 1_000;

/// Begins to count. The first instance is there, and configured, before there are others.
pub fn prepare() {
    if let Ok((None, _)) = get_shared_data(TAKEN) {
        let _ = set_shared_data(TAKEN, Some(b"0"), None);
    }
}

/// The number of this one.
pub fn number() -> u64 {
    NUMBER.with(|number| *number.get_or_init(|| take().unwrap_or_default()))
}

fn take() -> Option<u64> {
    for _ in 0..TRIES {
        let (taken, version) = get_shared_data(TAKEN).ok()?;
        let number: u64 = String::from_utf8(taken?).ok()?.parse().ok()?;
        match set_shared_data(TAKEN, Some((number + 1).to_string().as_bytes()), version) {
            Ok(()) => return Some(number),
            Err(Status::CasMismatch) => {}
            Err(_) => return None,
        }
    }
    None
}

/// Attributes of the node, and a number that any worker might have: to try names out.
pub struct Any<'a, A>(pub &'a A);

impl<A: Attributes> Attributes for Any<'_, A> {
    fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        if path == WORKER.as_bytes() { Some(b"0".to_vec()) } else { self.0.read(path) }
    }
}
