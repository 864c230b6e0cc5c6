//! The core as a WASI component: the WIT's imports drive the machine.

// What exports a component is generated, and unsafe.
#![allow(unsafe_code)]

mod bindings;
mod convert;
mod http;
mod run;

use bindings::{Failure, Guest};

struct Component;

impl Guest for Component {
    fn run() -> Result<(), Failure> {
        run::run()
    }
}

bindings::export!(Component with_types_in bindings);
