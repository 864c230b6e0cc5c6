//! Filters to ship through: the examples, built as their READMEs say, and one that misbehaves.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::{file, installed, must};
use crate::program::target;

/// Compiling on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(600);

/// The example in Rust.
pub fn redact() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| cargo("../examples/redact", "redact"))
}

/// Lets events by as they are, unless one says how to misbehave.
pub fn hostile() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| cargo("hostile-filter", "cloudspout_hostile_filter"))
}

/// The example in Python.
pub fn sample() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = target().join("filters/sample.wasm");
        std::fs::create_dir_all(built.parent().expect("a folder")).expect("a folder");
        let mut python = Command::new(installed("venv/bin/python"));
        python.env("PYTHONPATH", installed("componentize")).env("PYTHONDONTWRITEBYTECODE", "1");
        python.arg(installed("componentize/bin/componentize-py"));
        python.args(["--wit-path", "../../wit", "--world", "filter", "componentize", "app", "-o"]);
        python.arg(&built).current_dir(file("../examples/sample"));
        must("componentize-py", &mut python, PATIENCE);
        built
    })
}

fn cargo(folder: &str, name: &str) -> PathBuf {
    let target = std::path::absolute(target()).expect("a path").join("filters");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "--target-dir"]).arg(&target);
    cargo.current_dir(file(folder));
    must("cargo build", &mut cargo, PATIENCE);
    target.join(format!("wasm32-wasip2/release/{name}.wasm"))
}
