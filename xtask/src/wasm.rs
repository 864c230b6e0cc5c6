//! `cargo xtask wasm` and `cargo xtask envoy`: what runs in hosts that are not ours, each as one file.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::machine;

/// What is built, and for whom.
#[derive(Clone, Copy)]
pub struct Artifact {
    command: &'static str,
    target: &'static str,
    package: &'static [&'static str],
    /// As cargo calls it.
    built: &'static str,
    file: &'static str,
}

/// The component for hosts that offer nothing but WASI.
pub const COMPONENT: Artifact = Artifact {
    command: "wasm",
    target: "wasm32-wasip2",
    package: &["--package", "cloudspout", "--features", "command"],
    built: "cloudspout.wasm",
    file: "cloudspout.wasm",
};

/// The module for Envoy.
pub const ENVOY: Artifact = Artifact {
    command: "envoy",
    target: "wasm32-wasip1",
    package: &["--package", "cloudspout-envoy"],
    built: "cloudspout_envoy.wasm",
    file: "cloudspout-envoy.wasm",
};

/// Builds it, and says where it is.
///
/// # Errors
/// It cannot be built or copied.
pub fn run(artifact: Artifact, options: &[&str]) -> Result<(), String> {
    if let Some(option) = options.first() {
        return Err(format!("{} does not know {option}", artifact.command));
    }
    println!("{}", artifact.build()?.display());
    Ok(())
}

impl Artifact {
    /// Builds it; the file.
    ///
    /// # Errors
    /// It cannot be built or copied.
    pub fn build(self) -> Result<PathBuf, String> {
        // Where the program's build script has its component built: what all of them rest on is built once.
        let target_dir = machine::target().join("component");
        let mut cargo = Command::new(machine::cargo());
        cargo.current_dir(machine::root());
        cargo.arg("build").args(self.package).args(["--lib", "--profile", "component"]);
        cargo.args(["--target", self.target, "--target-dir"]).arg(&target_dir);
        let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
        if !status.success() {
            return Err(format!("{} cannot be built: cargo ended with {status}", self.file));
        }
        // The build script's component has the same name there.
        let built = target_dir.join(self.target).join("component").join(self.built);
        let file = machine::target().join(self.file);
        fs::copy(&built, &file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(file)
    }
}
