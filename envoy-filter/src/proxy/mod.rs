//! The module as Envoy sees it: its contexts, over the loggers.
//!
//! As an access logger Envoy calls the root context for each request; as an HTTP filter, a context of the
//! request's own. Calls belong to the context that makes them, and end with it, so only the root makes any.

mod envoy;
mod property;
mod worker;

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType, LogLevel, MapType};
use proxy_wasm::{hostcalls, set_log_level, set_root_context};

use cloudspout::command::Environment;
use cloudspout::shipper::Severity;

use crate::configuration::{Configuration, ConfigurationError};
use crate::logger::{CallId, Envoy as _, Logger, TICK};
use envoy::Envoy;

proxy_wasm::main! {{
    // What Envoy is to log of us it decides itself; this has a panic logged, should there ever be one.
    set_log_level(LogLevel::Info);
    set_root_context(|_| Box::new(Root { plugin: Rc::default() }));
}}

/// A plugin in a worker.
struct Root {
    plugin: Shared,
}

/// A request, in a chain of HTTP filters.
struct Filter {
    plugin: Shared,
}

type Shared = Rc<RefCell<Plugin>>;

/// What a plugin is about. Envoy makes two instances more than it has workers: one that never logs takes
/// neither a worker's number nor credentials.
#[derive(Default)]
enum Plugin {
    #[default]
    Idle,
    Configured(Box<Configuration>),
    Logging(Box<Logger<Envoy>>),
}

impl Plugin {
    /// The logger, which the first request brings about.
    fn logger(&mut self) -> Option<&mut Logger<Envoy>> {
        if let Plugin::Configured(configuration) = self {
            let envoy = Envoy::default();
            match configuration.settings(&envoy) {
                Ok(settings) => {
                    if let Plugin::Configured(configuration) = std::mem::take(self) {
                        *self = Plugin::Logging(Box::new(Logger::new(envoy, *configuration, settings)));
                    }
                }
                Err(error) => {
                    envoy.tell(Severity::Error, &format!("nothing is logged: {error}"));
                    *self = Plugin::Idle;
                }
            }
        }
        self.started()
    }

    /// The logger, if there has been a request.
    fn started(&mut self) -> Option<&mut Logger<Envoy>> {
        match self {
            Plugin::Logging(logger) => Some(logger),
            Plugin::Idle | Plugin::Configured(_) => None,
        }
    }
}

/// Does something with the plugin. Envoy makes no two calls at a time, so nobody else has hold of it.
fn with<T>(plugin: &Shared, otherwise: T, act: impl FnOnce(&mut Plugin) -> T) -> T {
    match plugin.try_borrow_mut() {
        Ok(mut plugin) => act(&mut plugin),
        Err(_) => otherwise,
    }
}

fn log(plugin: &Shared) {
    with(plugin, (), |plugin| {
        if let Some(logger) = plugin.logger() {
            logger.log();
        }
    });
}

fn configuration() -> Result<Configuration, ConfigurationError> {
    let envoy = Envoy::default();
    let json = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    let json = json.ok().flatten().unwrap_or_default();
    let environment = Environment::new(std::env::vars_os().filter_map(text).collect());
    Configuration::read(&json, &environment, &worker::Any(&envoy), envoy.now().nanos())
}

/// A variable whose name and value are text.
fn text((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, _headers: usize, body: usize, _trailers: usize) {
        let header = |name: &str| {
            let value = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, name).ok()??;
            Some(String::from_utf8_lossy(&value).into_owned())
        };
        let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body).ok().flatten();
        with(&self.plugin, (), |plugin| {
            if let Some(logger) = plugin.started() {
                logger.answered(CallId(token), header, body.unwrap_or_default());
            }
        });
    }

    /// Envoy is through with the plugin; it waits while this is `false`.
    fn on_done(&mut self) -> bool {
        with(&self.plugin, true, |plugin| plugin.started().is_none_or(Logger::drain))
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        match configuration() {
            Ok(configuration) => {
                if configuration.names_worker() {
                    worker::prepare();
                }
                with(&self.plugin, (), |plugin| *plugin = Plugin::Configured(Box::new(configuration)));
                hostcalls::set_tick_period(TICK).is_ok()
            }
            Err(error) => {
                Envoy::default().tell(Severity::Error, &error.to_string());
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let drained = with(&self.plugin, false, |plugin| {
            let Some(logger) = plugin.started() else { return false };
            let draining = logger.is_draining();
            logger.tick();
            let drained = draining && logger.is_drained();
            if drained {
                *plugin = Plugin::Idle;
            }
            drained
        });
        if drained {
            // Envoy waits for this since `on_done`; nothing is left to be done about a refusal.
            let _ = hostcalls::done();
        }
    }

    fn on_log(&mut self) {
        log(&self.plugin);
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Filter { plugin: Rc::clone(&self.plugin) }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_log(&mut self) {
        log(&self.plugin);
    }
}
