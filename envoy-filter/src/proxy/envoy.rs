//! What the logger needs, by calls into Envoy.

use std::cell::OnceCell;
use std::time::UNIX_EPOCH;

use cloudspout::shipper::Severity;
use cloudspout::time::Timestamp;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{LogLevel, MetricType, Status};

use super::{property, worker};
use crate::line::{Attributes, WORKER};
use crate::logger::{self, CallId, HttpCall};
use crate::stats::{Kind, STATS};

/// Envoy, with our statistics by their numbers there.
#[derive(Default)]
pub struct Envoy {
    stats: OnceCell<Vec<Option<u32>>>,
}

impl Attributes for Envoy {
    fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        match path {
            path if path == WORKER.as_bytes() => Some(worker::number().to_string().into_bytes()),
            path => property::read(path),
        }
    }
}

impl logger::Envoy for Envoy {
    fn now(&self) -> Timestamp {
        let since = hostcalls::get_current_time().ok().and_then(|now| now.duration_since(UNIX_EPOCH).ok());
        let nanos = since.and_then(|since| u64::try_from(since.as_nanos()).ok());
        Timestamp::from_nanos(nanos.unwrap_or_default())
    }

    fn call(&self, call: &HttpCall<'_>) -> Result<CallId, String> {
        let HttpCall { cluster, headers, body, timeout } = call;
        match hostcalls::dispatch_http_call(cluster, headers.clone(), *body, Vec::new(), *timeout) {
            Ok(token) => Ok(CallId(token)),
            Err(Status::BadArgument) => Err(format!("Envoy has no cluster `{cluster}`")),
            Err(status) => Err(format!("Envoy does not make a call to cluster `{cluster}`: {status:?}")),
        }
    }

    fn tell(&self, severity: Severity, text: &str) {
        let level = match severity {
            Severity::Debug => LogLevel::Debug,
            Severity::Info => LogLevel::Info,
            Severity::Warning => LogLevel::Warn,
            Severity::Error => LogLevel::Error,
        };
        // Where Envoy does not listen, there is nobody to tell.
        let _ = hostcalls::log(level, &format!("cloudspout: {text}"));
    }

    fn add(&self, stat: usize, change: i64) {
        let stats = self.stats.get_or_init(|| {
            let defined = STATS.iter().map(|stat| {
                let kind = match stat.kind {
                    Kind::Counter => MetricType::Counter,
                    Kind::Gauge => MetricType::Gauge,
                };
                hostcalls::define_metric(kind, stat.name).ok()
            });
            defined.collect()
        });
        if let Some(Some(stat)) = stats.get(stat) {
            // A statistic that Envoy does not know is no reason to stop.
            let _ = hostcalls::increment_metric(*stat, change);
        }
    }
}
