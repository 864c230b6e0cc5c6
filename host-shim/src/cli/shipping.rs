//! The options of whatever ships, and what the component is told of them.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{ArgAction, Args, ValueEnum};
use cloudspout_host::{Compression, Ec2, Options, WhenFull, default_region, ec2};

use super::awslogs::{self, Awslogs};
use super::config::PROGRAM;
use super::credentials::CredentialsArgs;
use super::events::{Groups, Lines};
use super::filter::FilterArgs;
use super::logging::Logging;
use super::metrics::Metrics;
use super::size;

/// Whether an instance ends by itself, as with `pipe` and `--once`, and so gives up on what waiting does not mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Short,
    Long,
}

/// What all that ships needs.
#[derive(Clone, Debug, Args)]
pub(super) struct Shipping {
    #[command(flatten)]
    lines: Lines,
    #[command(flatten)]
    groups: Groups,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// AWS Region; else AWS_REGION, AWS_DEFAULT_REGION, the profile, the EC2 machine
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    pub(super) region: Option<String>,
    /// Base URL of CloudWatch Logs, for private endpoints and tests; else AWS_ENDPOINT_URL_LOGS,
    /// AWS_ENDPOINT_URL_CLOUDWATCH_LOGS, AWS_ENDPOINT_URL, the Region's own
    #[arg(long, env = "AWS_ENDPOINT_URL_LOGS", value_name = "URL")]
    endpoint_url: Option<String>,
    /// Whether to make log groups that do not exist [default: true]
    #[arg(long, action = ArgAction::Set, value_name = "BOOL")]
    create_group: Option<bool>,
    /// Whether to make log streams that do not exist
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    create_stream: bool,
    /// How long an event may wait for others [default: 5s]
    #[arg(long, value_parser = size::duration, value_name = "TIME")]
    pub(super) flush_after: Option<Duration>,
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
    pub(super) dead_letter: Option<PathBuf>,
    /// Where events are missing for good, say so in the log stream itself, by an event
    #[arg(long)]
    mark_gaps: bool,
    /// How often to say what has been counted, if it has changed; 0 for only at the end
    #[arg(long, help_heading = PROGRAM, default_value = "5m", value_parser = size::duration, value_name = "TIME")]
    pub(super) report_every: Duration,
    /// How long to go on delivering when told to stop
    #[arg(long, help_heading = PROGRAM, default_value = "10s", value_parser = size::duration, value_name = "TIME")]
    pub(super) stop_timeout: Duration,
    #[command(flatten)]
    pub(super) metrics: Metrics,
    #[command(flatten)]
    pub(super) credentials: CredentialsArgs,
    #[command(flatten)]
    pub(super) logging: Logging,
    /// Whether EC2's metadata service is asked which instance this machine is.
    #[arg(skip)]
    pub(super) wants_instance: bool,
    /// Whether the Region is the one that it says.
    #[arg(skip)]
    pub(super) wants_own_region: bool,
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

impl Shipping {
    /// Has Docker's options stand for those that they are here. `makes_groups`: whether log groups are made
    /// unless somebody says so.
    pub(super) fn with(self, awslogs: &Awslogs, makes_groups: bool) -> Shipping {
        let drops = awslogs.mode == Some(awslogs::Mode::NonBlocking);
        Shipping {
            region: awslogs.awslogs_region.clone().or(self.region),
            endpoint_url: awslogs.awslogs_endpoint.clone().or(self.endpoint_url),
            create_group: awslogs.awslogs_create_group.or(self.create_group).or(Some(makes_groups)),
            create_stream: awslogs.awslogs_create_stream.unwrap_or(self.create_stream),
            flush_after: awslogs.flush_after().or(self.flush_after),
            when_full: if drops { WhenFullArg::DropNewest } else { self.when_full },
            buffer: awslogs.max_buffer_size.unwrap_or(self.buffer),
            credentials: self.credentials.with(awslogs),
            ..self
        }
    }

    /// Whether events are dropped rather than made to wait.
    pub(super) fn drops(&self) -> bool {
        self.when_full != WhenFullArg::Wait
    }

    /// What is asked of this machine before anything else: its Region, and which EC2 instance it is.
    pub(super) async fn look_around(&self) -> Ec2 {
        let machine = if self.wants_instance { ec2().await.unwrap_or_default() } else { Ec2::default() };
        let own = Some(machine.region).filter(|_| self.wants_own_region);
        let given = own.filter(|region| !region.is_empty()).or_else(|| self.region.clone());
        let named = given.or_else(|| variable("AWS_DEFAULT_REGION")).filter(|region| !region.is_empty());
        let region = match named {
            Some(region) => region,
            None => default_region().await.unwrap_or_default(),
        };
        Ec2 { region, ..machine }
    }

    /// Whether the Region is known without looking around.
    pub(super) fn names_region(&self) -> bool {
        let given = |region: &String| !region.is_empty();
        self.region.as_ref().is_some_and(given) || variable("AWS_DEFAULT_REGION").is_some()
    }

    /// What the component is told, but for the names.
    pub(super) fn options(&self, life: Life, machine: Ec2) -> Options {
        let mut options = Options {
            region: machine.region,
            endpoint: self.endpoint_url.clone().or_else(other_endpoint),
            host_name: host_name(),
            instance_id: machine.instance_id,
            create_group: self.create_group.unwrap_or(true),
            create_stream: self.create_stream,
            flush_after: millis(self.flush_after.unwrap_or(FLUSH_AFTER)),
            buffer_bytes: self.buffer,
            compression: match self.compression {
                CompressionArg::None => Compression::None,
                CompressionArg::Gzip => Compression::Gzip,
            },
            in_flight: self.in_flight,
            when_full: match self.when_full {
                WhenFullArg::Wait => WhenFull::Wait,
                WhenFullArg::DropOldest => WhenFull::DropOldest,
                WhenFullArg::DropNewest => WhenFull::DropNewest,
            },
            mark_gaps: self.mark_gaps,
            dead_letters: self.dead_letter.is_some(),
            filter: self.filter.failure(),
            fail_fast: life == Life::Short,
            seed: seed(),
            ..Options::default()
        };
        self.lines.clone().apply_to(&mut options);
        self.groups.clone().apply_to(&mut options);
        options
    }
}

fn other_endpoint() -> Option<String> {
    variable("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS").or_else(|| variable("AWS_ENDPOINT_URL"))
}

/// A variable of the environment; one that is empty is not set.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// As the component counts; the longest that can be said is a day.
pub(super) fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// How long an event may wait unless somebody says so.
const FLUSH_AFTER: Duration = Duration::from_secs(5);

/// Another number for every start.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_nanos() as u64) ^ u64::from(std::process::id()).rotate_left(32)
}
