//! What `wit/` becomes in Rust.

#![allow(unsafe_code, clippy::all, missing_docs)]

wit_bindgen::generate!({
    world: "command",
    path: "wit",
    with: {
        "wasi:io/error@0.2.12": ::wasi::io::error,
        "wasi:io/poll@0.2.12": ::wasi::io::poll,
        "wasi:io/streams@0.2.12": ::wasi::io::streams,
        "wasi:clocks/monotonic-clock@0.2.12": ::wasi::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": ::wasi::clocks::wall_clock,
        "wasi:http/types@0.2.12": ::wasi::http::types,
        "wasi:http/outgoing-handler@0.2.12": ::wasi::http::outgoing_handler,
        "wasi:cli/environment@0.2.12": ::wasi::cli::environment,
        "wasi:cli/stdin@0.2.12": ::wasi::cli::stdin,
        "wasi:cli/stdout@0.2.12": ::wasi::cli::stdout,
        "wasi:cli/stderr@0.2.12": ::wasi::cli::stderr,
        // Ours: `exit-with-code` is younger than the crate.
        "wasi:cli/exit@0.2.12": generate,
        "wasi:cli/run@0.2.12": generate,
    },
});
