// How the component is compiled and run. Shared with the build script by `include!`, so that what it
// compiles ahead of time is what the program can load: both sides must agree on every one of these.

/// The settings of the wasm engine, for a machine of this architecture (`x86_64`, `aarch64`).
fn engine_config(target: &str) -> wasmtime::Result<wasmtime::Config> {
    let mut config = wasmtime::Config::new();
    config.wasm_component_model(true);
    // A stack trace of what the component does wrong needs names, not line numbers.
    config.generate_address_map(false);
    config.target(target)?;
    if target.starts_with("x86_64") {
        // What every x86-64 server of the last fifteen years has (x86-64-v2), and SIMD needs. Naming a
        // target leaves out what the machine that builds happens to have.
        for flag in ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt", "has_cmpxchg16b"] {
            // SAFETY: it changes the code that is made; whether the machine that runs it can, is checked
            // when it is loaded.
            unsafe { config.cranelift_flag_enable(flag) };
        }
    }
    Ok(config)
}

/// The same, for instances that are to be interrupted wherever they are.
#[allow(dead_code, reason = "not all who include this run more than one")]
pub(crate) fn interruptible_config(target: &str) -> wasmtime::Result<wasmtime::Config> {
    let mut config = engine_config(target)?;
    config.epoch_interruption(true);
    Ok(config)
}
