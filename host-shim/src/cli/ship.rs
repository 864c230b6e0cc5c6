//! `cloudspout run` and `cloudspout pipe`: logs in, CloudWatch out.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{ArgAction, Args, ValueEnum};
use cloudspout_host::docker::{self, Address, Backlog, Extent, Source, Tls};
use cloudspout_host::positions::Store;
use cloudspout_host::streams::{Framing, Gaps, Hub, Phase};
use cloudspout_host::{
    AwsCredentials, Compression, HttpClient, Options, RunError, Runtime, Tracing, default_region, pipe,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::exit::Ending;
use super::logging::{LogFormat, Logging};
use super::signals::Signals;
use super::size;

/// Follows the containers of a Docker daemon: those that run, and those that start later.
///
/// A container that should be left out says so: `LOGSPOUT=ignore` in its environment, or the label
/// `cloudspout.ignore=true`.
#[derive(Debug, Args)]
pub struct Run {
    /// Where the Docker daemon listens: unix:///path or tcp://host:port
    #[arg(long, env = "DOCKER_HOST", default_value = "unix:///var/run/docker.sock", value_name = "URL")]
    docker_host: String,
    /// Template of the log group's name
    #[arg(long, default_value = "{{.Hostname}}", env = "CLOUDSPOUT_GROUP", value_name = "TEMPLATE")]
    group: String,
    /// Template of the log stream's name
    #[arg(long, default_value = "{{.Name}}", env = "CLOUDSPOUT_STREAM", value_name = "TEMPLATE")]
    stream: String,
    /// Where to keep how far each container has been read; without it, a restart reads every log again
    #[arg(long, env = "CLOUDSPOUT_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The way to a container's log: Docker's json-file logs directly, or the Engine API
    #[arg(long, value_enum, default_value_t = SourceArg::Auto)]
    source: SourceArg,
    /// Docker's data root as it is mounted here, if that is not where the daemon says
    #[arg(long, env = "CLOUDSPOUT_DOCKER_ROOT", value_name = "DIR")]
    docker_root: Option<PathBuf>,
    /// Where to begin with a container that is running already and of which nothing is known
    #[arg(long, value_enum, default_value_t = BacklogArg::Beginning)]
    backlog: BacklogArg,
    /// Ship what all containers have logged so far, and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    shipping: Shipping,
}

/// Ships standard input, and ends once all of it is accepted.
#[derive(Debug, Args)]
pub struct Pipe {
    /// Log group
    #[arg(long, env = "CLOUDSPOUT_GROUP", value_name = "NAME")]
    group: String,
    /// Log stream
    #[arg(long, env = "CLOUDSPOUT_STREAM", value_name = "NAME")]
    stream: String,
    /// What comes in: lines, Docker's frames (of `GET /containers/ID/logs`), a json-file log, or JSON lines
    #[arg(long, value_enum, default_value_t = FramingArg::Lines)]
    framing: FramingArg,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    shipping: Shipping,
}

/// What the fields of JSON lines say.
#[derive(Debug, Default, Args)]
pub struct Fields {
    /// Of JSON lines: the field with the event's time; else the first of `timestamp`, `@timestamp`, `time`,
    /// `ts`, `date` that holds one, else the time of arrival
    #[arg(long, value_name = "NAME")]
    time_field: Option<String>,
    /// Of JSON lines: the field whose value becomes the event's text; else the line as it is
    #[arg(long, value_name = "NAME")]
    message_field: Option<String>,
}

/// What both need.
#[derive(Debug, Args)]
struct Shipping {
    /// AWS Region; else AWS_REGION, AWS_DEFAULT_REGION, the profile, the EC2 machine
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    region: Option<String>,
    /// Base URL of CloudWatch Logs, for private endpoints and tests; else AWS_ENDPOINT_URL_LOGS,
    /// AWS_ENDPOINT_URL_CLOUDWATCH_LOGS, AWS_ENDPOINT_URL, the Region's own
    #[arg(long, env = "AWS_ENDPOINT_URL_LOGS", value_name = "URL")]
    endpoint_url: Option<String>,
    /// Whether to make log groups that do not exist
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    create_group: bool,
    /// Whether to make log streams that do not exist
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    create_stream: bool,
    /// How long an event may wait for others
    #[arg(long, default_value = "5s", value_parser = size::duration, value_name = "TIME")]
    flush_after: Duration,
    /// How much may be held in memory that CloudWatch has not accepted, before reading waits
    #[arg(long, default_value = "64MiB", value_parser = size::bytes, value_name = "SIZE")]
    buffer: u64,
    /// Send the bodies of requests compressed: less network for several times the CPU
    #[arg(long, value_enum, default_value_t = CompressionArg::None, value_name = "FORM")]
    compression: CompressionArg,
    /// Requests of one log stream under way at a time; more than 1 gives up the order between batches
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64), value_name = "NUMBER")]
    in_flight: u32,
    /// How long to go on delivering when told to stop
    #[arg(long, default_value = "10s", value_parser = size::duration, value_name = "TIME")]
    stop_timeout: Duration,
    #[command(flatten)]
    logging: Logging,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SourceArg {
    Auto,
    Files,
    Api,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BacklogArg {
    Beginning,
    Now,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CompressionArg {
    None,
    Gzip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FramingArg {
    Lines,
    LinesWithTimes,
    Frames,
    FramesWithTimes,
    JsonFile,
    JsonLines,
}

/// What `pipe` and `--once` have in common, and `run` has not: they end by themselves, and so give up on
/// what waiting does not mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Short,
    Long,
}

impl Run {
    pub fn log_format(&self) -> LogFormat {
        self.shipping.logging.format()
    }

    pub fn run(self) -> Result<(), Ending> {
        let Run { docker_host, group, stream, state_dir, source, docker_root, backlog, once, shipping } =
            self;
        let address = Address::parse(&docker_host, Tls::of_environment()).map_err(Ending::settings)?;
        let config = docker::Config {
            address,
            extent: if once { Extent::Once } else { Extent::Follow },
            backlog: match backlog {
                BacklogArg::Beginning => Backlog::Beginning,
                BacklogArg::Now => Backlog::Now,
            },
            source: match source {
                SourceArg::Auto => Source::Auto,
                SourceArg::Files => Source::Files,
                SourceArg::Api => Source::Api,
            },
            docker_root,
        };
        let life = if once { Life::Short } else { Life::Long };
        raise_file_limit();
        shipping.run(life, group, stream, Fields::default(), |hub| async move {
            let store = match state_dir {
                Some(directory) => Store::open(&directory).map_err(Ending::settings)?,
                None => Store::in_memory(),
            };
            let follow = docker::run(config, hub, store.clone());
            Ok((async { follow.await.map_err(Ending::from) }, store))
        })
    }
}

impl Pipe {
    pub fn log_format(&self) -> LogFormat {
        self.shipping.logging.format()
    }

    pub fn run(self) -> Result<(), Ending> {
        let framing = match self.framing {
            FramingArg::Lines => Framing::Lines,
            FramingArg::LinesWithTimes => Framing::LinesWithTimes,
            FramingArg::Frames => Framing::Frames,
            FramingArg::FramesWithTimes => Framing::FramesWithTimes,
            FramingArg::JsonFile => Framing::JsonFile,
            FramingArg::JsonLines => Framing::JsonLines,
        };
        self.shipping.run(Life::Short, self.group, self.stream, self.fields, |hub| async move {
            let read = async move {
                let cannot = |error| Ending::other(format!("standard input cannot be read: {error}"));
                pipe::run(&hub, framing).await.map_err(cannot)
            };
            Ok((read, Store::in_memory()))
        })
    }
}

impl Shipping {
    /// Runs the component beside a source until both are through. `open` gives the source, and where
    /// positions are kept.
    fn run<O, S>(
        self,
        life: Life,
        group: String,
        stream: String,
        fields: Fields,
        open: impl FnOnce(Hub) -> O,
    ) -> Result<(), Ending>
    where
        O: Future<Output = Result<(S, Store), Ending>>,
        S: Future<Output = Result<(), Ending>>,
    {
        let Shipping {
            region,
            create_group,
            create_stream,
            flush_after,
            buffer,
            compression,
            in_flight,
            stop_timeout,
            ..
        } = self;
        let endpoint = self.endpoint_url.or_else(other_endpoint);
        self.logging.start();
        // One thread: the component's work is what there is to do, and handing bytes between threads
        // would cost more than it could save.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Ending::other)?;
        let result = runtime.block_on(async {
            let signals = Signals::listen().map_err(Ending::other)?;
            let region = match region
                .or_else(|| std::env::var("AWS_DEFAULT_REGION").ok())
                .filter(|region| !region.is_empty())
            {
                Some(region) => region,
                None => default_region().await.unwrap_or_default(),
            };
            let options = Options {
                region: region.clone(),
                endpoint,
                log_group_name: group,
                log_stream_name: stream,
                host_name: host_name(),
                create_group,
                create_stream,
                flush_after: millis(flush_after),
                buffer_bytes: buffer,
                compression: match compression {
                    CompressionArg::None => Compression::None,
                    CompressionArg::Gzip => Compression::Gzip,
                },
                in_flight,
                time_field: fields.time_field,
                message_field: fields.message_field,
                fail_fast: life == Life::Short,
                seed: seed(),
            };
            let component = Runtime::new()?;
            let reporter = Arc::new(Tracing::default());
            let hub = Hub::default();
            let (source, store) = open(hub.clone()).await?;
            let http = Arc::new(HttpClient::new(store.clone()).map_err(Ending::other)?);
            let instance =
                component.run(hub.clone(), options, Arc::new(AwsCredentials::new(&region)), http, reporter);
            let result = together(instance, source, hub.clone(), signals, stop_timeout).await;
            say_gaps(hub.gaps());
            result.and(store.flush().await.map_err(Ending::other))
        });
        // A blocking lookup of a name, or a read of a terminal, is not worth waiting for.
        runtime.shutdown_background();
        result
    }
}

/// Runs the component and its source until the component ends, the source fails, or a second signal comes.
async fn together(
    instance: impl Future<Output = Result<(), RunError>>,
    source: impl Future<Output = Result<(), Ending>>,
    hub: Hub,
    mut signals: Signals,
    stop_timeout: Duration,
) -> Result<(), Ending> {
    let instance = std::pin::pin!(instance);
    let source = async {
        match source.await {
            // The component says when it is through with what was read.
            Ok(()) => std::future::pending().await,
            Err(ending) => ending,
        }
    };
    let stopped = async {
        signals.next().await;
        tracing::info!(
            "told to stop: delivering what has been read, for {} s at most",
            stop_timeout.as_secs()
        );
        hub.set_phase(Phase::Stopping { within_ms: millis(stop_timeout) });
        signals.next().await;
    };
    tokio::select! {
        biased;
        result = instance => Ok(result?),
        ending = source => Err(ending),
        () = stopped => Err(Ending::unfinished("told to stop a second time: ended at once")),
    }
}

/// Says at the end what never could be read; each gap was said when it was found.
fn say_gaps(gaps: Gaps) {
    if gaps.count > 0 {
        tracing::warn!(
            "gaps in logs, of which parts were gone before they could be read: {}; bytes missing, as far as their \
             size is known: {}",
            gaps.count,
            gaps.bytes
        );
    }
}

/// Each container's log takes a file or a socket, and the usual limit is 1,024: takes what it may have.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!("the limit of open files stays as it is: {error}");
    }
}

fn other_endpoint() -> Option<String> {
    let given = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
    given("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS").or_else(|| given("AWS_ENDPOINT_URL"))
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// As the component counts; the longest that can be said is a day.
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// Another number for every start.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_nanos() as u64) ^ u64::from(std::process::id()).rotate_left(32)
}
