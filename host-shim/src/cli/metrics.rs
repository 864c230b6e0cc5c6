//! Where operators see how it stands.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use cloudspout_host::metrics::{Board, Server};

use super::config::PROGRAM;
use super::exit::Ending;
use super::logging::LogFormat;
use super::size;

/// What is shown by HTTP.
#[derive(Clone, Debug, Args)]
pub struct Metrics {
    /// Show metrics to Prometheus at this address under /metrics; /status, /healthz and /livez are there too. A port
    /// alone is this machine's own
    #[arg(long, help_heading = PROGRAM, env = "CLOUDSPOUT_METRICS", value_name = "ADDRESS", value_parser = address)]
    metrics: Option<SocketAddr>,
    /// How long an event may wait for CloudWatch before /healthz says that something is wrong
    #[arg(long, help_heading = PROGRAM, default_value = "5m", value_parser = size::duration, value_name = "TIME")]
    unhealthy_after: Duration,
}

impl Metrics {
    /// Shows a board, if that is wanted, until the program ends.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn show(&self, board: &Board, format: LogFormat) -> Result<(), Ending> {
        let Some(address) = self.metrics else { return Ok(()) };
        let server = Server::bind(address, board.clone(), self.unhealthy_after).await;
        let server = server.map_err(|error| Ending::settings(format!("--metrics: {error}")))?;
        format.say("INFO", &format!("shows metrics at {}/metrics", server.url().map_err(Ending::other)?));
        tokio::spawn(server.run());
        Ok(())
    }
}

/// An address, or a port of this machine's own.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse()
        .map_err(|_| "write an address and a port, such as 127.0.0.1:9464, or a port alone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_this_machines_own() {
        for (text, found) in
            [("9464", "127.0.0.1:9464"), ("0.0.0.0:1", "0.0.0.0:1"), ("[::1]:9464", "[::1]:9464")]
        {
            assert_eq!(address(text).unwrap().to_string(), found);
        }
        for text in ["", "localhost", ":9464", "70000", "1.2.3.4"] {
            assert!(address(text).unwrap_err().contains("127.0.0.1:9464"), "{text}");
        }
    }
}
