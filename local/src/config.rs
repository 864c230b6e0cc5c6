//! What an endpoint is told before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::fault::FaultPlan;
pub use crate::print::PrintMode;
pub use crate::sigv4::keys::Keys;
pub use crate::store::Sync;

/// Settings of an endpoint; `Config::default()` listens on a free port of 127.0.0.1 and keeps everything in memory.
#[derive(Clone, Debug)]
pub struct Config {
    /// Port 0 takes a free one, which [`Endpoint::address`](crate::Endpoint::address) then tells.
    pub listen: SocketAddr,
    pub exposure: Exposure,
    /// Where to keep what arrives; `None` keeps it in memory until the end.
    pub data_dir: Option<PathBuf>,
    /// Matters only with a data directory.
    pub sync: Sync,
    /// Bytes of events kept; the oldest go when more arrive, and are counted.
    pub stored_limit: u64,
    /// Bytes of a request body, as sent and as inflated; a legal batch can have 6.4 MB of JSON.
    pub body_limit: usize,
    /// Requests must be signed for this region; `None` takes any.
    pub region: Option<String>,
    /// The account in ARNs.
    pub account: String,
    pub keys: Keys,
    pub faults: FaultPlan,
    /// Decides which requests a fault with a chance hits: the same seed, the same requests, the same hits.
    pub seed: u64,
    pub print: PrintMode,
    pub work: Work,
}

/// Who may be able to reach the endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exposure {
    /// Other addresses than loopback are refused: the endpoint's default keys are public.
    #[default]
    LoopbackOnly,
    Anywhere,
}

/// How much the endpoint does with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Work {
    /// Everything.
    #[default]
    Full,
    /// Reads each body, looks at nothing and answers 200 with `{}`: for measuring senders.
    Discard,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            exposure: Exposure::default(),
            data_dir: None,
            sync: Sync::default(),
            stored_limit: 1 << 30,
            body_limit: 16 << 20,
            region: None,
            account: "000000000000".to_owned(),
            keys: Keys::default(),
            faults: FaultPlan::default(),
            seed: 0,
            print: PrintMode::default(),
            work: Work::default(),
        }
    }
}
