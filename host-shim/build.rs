//! Builds the component from the workspace's root package, and compiles it ahead of time.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

include!("src/engine_config.rs");

const TARGET: &str = "wasm32-wasip2";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = here.parent().ok_or("the crate lies in a workspace")?;
    for input in ["src", "wit", "Cargo.toml", "Cargo.lock", ".cargo/config.toml"] {
        // Relative: where several checkouts share a target directory, each looks at its own.
        println!("cargo::rerun-if-changed=../{input}");
    }
    println!("cargo::rerun-if-changed=src/engine_config.rs");

    let component = build_component(root, &out)?;
    let host = env::var("TARGET")?;
    let component = std::fs::read(&component)?;
    for (config, name) in
        [(engine_config(&host)?, "cloudspout.cwasm"), (interruptible_config(&host)?, "interruptible.cwasm")]
    {
        let compiled = wasmtime::Engine::new(&config)?.precompile_component(&component)?;
        std::fs::write(out.join(name), compiled)?;
    }
    println!("cargo::rustc-env=CLOUDSPOUT_TARGET={host}");
    Ok(())
}

/// Runs cargo for the component, in a target directory of its own: the outer cargo holds the lock of the
/// other one.
fn build_component(root: &Path, out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    add_target(root)?;
    // Shared by all profiles and runs: target/component, beside target/release.
    let target_dir = out.ancestors().nth(4).ok_or("OUT_DIR lies in a target directory")?.join("component");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--package", "cloudspout", "--lib", "--profile", "component", "--target", TARGET]);
    cargo.arg("--target-dir").arg(&target_dir).current_dir(root);
    clean_environment(&mut cargo);
    let status = cargo.status()?;
    if !status.success() {
        return Err(format!("the component cannot be built: cargo ended with {status}").into());
    }
    Ok(target_dir.join(TARGET).join("component").join("cloudspout.wasm"))
}

/// What the outer cargo tells its build scripts is not meant for the inner one.
fn clean_environment(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let flags =
            ["RUSTFLAGS", "RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTDOC"].contains(&name);
        let cargos = name.starts_with("CARGO_")
            && !["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_BUILD_JOBS"].contains(&name);
        if flags || cargos {
            command.env_remove(name);
        }
    }
}

/// Adds the wasm target to the toolchain where it is missing.
fn add_target(root: &Path) -> Result<(), Box<dyn Error>> {
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    if Path::new(String::from_utf8(output.stdout)?.trim()).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).current_dir(root).status();
    match added {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("the Rust target {TARGET} is missing: `rustup target add {TARGET}` adds it").into()),
    }
}
