//! `cloudspout run` and `cloudspout pipe`: logs in, CloudWatch out.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use cloudspout_host::docker::{self, Address, Backlog, Extent, Filter, Sight, Source, Tls};
use cloudspout_host::positions::Store;
use cloudspout_host::streams::{Framing, Hub};
use cloudspout_host::{Ec2, Options, pipe};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::awslogs::Awslogs;
use super::config::PROGRAM;
use super::exit::Ending;
use super::lanes::{self, Lane};
use super::logging::LogFormat;
use super::naming::Naming;
use super::shipping::{Life, Shipping, variable};
use super::tenants;

/// Follows the containers of a Docker daemon: those that run, and those that start later.
///
/// A container that should be left out says so: `LOGSPOUT=ignore` in its environment, or the label
/// `cloudspout.ignore=true`.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// Routes as logspout takes them, such as `cloudwatch://us-east-1?DELAY=8&filter.name=*_db`, or
    /// `cloudwatch://auto` for the Region of the EC2 machine; separated by commas. With one, `--compat logspout`
    /// is meant
    #[arg(value_name = "ROUTE")]
    pub(super) routes: Vec<String>,
    /// Where the Docker daemon listens: unix:///path or tcp://host:port [default: unix:///var/run/docker.sock; where
    /// that is not, and with a route, unix:///tmp/docker.sock]
    #[arg(long, help_heading = PROGRAM, env = "DOCKER_HOST", value_name = "URL")]
    docker_host: Option<String>,
    /// Where to keep how far each container has been read; without it, a restart reads every log again
    #[arg(long, help_heading = PROGRAM, env = "CLOUDSPOUT_STATE_DIR", value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
    /// The way to a container's log: Docker's json-file logs directly, or the Engine API
    #[arg(long, help_heading = PROGRAM, value_enum, default_value_t = SourceArg::Auto)]
    source: SourceArg,
    /// Docker's data root as it is mounted here, if that is not where the daemon says
    #[arg(long, help_heading = PROGRAM, env = "CLOUDSPOUT_DOCKER_ROOT", value_name = "DIR")]
    docker_root: Option<PathBuf>,
    /// Where to begin with a container that is running already and of which nothing is known
    #[arg(long, help_heading = PROGRAM, value_enum, default_value_t = BacklogArg::Beginning)]
    backlog: BacklogArg,
    /// Ship what all containers have logged so far, and end
    #[arg(long, help_heading = PROGRAM)]
    pub(super) once: bool,
    /// File with options, and with tenants (docs/TENANTS.md)
    #[arg(long, help_heading = PROGRAM, env = "CLOUDSPOUT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read that file again whenever it changes, and not on SIGHUP only
    #[arg(long, help_heading = PROGRAM)]
    pub(super) watch_config: bool,
    /// What becomes of a container that is several tenants' own
    #[arg(long, help_heading = PROGRAM, value_enum, default_value_t = OverlapArg::Refuse, value_name = "WHAT")]
    pub(super) on_overlap: OverlapArg,
    #[command(flatten)]
    pub(super) shipping: Shipping,
    #[command(flatten)]
    pub(super) naming: Naming,
    #[command(flatten)]
    pub(super) awslogs: Awslogs,
    #[arg(skip)]
    pub(super) filter: Filter,
    #[arg(skip)]
    pub(super) wanted_backlog: Option<Backlog>,
    /// Where its positions are, below the state directory, if it is one of several.
    #[arg(skip)]
    pub(super) own_directory: String,
    /// The route that it is of, if there are any.
    #[arg(skip)]
    pub(super) route: String,
    /// Whether the daemon is there, for all routes.
    #[arg(skip)]
    sight: Sight,
    /// What people should hear at the start.
    #[arg(skip)]
    pub(super) remarks: Vec<String>,
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
    pub time_field: Option<String>,
    /// Of JSON lines: the field whose value becomes the event's text; else the line as it is
    #[arg(long, value_name = "NAME")]
    pub message_field: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SourceArg {
    Auto,
    Files,
    Api,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OverlapArg {
    /// It is not shipped until that is mended
    Refuse,
    /// It is the first one's
    First,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BacklogArg {
    Beginning,
    Now,
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

impl Run {
    pub fn log_format(&self) -> LogFormat {
        self.shipping.logging.format()
    }

    pub fn run(self) -> Result<(), Ending> {
        match &self.config {
            Some(path) => tenants::run(path),
            None => self.run_alone(),
        }
    }

    /// Runs without tenants.
    pub(super) fn run_alone(self) -> Result<(), Ending> {
        raise_file_limit();
        let life = self.life();
        let lanes: Result<Vec<_>, _> = self.settled()?.into_iter().map(Run::lane).collect();
        lanes::ship(life, lanes?)
    }

    fn life(&self) -> Life {
        if self.once { Life::Short } else { Life::Long }
    }

    /// What the component is told.
    pub(super) fn options(&self, machine: Ec2) -> Options {
        let mut options = self.shipping.options(self.life(), machine);
        self.naming.clone().apply(&mut options, variable);
        options
    }

    /// How Docker is read.
    pub(super) fn docker(&self) -> Result<docker::Config, Ending> {
        let address = match &self.docker_host {
            Some(url) => Address::parse(url, Tls::of_environment()).map_err(Ending::settings)?,
            None if self.naming.is_logspout() => Address::of_logspout(),
            None => Address::default(),
        };
        Ok(docker::Config {
            address,
            extent: if self.once { Extent::Once } else { Extent::Follow },
            backlog: self.wanted_backlog.unwrap_or(match self.backlog {
                BacklogArg::Beginning => Backlog::Beginning,
                BacklogArg::Now => Backlog::Now,
            }),
            source: match self.source {
                SourceArg::Auto => Source::Auto,
                SourceArg::Files => Source::Files,
                SourceArg::Api => Source::Api,
            },
            docker_root: self.docker_root.clone(),
            filter: self.filter.clone(),
            sight: self.sight.clone(),
        })
    }

    /// How it is shipped.
    fn lane(self) -> Result<Lane, Ending> {
        let config = self.docker()?;
        let Run { state_dir, shipping, naming, remarks, .. } = self;
        let name = |options: &mut Options| naming.apply(options, variable);
        Ok(Lane::new(shipping, name, move |hub, board| async move {
            for remark in remarks {
                tracing::warn!("{remark}");
            }
            let store = open_store(state_dir.as_deref())?;
            board.add(config.sight.clone());
            let follow = docker::run(config, hub, store.clone());
            Ok((async { follow.await.map_err(Ending::from) }, store))
        }))
    }
}

/// Opens the store of positions; without a directory, one that is forgotten.
pub(super) fn open_store(directory: Option<&Path>) -> Result<Store, Ending> {
    match directory {
        Some(directory) => Store::open(directory).map_err(Ending::settings),
        None => Ok(Store::in_memory()),
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
        let lane = Lane::new(shipping, name, move |hub: Hub, _| async move {
            let read = async move {
                let cannot = |error| Ending::other(format!("standard input cannot be read: {error}"));
                pipe::run(&hub, framing).await.map_err(cannot)
            };
            Ok((read, Store::in_memory()))
        });
        lanes::ship(Life::Short, vec![lane])
    }
}

/// Each container's log, and each sender, takes a file or a socket, and the usual limit is 1,024: takes what it
/// may have.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!("the limit of open files stays as it is: {error}");
    }
}
