//! `cloudspout serve`: events that others send, to CloudWatch.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cloudspout_host::Options;
use cloudspout_host::positions::Store;
use cloudspout_host::serve::{Config, Door, Limits, Server, Tls, Tokens};

use super::exit::Ending;
use super::lanes::{self, Lane};
use super::logging::LogFormat;
use super::ship::{Fields, raise_file_limit};
use super::shipping::Shipping;
use super::size;

/// Takes events that others send, by HTTP and TCP, and answers once CloudWatch has them.
///
/// POST JSON objects (one behind the other, one a line, or in an array; also compressed) to /events: each is an
/// event. 200 says that CloudWatch has accepted them, so that whoever keeps events until then loses none. 503
/// says to send them again. docs/SERVE.md has the rest.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen for HTTP; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:4319", env = "CLOUDSPOUT_LISTEN", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where to listen for connections that bring lines, JSON or text; they are not answered
    #[arg(long, value_name = "ADDRESS")]
    socket: Option<SocketAddr>,
    /// Listen beyond this machine too
    #[arg(long)]
    allow_remote: bool,
    /// File of names and tokens, a pair a line: only requests that bear one of them are taken, and {{.Name}} is
    /// its name
    #[arg(long, env = "CLOUDSPOUT_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Certificate to offer HTTPS with, PEM, and those between it and its root
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Longest body of a request, sent and uncompressed
    #[arg(long, default_value = "16MiB", value_parser = size::bytes, value_name = "SIZE")]
    max_body: u64,
    /// How much may wait for CloudWatch of requests that are not answered; beyond it they are answered 503
    #[arg(long, default_value = "64MiB", value_parser = size::bytes, value_name = "SIZE")]
    max_waiting: u64,
    /// Template of the log group's name; {{.Event.service}} is a field of the event
    #[arg(long, default_value = "{{.Hostname}}", env = "CLOUDSPOUT_GROUP", value_name = "TEMPLATE")]
    group: String,
    /// Template of the log stream's name; {{.Name}} is the sender: the token's name, else the address
    #[arg(long, default_value = "{{.Name}}", env = "CLOUDSPOUT_STREAM", value_name = "TEMPLATE")]
    stream: String,
    /// What every log group has to begin with: events that would go elsewhere are refused
    #[arg(long, env = "CLOUDSPOUT_CONFINE", value_name = "PREFIX")]
    confine: Option<String>,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    shipping: Shipping,
}

/// How long an event may wait for others, while its sender waits for the answer.
const FLUSH_AFTER: Duration = Duration::from_millis(200);
/// How long a sender may be silent within a request.
const SILENCE: Duration = Duration::from_secs(30);

impl Serve {
    pub fn log_format(&self) -> LogFormat {
        self.shipping.logging.format()
    }

    pub fn run(self) -> Result<(), Ending> {
        let Serve { group, stream, confine, fields, mut shipping, max_waiting, socket, .. } = self;
        if shipping.drops() {
            let text = "--when-full: nothing is dropped here: those who send are told to wait, by 503";
            return Err(Ending::settings(text));
        }
        if max_waiting < self.max_body {
            return Err(Ending::settings(
                "--max-waiting is less than --max-body: no such body would ever be taken",
            ));
        }
        let tokens = self.token_file.map(|path| Tokens::read(&path)).transpose().map_err(Ending::settings)?;
        let tls = self.tls_cert.zip(self.tls_key).map(|(certificate, key)| Tls::read(&certificate, &key));
        let bytes = |size| usize::try_from(size).unwrap_or(usize::MAX);
        let door = Door::default();
        let config = Config {
            http: self.listen,
            socket,
            allow_remote: self.allow_remote,
            tokens,
            tls: tls.transpose().map_err(Ending::settings)?,
            door: door.clone(),
            limits: Limits { body: bytes(self.max_body), waiting: bytes(max_waiting), silence: SILENCE },
        };
        raise_file_limit();
        let format = shipping.logging.format();
        let set = move |options: &mut Options| {
            options.log_group_name = group;
            options.log_stream_name = stream;
            options.confine = confine;
            options.time_field = fields.time_field;
            options.message_field = fields.message_field;
            // Bodies are held on top of what is on its way.
            options.buffer_bytes = options.buffer_bytes.saturating_add(max_waiting);
        };
        shipping.flush_after.get_or_insert(FLUSH_AFTER);
        let lane = Lane::new(shipping, set, move |hub, board| async move {
            let server = Server::bind(config, hub).await.map_err(Ending::settings)?;
            board.add(server.shown());
            let url = server.url().map_err(Ending::other)?;
            format.say("INFO", &format!("takes events at {url}"));
            if let Some(address) = server.socket() {
                format.say("INFO", &format!("takes lines at {address}"));
            }
            let source = async {
                server.run().await;
                Ok(())
            };
            Ok((source, Store::in_memory()))
        });
        lanes::ship_through(door, lane)
    }
}
