//! Reads an attribute by a path that is made once; the SDK would make it anew for each request, and panic
//! at an answer it does not know.

#![expect(unsafe_code, reason = "a call into Envoy, which hands over memory that it had us allocate")]

use std::ptr;

use proxy_wasm::types::Status;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        value: *mut *mut u8,
        value_size: *mut usize,
    ) -> u32;
}

/// The value of an attribute; `path` has a NUL between its parts.
pub fn read(path: &[u8]) -> Option<Vec<u8>> {
    let (mut value, mut size) = (ptr::null_mut(), 0);
    // SAFETY: the path outlives the call, and Envoy writes to nothing but the two places.
    let status = unsafe { proxy_get_property(path.as_ptr(), path.len(), &raw mut value, &raw mut size) };
    if status != Status::Ok as u32 {
        return None;
    }
    if value.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: Envoy has the value's memory allocated by `proxy_on_memory_allocate`, which gives away a boxed
    // slice of this very size, and keeps no pointer to it.
    Some(unsafe { Vec::from_raw_parts(value, size, size) })
}
