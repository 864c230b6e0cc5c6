//! `cloudspout run` and `cloudspout pipe`: logs in, CloudWatch out.

use std::fs::File;
use std::future::Future;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{ArgAction, Args, ValueEnum};
use cloudspout_host::docker::{self, Address, Backlog, Extent, Filter, Source, Tls};
use cloudspout_host::positions::Store;
use cloudspout_host::streams::{Framing, Hub, Phase};
use cloudspout_host::{
    AwsCredentials, Compression, DeadLetters, HttpClient, Means, Options, RunError, Runtime, Tracing,
    WhenFull, default_region, pipe,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::events::{Groups, Lines};
use super::exit::Ending;
use super::logging::{LogFormat, Logging};
use super::naming::Naming;
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
    #[command(flatten)]
    naming: Naming,
}

/// Ships standard input, and ends once all of it is accepted.
#[derive(Debug, Args)]
pub struct Pipe {
    /// Log group; of dead letters, else the one that each names
    #[arg(long, env = "CLOUDSPOUT_GROUP", value_name = "NAME")]
    group: Option<String>,
    /// Log stream; of dead letters, else the one that each names
    #[arg(long, env = "CLOUDSPOUT_STREAM", value_name = "NAME")]
    stream: Option<String>,
    /// What comes in: lines, Docker's frames (of `GET /containers/ID/logs`), a json-file log, JSON
    /// lines, or what `--dead-letter` kept
    #[arg(long, value_enum, default_value_t = FramingArg::Lines)]
    framing: FramingArg,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    shipping: Shipping,
}

/// Stands for a name that is never used: each event brings its own.
const OWN: &str = "dead-letters";

impl Pipe {
    /// Ends the program, as for any other wrong command line, unless both names are given.
    fn require_names(&self) {
        let given = |name: &Option<String>| name.as_ref().is_some_and(|name| !name.is_empty());
        let missing = match (given(&self.group), given(&self.stream)) {
            (false, _) => "--group <NAME>",
            (_, false) => "--stream <NAME>",
            (true, true) => return,
        };
        let text = format!("the following required argument was not provided: {missing}\n");
        clap::Error::raw(clap::error::ErrorKind::MissingRequiredArgument, text).exit();
    }
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
    #[command(flatten)]
    lines: Lines,
    #[command(flatten)]
    groups: Groups,
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
    /// What becomes of events once `--buffer` is full: they wait where they are, or the oldest or the newest
    /// are dropped, counted and said
    #[arg(long, value_enum, default_value_t = WhenFullArg::Wait, value_name = "WHAT")]
    when_full: WhenFullArg,
    /// File to append events to, as lines of JSON, that CloudWatch refuses for good; `cloudspout pipe --framing
    /// dead-letters` sends them again
    #[arg(long, env = "CLOUDSPOUT_DEAD_LETTER", value_name = "FILE")]
    dead_letter: Option<PathBuf>,
    /// Where events are missing for good, say so in the log stream itself, by an event
    #[arg(long)]
    mark_gaps: bool,
    /// How often to say what has been counted, if it has changed; 0 for only at the end
    #[arg(long, default_value = "5m", value_parser = size::duration, value_name = "TIME")]
    report_every: Duration,
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
enum WhenFullArg {
    Wait,
    DropOldest,
    DropNewest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FramingArg {
    Lines,
    LinesWithTimes,
    Frames,
    FramesWithTimes,
    JsonFile,
    JsonLines,
    DeadLetters,
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
        let Run { docker_host, state_dir, source, docker_root, backlog, once, shipping, naming } = self;
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
            filter: Filter::default(),
        };
        let life = if once { Life::Short } else { Life::Long };
        raise_file_limit();
        let name = |options: &mut Options| naming.apply(options, variable);
        shipping.run(life, name, |hub| async move {
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
            FramingArg::DeadLetters => Framing::DeadLetters,
        };
        if framing != Framing::DeadLetters {
            self.require_names();
        }
        let Pipe { group, stream, fields, shipping, .. } = self;
        let name = |options: &mut Options| {
            options.own_group = group.is_none();
            options.own_stream = stream.is_none();
            options.log_group_name = group.unwrap_or_else(|| OWN.to_owned());
            options.log_stream_name = stream.unwrap_or_else(|| OWN.to_owned());
            options.time_field = fields.time_field;
            options.message_field = fields.message_field;
        };
        shipping.run(Life::Short, name, |hub| async move {
            let read = async move {
                let cannot = |error| Ending::other(format!("standard input cannot be read: {error}"));
                pipe::run(&hub, framing).await.map_err(cannot)
            };
            Ok((read, Store::in_memory()))
        })
    }
}

impl Shipping {
    /// Runs the component beside a source until both are through. `name` sets the options that say where
    /// events go; `open` gives the source, and where positions are kept.
    fn run<O, S>(
        self,
        life: Life,
        name: impl FnOnce(&mut Options),
        open: impl FnOnce(Hub) -> O,
    ) -> Result<(), Ending>
    where
        O: Future<Output = Result<(S, Store), Ending>>,
        S: Future<Output = Result<(), Ending>>,
    {
        let Shipping {
            lines,
            groups,
            region,
            create_group,
            create_stream,
            flush_after,
            buffer,
            compression,
            in_flight,
            when_full,
            dead_letter,
            mark_gaps,
            report_every,
            stop_timeout,
            ..
        } = self;
        let endpoint = self.endpoint_url.or_else(other_endpoint);
        let form = self.logging.form();
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
            let mut options = Options {
                region: region.clone(),
                endpoint,
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
                when_full: match when_full {
                    WhenFullArg::Wait => WhenFull::Wait,
                    WhenFullArg::DropOldest => WhenFull::DropOldest,
                    WhenFullArg::DropNewest => WhenFull::DropNewest,
                },
                mark_gaps,
                dead_letters: dead_letter.is_some(),
                fail_fast: life == Life::Short,
                seed: seed(),
                ..Options::default()
            };
            name(&mut options);
            lines.apply_to(&mut options);
            groups.apply_to(&mut options);
            let component = Runtime::new()?;
            let reporter = Arc::new(Tracing::new(form, (!report_every.is_zero()).then_some(report_every)));
            let dead_letters = dead_letter.map(|path| open_dead_letters(&path)).transpose()?;
            let hub = Hub::default();
            let (source, store) = open(hub.clone()).await?;
            let http = Arc::new(HttpClient::new(store.clone()).map_err(Ending::other)?);
            let means = Means {
                credentials: Arc::new(AwsCredentials::new(&region)),
                transport: http,
                reporter: reporter.clone(),
                dead_letters,
            };
            let instance = component.run(hub.clone(), options, means);
            let result = together(instance, source, hub.clone(), signals, stop_timeout).await;
            reporter.sum_up();
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

/// Opens the file that refused events go to.
fn open_dead_letters(path: &Path) -> Result<DeadLetters, Ending> {
    let letters = DeadLetters::open(path)
        .map_err(|problem| Ending::settings(format!("dead letters cannot be kept: {problem}")))?;
    let input = std::io::stdin().as_fd().try_clone_to_owned().map(File::from);
    if input.is_ok_and(|input| letters.is(&input)) {
        let path = path.display();
        return Err(Ending::settings(format!(
            "{path} is read and written at once, which may never end; move it away first"
        )));
    }
    Ok(letters)
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
    variable("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS").or_else(|| variable("AWS_ENDPOINT_URL"))
}

/// A variable of the environment; one that is empty is not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
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
