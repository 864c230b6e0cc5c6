//! What `wit/` becomes in Rust.

#![allow(missing_docs)]

wasmtime::component::bindgen!({
    world: "shipper",
    path: "../wit",
    imports: { "cloudspout:host/filtering.apply": async | trappable, default: trappable },
    exports: { default: async },
    with: {
        "wasi": wasmtime_wasi::p2::bindings,
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
        "cloudspout:host/logs.log-stream": crate::imports::LogStream,
        "cloudspout:host/credentials.lookup": crate::credentials::Lookup,
        "cloudspout:host/dead-letters.keeping": crate::dead_letters::Keeping,
    },
});
