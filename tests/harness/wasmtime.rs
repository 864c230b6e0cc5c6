//! The component by itself, under the `wasmtime` command line: nothing of ours around it.

use std::process::Command;

use crate::process::installed;
use crate::program::{KEY_ID, Program, SECRET, target};

/// `wasmtime run` of the component with good credentials.
pub fn component() -> Program {
    bare().env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET)
}

/// `wasmtime run` of the component without credentials.
pub fn bare() -> Program {
    let file = target().join("cloudspout.wasm");
    assert!(file.exists(), "{} is missing: run cargo xtask wasm first", file.display());
    let program = Program::of(Command::new(installed("wasmtime/bin/wasmtime")));
    program.args(&["run", "-S", "http,inherit-env", file.to_str().expect("UTF-8")])
}
