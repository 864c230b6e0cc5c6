//! Ships logs from a program of one's own: a log source, a clock, an HTTP client and credentials, all handed
//! to the component.
//!
//! ```sh
//! cloudspout local --print &
//! cargo run --release -p cloudspout-host --example embed -- http://127.0.0.1:4586
//! ```

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloudspout_host::positions::Store;
use cloudspout_host::streams::{Container, Framing, Hub, Keep, Opening, Phase, Positions};
use cloudspout_host::{
    Body, Clock, Counts, CredentialsFailure, HttpClient, Identity, Means, Options, Provider, Reporter,
    Runtime, SendError, Severity, Status, Transport, async_trait,
};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let endpoint = std::env::args().nth(1).ok_or("say where to: embed http://127.0.0.1:4586")?;
    let lines = (1..=1000).map(|number| format!("line {number}")).collect();
    let shipped = ship(&endpoint, lines).await?;
    println!("{} events accepted in {} requests", shipped.counts.events_accepted, shipped.requests);
    Ok(())
}

/// What came of it.
pub struct Shipped {
    pub counts: Counts,
    /// Requests that left, those that make log group and log stream among them.
    pub requests: u64,
    /// Bytes of the source that CloudWatch has accepted.
    pub accepted: u64,
}

/// Runs an instance until every line is accepted.
///
/// # Errors
/// The component gave up: its error says why.
pub async fn ship(endpoint: &str, lines: Vec<String>) -> Result<Shipped, Error> {
    // The client sends nothing before this store is on disk; ours keeps its position elsewhere.
    let client = HttpClient::new(Store::in_memory())?;
    let client = Arc::new(Counting { client, requests: AtomicU64::new(0) });
    let bookmark = Arc::new(Bookmark::default());
    let reporter = Arc::new(Printing::default());
    let options = Options {
        region: "eu-central-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        log_group_name: "/examples/{{.Name}}".to_owned(),
        log_stream_name: "embedded".to_owned(),
        // It ends by itself, and so should give up on what waiting does not mend.
        fail_fast: true,
        ..Options::default()
    };

    let runtime = Runtime::new()?.with_clock(Arc::new(MinuteBehind));
    let hub = Hub::default();
    let means = Means {
        credentials: Arc::new(Fixed),
        transport: client.clone(),
        reporter: reporter.clone(),
        filter: None,
        dead_letters: None,
    };
    let instance = runtime.run(hub.clone(), options, means);
    let source = write(&hub, lines, bookmark.clone());
    tokio::pin!(instance, source);
    // An instance that gives up reads no more, and the source would wait for ever.
    tokio::select! {
        result = &mut instance => result?,
        () = &mut source => instance.await?,
    }

    let counts = reporter.counts.lock().ok().and_then(|counts| *counts);
    Ok(Shipped {
        counts: counts.ok_or("an instance reports before it ends")?,
        requests: client.requests.load(Ordering::Relaxed),
        accepted: bookmark.offset.load(Ordering::Relaxed),
    })
}

/// The log source: writes lines as one log stream, then says that there will be no other.
async fn write(hub: &Hub, lines: Vec<String>, bookmark: Arc<Bookmark>) {
    let opening = Opening {
        framing: Framing::Lines,
        start: 0,
        taken: Positions::default(),
        lost: None,
        terminal: false,
        // Templates of names see this.
        container: Container { name: "embed".to_owned(), ..Container::default() },
    };
    let writer = hub.open(opening, bookmark);
    for line in lines {
        // Waits while the component is far behind.
        writer.room().await;
        writer.write(format!("{line}\n").into());
    }
    writer.end();
    hub.set_phase(Phase::Finishing);
}

/// Where a program keeps how far its log has been accepted, to go on from there after a restart.
#[derive(Default)]
struct Bookmark {
    offset: AtomicU64,
}

impl Keep for Bookmark {
    fn keep(&self, accepted: &Positions) {
        self.offset.store(accepted.offset(), Ordering::Relaxed);
    }
}

/// A clock of one's own. A real one would not be a minute late.
struct MinuteBehind;

impl Clock for MinuteBehind {
    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(Duration::from_secs(60))
    }
}

/// An HTTP client of one's own: counts, and has another one do the work.
struct Counting {
    client: HttpClient,
    requests: AtomicU64,
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, SendError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.client.send(request).await
    }
}

/// Credentials of one's own: here those that `cloudspout local` takes.
struct Fixed;

#[async_trait]
impl Provider for Fixed {
    async fn find(&self, _renew: bool) -> Result<Identity, CredentialsFailure> {
        Ok(Identity {
            access_key_id: "AKIDLOCAL".to_owned(),
            secret_access_key: "local-secret".to_owned(),
            session_token: None,
            expires: None,
        })
    }
}

/// Ears of one's own.
#[derive(Default)]
struct Printing {
    counts: Mutex<Option<Counts>>,
}

impl Reporter for Printing {
    fn tell(&self, severity: Severity, text: &str) {
        if severity != Severity::Debug {
            eprintln!("{text}");
        }
    }

    fn count(&self, counts: &Counts, _status: &Status) {
        if let Ok(mut last) = self.counts.lock() {
            *last = Some(*counts);
        }
    }
}
