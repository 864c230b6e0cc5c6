//! Events that others send here, as log streams: by HTTP, one for each request; by TCP, one for each connection.
//!
//! A request is answered once CloudWatch has accepted what it brought, so that a sender who keeps events until
//! then loses none, whatever ends this program. What the bytes mean is the component's business; here they are
//! read, counted and handed on, and what became of them is put into an answer.

mod answer;
mod body;
mod coding;
mod counts;
mod http;
mod room;
mod route;
mod shown;
mod socket;
mod tls;
mod tokens;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

pub use crate::listening::Door;
pub use shown::Shown;
pub use tls::{Tls, TlsError};
pub use tokens::{Tokens, TokensError};

use crate::listening::{self, ListenError, Place};
use crate::streams::{Container, Framing, Hub, Opening, Positions};
use counts::Counts;
use room::Room;

/// Where to listen, and for whom.
#[derive(Debug)]
pub struct Config {
    /// For requests.
    pub http: SocketAddr,
    /// For connections that bring lines.
    pub socket: Option<SocketAddr>,
    /// Whether addresses that other machines can reach may be listened on.
    pub allow_remote: bool,
    /// Who may send requests; `None`: anyone.
    pub tokens: Option<Tokens>,
    /// For HTTPS rather than HTTP.
    pub tls: Option<Tls>,
    pub limits: Limits,
    /// What ends it.
    pub door: Door,
}

/// How much is taken.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body, sent and uncompressed, in bytes.
    pub body: usize,
    /// The bodies of all requests that have not been answered, in bytes.
    pub waiting: usize,
    /// How long a sender may be silent within a request.
    pub silence: Duration,
}

/// Listens, and takes what is sent until the [`Door`] closes.
pub struct Server {
    listener: TcpListener,
    socket: Option<TcpListener>,
    tls: Option<Tls>,
    door: Door,
    intake: Arc<Intake>,
}

/// What all connections share.
struct Intake {
    hub: Hub,
    tokens: Option<Tokens>,
    limits: Limits,
    room: Room,
    counts: Counts,
    door: Door,
}

/// Why nothing can be taken.
#[derive(Debug)]
pub enum ServeError {
    /// The address can be reached from elsewhere, and nobody asked for that.
    NotLoopback(SocketAddr),
    Listen(ListenError),
}

impl Server {
    /// Opens the ports.
    ///
    /// # Errors
    /// For an address that cannot be listened on, or must not.
    pub async fn bind(config: Config, hub: Hub) -> Result<Server, ServeError> {
        let Config { http, socket, allow_remote, tokens, tls, limits, door } = config;
        let listener = listen(http, allow_remote).await?;
        let socket = match socket {
            Some(address) => Some(listen(address, allow_remote).await?),
            None => None,
        };
        let (room, counts) = (Room::new(limits.waiting), Counts::default());
        let intake = Arc::new(Intake { hub, tokens, limits, room, counts, door: door.clone() });
        Ok(Server { listener, socket, tls, door, intake })
    }

    /// Where senders find it.
    ///
    /// # Errors
    /// The system does not say.
    pub fn url(&self) -> io::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.listener.local_addr()?))
    }

    /// The address for connections that bring lines.
    pub fn socket(&self) -> Option<SocketAddr> {
        self.socket.as_ref()?.local_addr().ok()
    }

    /// What it has taken and turned away.
    pub fn shown(&self) -> Shown {
        Shown(Arc::clone(&self.intake))
    }

    /// Takes what is sent. Returns once the door is closed and all who were inside have left.
    pub async fn run(self) {
        let Server { listener, socket, tls, door, intake } = self;
        let http = http::run(listener, tls, Arc::clone(&intake));
        let lines = async {
            if let Some(socket) = socket {
                socket::run(socket, intake).await;
            }
        };
        tokio::join!(http, lines);
        door.empty().await;
    }
}

async fn listen(address: SocketAddr, allow_remote: bool) -> Result<TcpListener, ServeError> {
    if !allow_remote && !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    listening::listen(address).await.map_err(ServeError::Listen)
}

impl Intake {
    /// Takes the next connection, once there is room for it; `None` once the door is closed.
    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr, Place)> {
        let accepted = listening::accept(listener, &self.door).await?;
        self.counts.connection();
        Some(accepted)
    }
}

/// How a log stream of a sender's begins.
fn opening(framing: Framing, sender: String) -> Opening {
    Opening {
        framing,
        start: 0,
        taken: Positions::default(),
        lost: None,
        terminal: false,
        container: Container { name: sender, ..Container::default() },
    }
}

/// What to call a sender without a name.
fn called(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

/// A path and what is wrong with the file there.
#[derive(Debug)]
struct FileProblem {
    path: PathBuf,
    problem: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::NotLoopback(address) => write!(
                out,
                "cannot listen on {address}: other machines may reach it; --allow-remote says that they should (see --token-file, --tls-cert)"
            ),
            ServeError::Listen(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for ServeError {}
