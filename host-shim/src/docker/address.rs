//! Where a Docker daemon listens: a unix socket, or a TCP port.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// The address of an Engine API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    Tcp { host: String, port: u16 },
}

/// Whether the environment asks for TLS towards the daemon (`DOCKER_TLS_VERIFY`, `DOCKER_TLS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    Unasked,
    Asked,
}

impl Tls {
    /// As the `docker` command understands its environment.
    pub fn of_environment() -> Tls {
        let asks = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if asks("DOCKER_TLS_VERIFY") || asks("DOCKER_TLS") { Tls::Asked } else { Tls::Unasked }
    }
}

impl Default for Address {
    fn default() -> Address {
        Address::Unix(PathBuf::from(DEFAULT_SOCKET))
    }
}

impl Address {
    /// Where logspout looks for the daemon: in its container the socket is mounted at a place of its own. Where there
    /// is none, as for everybody.
    pub fn of_logspout() -> Address {
        let own = PathBuf::from(LOGSPOUT_SOCKET);
        if !Path::new(DEFAULT_SOCKET).exists() && own.exists() {
            Address::Unix(own)
        } else {
            Address::default()
        }
    }

    /// Reads what stands in `DOCKER_HOST`: `unix:///path`, `/path`, `tcp://host:port` or `http://host:port`.
    pub fn parse(text: &str, tls: Tls) -> Result<Address, AddressError> {
        let refuse = |problem| AddressError { text: text.to_owned(), problem };
        let (scheme, rest) = match text.split_once("://") {
            Some(parts) => parts,
            None if text.starts_with('/') => ("unix", text),
            None => return Err(refuse(Problem::NoScheme)),
        };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Address::Unix(PathBuf::from(rest))),
            "unix" => Err(refuse(Problem::NoPath)),
            "tcp" | "http" if tls == Tls::Unasked => {
                host_and_port(rest).ok_or_else(|| refuse(Problem::NoHost))
            }
            "tcp" | "http" | "https" => Err(refuse(Problem::Tls)),
            _ => Err(refuse(Problem::UnknownScheme)),
        }
    }

    pub(super) async fn connect(&self) -> std::io::Result<Box<dyn Wire>> {
        let connect = async {
            Ok::<Box<dyn Wire>, std::io::Error>(match self {
                Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
                Address::Tcp { host, port } => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await?;
                    stream.set_nodelay(true)?;
                    Box::new(stream)
                }
            })
        };
        tokio::time::timeout(CONNECT_WITHIN, connect).await.unwrap_or_else(|late| Err(late.into()))
    }
}

fn host_and_port(rest: &str) -> Option<Address> {
    let authority = rest.trim_end_matches('/');
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, DEFAULT_PORT),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let plain = !host.is_empty() && !host.contains(['/', '@', '?', '#', '[', ']']);
    plain.then(|| Address::Tcp { host: host.to_owned(), port })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

/// Bytes to and from a daemon.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// An address of a daemon that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    text: String,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    NoScheme,
    NoPath,
    NoHost,
    Tls,
    UnknownScheme,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::NoScheme | Problem::UnknownScheme => {
                "use unix:///path/to/docker.sock or tcp://host:port"
            }
            Problem::NoPath => {
                "the path of the socket must begin with a slash, as in unix:///var/run/docker.sock"
            }
            Problem::NoHost => "a host and a port are expected, as in tcp://127.0.0.1:2375",
            Problem::Tls => {
                "TLS towards the daemon is not supported: use its unix socket, or a tunnel to it \
                 (ssh -L /tmp/docker.sock:/var/run/docker.sock HOST) with DOCKER_TLS_VERIFY unset"
            }
        };
        write!(f, "docker host {:?}: {problem}", self.text)
    }
}

impl std::error::Error for AddressError {}

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
const LOGSPOUT_SOCKET: &str = "/tmp/docker.sock";
const DEFAULT_PORT: u16 = 2375;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let address = Address::parse(text, Tls::Unasked);
        assert_eq!(address.as_ref().ok().map(Address::to_string).as_deref(), expected, "{text}: {address:?}");
    }

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        check("unix:///run/docker.sock", Some("unix:///run/docker.sock"));
        check("/run/docker.sock", Some("unix:///run/docker.sock"));
        check("tcp://127.0.0.1:2375", Some("tcp://127.0.0.1:2375"));
        check("http://build/", Some("tcp://build:2375"));
        check("tcp://[::1]:99", Some("tcp://[::1]:99"));
        check("tcp://[::1]", Some("tcp://[::1]:2375"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "docker.sock",
            "unix://docker.sock",
            "tcp://",
            "tcp://:2375",
            "tcp://a:b",
            "ssh://a",
            "https://a",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn tls_is_refused_and_never_left_out() {
        let error = Address::parse("tcp://build:2376", Tls::Asked).unwrap_err().to_string();
        assert!(error.contains("TLS"), "{error}");
        assert!(Address::parse("/run/docker.sock", Tls::Asked).is_ok());
    }
}
