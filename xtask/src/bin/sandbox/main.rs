//! The sandbox's price: `sandbox COMPONENT FRAMING FILE TIMES` does the same work in the component and with
//! the same core compiled natively, in turn, and prints the CPU seconds of each pair.
//!
//! Both begin with raw bytes in memory and end with signed requests, answered at once. Both take the digest
//! from the same library. The component's figure holds all that its boundary costs: bytes are copied in,
//! bodies are copied out through `wasi:http` and thrown away; compiling and instantiating are left out.

use std::collections::VecDeque;
use std::error::Error;

use bytes::Bytes;
use cloudspout::lines;
use cloudspout::shipper::Counts;
use http_body_util::{BodyExt, Full};
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable, WasmList};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody, WasiHttpHooks};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use bindings::cloudspout::host::{credentials, dead_letters, filtering, lifecycle, logs, reports, settings};

#[path = "../../../../benches/core/drive.rs"]
mod drive;
mod imports;

include!("../../../../host-shim/src/engine_config.rs");

mod bindings {
    wasmtime::component::bindgen!({
        world: "shipper",
        path: "../wit",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "wasi": wasmtime_wasi::p2::bindings,
            "wasi:http": wasmtime_wasi_http::p2::bindings::http,
            "cloudspout:host/logs.log-stream": crate::imports::LogStream,
            "cloudspout:host/credentials.lookup": crate::imports::Lookup,
            "cloudspout:host/dead-letters.keeping": crate::imports::Keeping,
        },
    });
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [component, framing, file, times] = arguments.as_slice() else {
        return Err("sandbox COMPONENT FRAMING FILE TIMES: see `cargo xtask bench`".into());
    };
    let (framing, framing_in) = match framing.as_str() {
        "lines" => (lines::Framing::Lines, logs::Framing::Lines),
        "frames-with-times" => (lines::Framing::FramesWithTimes, logs::Framing::FramesWithTimes),
        "json-file" => (lines::Framing::JsonFile, logs::Framing::JsonFile),
        other => return Err(format!("no framing is called {other}").into()),
    };
    let bytes = Bytes::from(std::fs::read(file)?);
    let sandbox = Sandbox::load(component)?;
    for _ in 0..times.parse()? {
        let input = drive::Input { bytes: &bytes, framing: Some(framing) };
        let (native, counts) = timed(|| drive::drive(&input, Box::new(sha256)));
        let chunks = bytes.chunks(CHUNK).map(<[u8]>::to_vec).collect();
        let (component, events) = timed(|| sandbox.run(chunks, framing_in));
        let (counts, events): (Counts, _) = (counts?, events?);
        if counts.events_accepted != events {
            return Err(
                format!("{} events natively, {events} in the component", counts.events_accepted).into()
            );
        }
        println!("{native:.4} {component:.4}");
    }
    Ok(())
}

/// The component, compiled as the program compiles it.
struct Sandbox {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    component: bindings::ShipperPre<State>,
}

/// All that the component can reach.
struct State {
    /// What has not been opened.
    framing: Option<logs::Framing>,
    /// What has not been read, as the program has it: in buffers that are handed over.
    rest: VecDeque<Vec<u8>>,
    ready: bool,
    events: u64,
    table: ResourceTable,
    wasi: WasiCtx,
    wasi_http: WasiHttpCtx,
    discard: Discard,
}

impl Sandbox {
    fn load(file: &str) -> wasmtime::Result<Sandbox> {
        let engine = Engine::new(&engine_config(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?)?;
        let component = Component::from_file(&engine, file)?;
        let mut linker = Linker::<State>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        logs::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        lifecycle::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        credentials::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        dead_letters::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        filtering::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        settings::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        reports::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        // As the program does it: without copying the body.
        linker.instance("cloudspout:host/digest@0.1.0")?.func_wrap(
            "sha256",
            |store: StoreContextMut<'_, State>, (data,): (WasmList<u8>,)| {
                Ok((Some(sha256(data.as_le_slice(&store)).to_vec()),))
            },
        )?;
        let component = bindings::ShipperPre::new(linker.instantiate_pre(&component)?)?;
        // As the program runs without tenants: on one thread.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Sandbox { engine, runtime, component })
    }

    /// Ships a log; says how many events were accepted.
    fn run(&self, rest: VecDeque<Vec<u8>>, framing: logs::Framing) -> Result<u64, String> {
        let state = State {
            framing: Some(framing),
            rest,
            ready: true,
            events: 0,
            table: ResourceTable::new(),
            wasi: WasiCtx::builder().build(),
            wasi_http: WasiHttpCtx::new(),
            discard: Discard,
        };
        let mut store = Store::new(&self.engine, state);
        let broken = |error: wasmtime::Error| format!("{error:#}");
        let run = async {
            let instance = self.component.instantiate_async(&mut store).await?;
            instance.call_run(&mut store).await
        };
        let result = self.runtime.block_on(run).map_err(broken)?;
        result.map_err(|failure| format!("{failure:?}"))?;
        Ok(store.data().events)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.discard, table: &mut self.table, ctx: &mut self.wasi_http }
    }
}

/// Takes every request's body and answers with `200 {}`.
struct Discard;

type Io = Box<dyn Future<Output = Result<(), HttpError>> + Send>;

impl WasiHttpHooks for Discard {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _received: Io,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), HttpError>> + Send> {
        Box::new(async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                drop(frame?);
            }
            let answer = Full::new(Bytes::from_static(b"{}")).map_err(|never| match never {}).boxed_unsync();
            Ok((http::Response::new(answer), Box::new(async { Ok(()) }) as Io))
        })
    }
}

/// By the machine's instructions for it, where it has them.
fn sha256(data: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, data).as_ref());
    digest
}

/// What it gives, and the CPU seconds it took.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begin = cpu();
    let given = work();
    (cpu() - begin, given)
}

/// What the program reads of a file at a time, in bytes.
const CHUNK: usize = 256 << 10;

/// User and system seconds of this process so far.
fn cpu() -> f64 {
    // SAFETY: a struct of integers, which getrusage fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
