//! `cloudspout local`: an endpoint to try things out with.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use cloudspout_host::causes;
use cloudspout_local::{
    Config, Endpoint, Exposure, FaultPlan, KeyPair, Keys, LOCAL_KEY_ID, LOCAL_SECRET, PrintMode, Work,
};

use super::exit::Ending;
use super::logging::{LogFormat, Logging};
use super::signals::Signals;

/// Serves CloudWatch Logs on this machine, to try things out and to test.
///
/// It takes what CloudWatch takes, refuses what CloudWatch refuses, with the same codes, checks every
/// signature, and lets the AWS CLI read back what arrived. It is not CloudWatch: one process, no IAM, no
/// insights, no metrics, no subscriptions.
#[derive(Debug, Args)]
pub struct Local {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:4586", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Listen beyond this machine too: anyone who can reach it can use it
    #[arg(long)]
    allow_remote: bool,
    /// Where to keep what arrives; without it, in memory
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The only region requests may be signed for
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Access key id that requests are to be signed with
    #[arg(long, default_value = LOCAL_KEY_ID, env = "CLOUDSPOUT_LOCAL_KEY_ID", value_name = "ID")]
    access_key_id: String,
    /// Its secret
    #[arg(long, default_value = LOCAL_SECRET, env = "CLOUDSPOUT_LOCAL_SECRET", hide_env_values = true, value_name = "SECRET")]
    secret_access_key: String,
    /// Session token that requests must bring
    #[arg(long, env = "CLOUDSPOUT_LOCAL_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    session_token: Option<String>,
    /// Take any access key: everything about a signature is checked but its value
    #[arg(long)]
    any_key: bool,
    /// Look at no signature at all
    #[arg(long)]
    no_verify: bool,
    /// Fail on purpose, as for example `throttle:0.1;500:3;reset-after:1` (docs/LOCAL.md has the grammar)
    #[arg(long, default_value = "", value_name = "PLAN")]
    fault: String,
    /// Decides which requests a fault with a chance hits
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    seed: u64,
    /// Show every event that arrives
    #[arg(long)]
    print: bool,
    /// Only read and answer, to measure senders
    #[arg(long)]
    discard: bool,
    #[command(flatten)]
    logging: Logging,
}

impl Local {
    pub fn log_format(&self) -> LogFormat {
        self.logging.format()
    }

    pub fn run(self) -> Result<(), Ending> {
        let format = self.log_format();
        let Local { listen, allow_remote, data_dir, region, fault, seed, print, discard, .. } = self;
        let faults: FaultPlan = fault.parse().map_err(Ending::settings)?;
        let pair = KeyPair::new(self.access_key_id, self.secret_access_key);
        let pair = match self.session_token {
            Some(token) => pair.with_token(token),
            None => pair,
        };
        let keys = match (self.no_verify, self.any_key) {
            (true, _) => Keys::Unchecked,
            (false, true) => Keys::AnyId,
            (false, false) => Keys::Known(vec![pair]),
        };
        self.logging.start();
        let config = Config {
            listen,
            exposure: if allow_remote { Exposure::Anywhere } else { Exposure::LoopbackOnly },
            data_dir,
            region,
            keys,
            faults,
            seed,
            print: if print { PrintMode::Events } else { PrintMode::Nothing },
            work: if discard { Work::Discard } else { Work::Full },
            ..Config::default()
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Ending::other)?;
        runtime.block_on(async {
            let mut signals = Signals::listen().map_err(Ending::other)?;
            let endpoint = Endpoint::bind(config).await.map_err(|error| Ending::settings(causes(&error)))?;
            let at =
                format!("CloudWatch Logs for trying and testing (not AWS) at http://{}", endpoint.address());
            format.say("INFO", &at);
            endpoint
                .serve(async move { signals.next().await })
                .await
                .map_err(|error| Ending::other(causes(&error)))
        })
    }
}
