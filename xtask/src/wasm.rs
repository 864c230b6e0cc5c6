//! `cargo xtask wasm`: the component for hosts that offer nothing but WASI, as one file.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::machine;

const TARGET: &str = "wasm32-wasip2";

/// Builds it, and says where it is.
///
/// # Errors
/// It cannot be built or copied.
pub fn run(options: &[&str]) -> Result<(), String> {
    if let Some(option) = options.first() {
        return Err(format!("wasm does not know {option}"));
    }
    let file = build()?;
    println!("{}", file.display());
    Ok(())
}

fn build() -> Result<PathBuf, String> {
    // Where the program's build script has its component built: what both worlds rest on is built once.
    let target_dir = machine::target().join("component");
    let mut cargo = Command::new(machine::cargo());
    cargo.current_dir(machine::root());
    cargo.args(["build", "--package", "cloudspout", "--lib", "--features", "command"]);
    cargo.args(["--profile", "component", "--target", TARGET, "--target-dir"]).arg(&target_dir);
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err(format!("the component cannot be built: cargo ended with {status}"));
    }
    // The build script's component has the same name there.
    let built = target_dir.join(TARGET).join("component/cloudspout.wasm");
    let file = machine::target().join("cloudspout.wasm");
    fs::copy(&built, &file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}
