//! Which names containers would get: asks the component, and ships nothing.

use std::sync::Arc;

use crate::bindings::cloudspout::host::logs;
use crate::bounds::Bounds;
use crate::driver::{Failure, Means, Options, RunError, Runtime};
use crate::imports;
use crate::nothing::Nothing;
use crate::streams::{Container, Hub};

/// The exports that only asking needs; what is imported is the same.
mod bindings {
    #![allow(missing_docs)]

    wasmtime::component::bindgen!({
        world: "cloudspout",
        path: "../wit",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "wasi": wasmtime_wasi::p2::bindings,
            "wasi:http": wasmtime_wasi_http::p2::bindings::http,
            "cloudspout:host/logs": crate::bindings::cloudspout::host::logs,
            "cloudspout:host/lifecycle": crate::bindings::cloudspout::host::lifecycle,
            "cloudspout:host/credentials": crate::bindings::cloudspout::host::credentials,
            "cloudspout:host/digest": crate::bindings::cloudspout::host::digest,
            "cloudspout:host/dead-letters": crate::bindings::cloudspout::host::dead_letters,
            "cloudspout:host/settings": crate::bindings::cloudspout::host::settings,
            "cloudspout:host/reports": crate::bindings::cloudspout::host::reports,
        },
    });
}

pub use bindings::exports::cloudspout::host::names::{Explanation, Placement, Rendering};

/// Explains the names of these containers, as if they came in this order, and renders the template against each,
/// if there is one.
///
/// # Errors
/// An option cannot be used, or the component broke down.
pub async fn explain(
    runtime: &Runtime,
    options: Options,
    containers: Vec<Container>,
    template: Option<&str>,
) -> Result<Vec<Explanation>, RunError> {
    let nothing = Arc::new(Nothing);
    let means = Means {
        credentials: nothing.clone(),
        transport: nothing.clone(),
        reporter: nothing,
        dead_letters: None,
        filter: None,
    };
    let containers: Vec<logs::Container> = containers.into_iter().map(imports::container).collect();
    let mut store = runtime.store(&Bounds::default(), Hub::default(), options, means);
    let instance = bindings::CloudspoutPre::new(runtime.component().instance_pre().clone())
        .map_err(RunError::Broken)?
        .instantiate_async(&mut store)
        .await
        .map_err(RunError::Broken)?;
    let explained = instance.cloudspout_host_names().call_explain(&mut store, &containers, template).await;
    explained.map_err(RunError::Broken)?.map_err(|failure| {
        let bindings::exports::cloudspout::host::names::Failure::Settings(text) = failure;
        RunError::Failure(Failure::Settings(text))
    })
}
