//! Docker's `awslogs` options, under their own names.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::exit::Ending;
use super::size;

/// The options of Docker's log driver `awslogs`, with its names, meaning and defaults. `--log-opt NAME=VALUE`
/// gives them as the docker command does.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Docker's awslogs options (each also as --log-opt NAME=VALUE)")]
pub struct Awslogs {
    /// AWS Region; wins over AWS_REGION
    #[arg(long, env = "AWSLOGS_REGION", value_name = "REGION", value_parser = value)]
    pub awslogs_region: Option<String>,
    /// Log group. With it, names are as Docker's: the log stream is the container's full id by default, and
    /// missing log groups are not made unless --awslogs-create-group says so
    #[arg(long, env = "AWSLOGS_GROUP", value_name = "NAME", value_parser = value)]
    pub awslogs_group: Option<String>,
    /// Log stream; wins over --tag
    #[arg(long, env = "AWSLOGS_STREAM", value_name = "NAME", value_parser = value)]
    pub awslogs_stream: Option<String>,
    /// Template of the log stream's name, such as `{{.Name}}/{{.ID}}`
    #[arg(long, env = "AWSLOGS_TAG", value_name = "TEMPLATE", value_parser = value)]
    pub tag: Option<String>,
    /// Whether to make log groups that do not exist [default: false]
    #[arg(long, env = "AWSLOGS_CREATE_GROUP", value_name = "BOOL", value_parser = boolean)]
    pub awslogs_create_group: Option<bool>,
    /// Whether to make log streams that do not exist [default: true]
    #[arg(long, env = "AWSLOGS_CREATE_STREAM", value_name = "BOOL", value_parser = boolean)]
    pub awslogs_create_stream: Option<bool>,
    /// Base URL of CloudWatch Logs
    #[arg(long, env = "AWSLOGS_ENDPOINT", value_name = "URL", value_parser = value)]
    pub awslogs_endpoint: Option<String>,
    /// Where credentials are handed out, as ECS does: a path at 169.254.170.2, or a whole URL
    #[arg(long, env = "AWSLOGS_CREDENTIALS_ENDPOINT", value_name = "URI", value_parser = value, conflicts_with_all = ["profile", "credentials_endpoint", "access_key_id_from"])]
    pub awslogs_credentials_endpoint: Option<String>,
    /// How long an event may wait for others [default: 5]
    #[arg(long, env = "AWSLOGS_FORCE_FLUSH_INTERVAL_SECONDS", value_name = "SECONDS", value_parser = positive)]
    pub awslogs_force_flush_interval_seconds: Option<u32>,
    /// Taken for Docker's sake: what may wait in memory is bounded in bytes, by --buffer
    #[arg(long, env = "AWSLOGS_MAX_BUFFERED_EVENTS", value_name = "NUMBER", value_parser = positive)]
    pub awslogs_max_buffered_events: Option<u32>,
    /// What becomes of events that there is no room for: they wait in Docker, or the newest are dropped and
    /// counted
    #[arg(long, value_enum, env = "AWSLOGS_MODE", value_name = "MODE")]
    pub mode: Option<Mode>,
    /// How much may wait in memory, with `--mode non-blocking`
    #[arg(long, env = "AWSLOGS_MAX_BUFFER_SIZE", value_name = "SIZE", value_parser = size::bytes)]
    pub max_buffer_size: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Blocking,
    NonBlocking,
}

impl Awslogs {
    /// Whether names are to be as Docker's.
    pub fn names(&self) -> bool {
        self.awslogs_group.is_some()
            || self.awslogs_stream.is_some()
            || self.awslogs_region.is_some()
            || self.awslogs_create_group.is_some()
            || self.awslogs_create_stream.is_some()
    }

    /// Refuses what contradicts itself, as Docker does.
    pub fn check(&self) -> Result<(), Ending> {
        if self.max_buffer_size.is_some() && self.mode != Some(Mode::NonBlocking) {
            return Err(Ending::usage("max-buffer-size option is only supported with 'mode=non-blocking'"));
        }
        Ok(())
    }

    pub fn flush_after(&self) -> Option<Duration> {
        self.awslogs_force_flush_interval_seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }
}

/// A value that says something; Docker takes an empty one for none.
fn value(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("it is empty") } else { Ok(text.to_owned()) }
}

/// What Go takes for a truth value.
fn boolean(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("must specify valid value: true or false"),
    }
}

fn positive(text: &str) -> Result<u32, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("must specify a positive integer")
}
