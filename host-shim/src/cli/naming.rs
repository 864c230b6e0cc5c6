//! How log groups and log streams are named: the options of `run`, and what they come to.

use clap::{ArgAction, Args, ValueEnum};
use cloudspout_host::{Collisions, NamingMode, Options, Output, Overrides};

use super::awslogs::Awslogs;
use super::exit::Ending;

/// Which names containers get.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Names")]
pub struct Naming {
    /// Template of the log group's name; by default the name of this host
    #[arg(long, env = "CLOUDSPOUT_GROUP", value_name = "TEMPLATE", value_parser = not_empty)]
    group: Option<String>,
    /// Template of the log stream's name; by default the container's name
    #[arg(long, env = "CLOUDSPOUT_STREAM", value_name = "TEMPLATE", value_parser = not_empty)]
    stream: Option<String>,
    /// Name as another program does: its templates' fields and functions, its defaults, its environment
    #[arg(long, value_enum, env = "CLOUDSPOUT_COMPAT", value_name = "PROGRAM")]
    compat: Option<Compat>,
    /// Which of a container's own words may choose its names: `labels` (awslogs.group, awslogs.stream,
    /// awslogs.tag), `env` (LOGSPOUT_GROUP, LOGSPOUT_STREAM), `log-opts` (awslogs-group, awslogs-stream, tag),
    /// or `none`, which is the default except with `--compat logspout`: there it is labels,env
    #[arg(long, value_enum, env = "CLOUDSPOUT_ALLOW_OVERRIDES", value_name = "WORDS", value_delimiter = ',')]
    allow_overrides: Option<Vec<Words>>,
    /// Template of the log group that standard error goes to, if that is another
    #[arg(long, env = "CLOUDSPOUT_STDERR_GROUP", value_name = "TEMPLATE", value_parser = not_empty)]
    stderr_group: Option<String>,
    /// Template of the log stream that standard error goes to, if that is another
    #[arg(long, env = "CLOUDSPOUT_STDERR_STREAM", value_name = "TEMPLATE", value_parser = not_empty)]
    stderr_stream: Option<String>,
    /// Ship only one of the outputs of containers
    #[arg(long, value_enum, value_name = "OUTPUT")]
    only: Option<OutputArg>,
    /// What every log group has to begin with: a container that would go elsewhere is refused, which is said, and
    /// its logs wait in Docker
    #[arg(long, env = "CLOUDSPOUT_CONFINE", value_name = "PREFIX", value_parser = not_empty)]
    confine: Option<String>,
    /// A Region that containers may choose by the label awslogs.region; without, any of the partition. May be said
    /// several times
    #[arg(long, value_name = "REGION", action = ArgAction::Append, value_delimiter = ',')]
    allow_region: Vec<String>,
    /// An endpoint that containers may choose by the label awslogs.endpoint; without, none. May be said several times
    #[arg(long, value_name = "URL", action = ArgAction::Append)]
    allow_endpoint: Vec<String>,
    /// What becomes of a container whose log stream another one has already: they share it, which is said, or
    /// the later one gets its id behind the name
    #[arg(long, value_enum, default_value_t = CollisionArg::Share, value_name = "WHAT")]
    on_collision: CollisionArg,
    #[arg(skip)]
    tag: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compat {
    /// Docker's log driver
    Awslogs,
    /// logspout-cloudwatch
    Logspout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Words {
    Labels,
    Env,
    LogOpts,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputArg {
    Stdout,
    Stderr,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum CollisionArg {
    #[default]
    Share,
    Distinct,
}

impl Naming {
    /// Has Docker's options stand for those that they are here.
    ///
    /// # Errors
    /// For a name that is given twice, and for Docker's names where another program's are to be.
    pub fn with(self, awslogs: &Awslogs) -> Result<Naming, Ending> {
        let one = |ours: Option<String>, dockers: &Option<String>, option: &str| match (ours, dockers) {
            (Some(_), Some(_)) => Err(Ending::usage(format!(
                "--{option} and --awslogs-{option} name the same; give one of them"
            ))),
            (ours, dockers) => Ok(ours.or_else(|| dockers.clone())),
        };
        if awslogs.names() && self.compat == Some(Compat::Logspout) {
            return Err(Ending::usage("--awslogs-... and --compat logspout contradict each other"));
        }
        Ok(Naming {
            group: one(self.group, &awslogs.awslogs_group, "group")?,
            stream: one(self.stream, &awslogs.awslogs_stream, "stream")?,
            tag: awslogs.tag.clone(),
            compat: if awslogs.names() { Some(Compat::Awslogs) } else { self.compat },
            ..self
        })
    }

    pub fn is_logspout(&self) -> bool {
        self.compat == Some(Compat::Logspout)
    }

    /// Has names as logspout's.
    ///
    /// # Errors
    /// They are to be Docker's.
    pub fn with_logspout(self) -> Result<Naming, Ending> {
        match self.compat {
            Some(Compat::Awslogs) => Err(Ending::usage(
                "a route names as logspout does, and --compat awslogs, or an --awslogs-... option, as Docker",
            )),
            None | Some(Compat::Logspout) => Ok(Naming { compat: Some(Compat::Logspout), ..self }),
        }
    }

    /// What a route says of names goes before what is said for all.
    pub fn of_route(self, group: Option<&str>, stream: Option<&str>, only: Option<Output>) -> Naming {
        let only = only.map(|only| match only {
            Output::Stdout => OutputArg::Stdout,
            Output::Stderr => OutputArg::Stderr,
        });
        Naming {
            group: group.map(str::to_owned).or(self.group),
            stream: stream.map(str::to_owned).or(self.stream),
            only: only.or(self.only),
            ..self
        }
    }

    /// Whether a template may want to know which EC2 instance this machine is.
    pub fn mentions_instance(&self) -> bool {
        let templates = [&self.group, &self.stream, &self.tag, &self.stderr_group, &self.stderr_stream];
        let theirs = self.allow_overrides.as_ref().is_some_and(|words| *words != [Words::None]);
        theirs || templates.into_iter().flatten().any(|template| template.contains("InstanceID"))
    }

    /// Whether log groups are made unless somebody says so.
    pub fn makes_groups(&self) -> bool {
        self.compat != Some(Compat::Awslogs)
    }

    /// Sets what the component has to know of it. `variable` looks into the environment, as far as the mode
    /// knows variables that no option has.
    pub fn apply(self, options: &mut Options, variable: impl Fn(&str) -> Option<String>) {
        let mode = match self.compat {
            None => NamingMode::Native,
            Some(Compat::Awslogs) => NamingMode::Awslogs,
            Some(Compat::Logspout) => NamingMode::Logspout,
        };
        let logspout = |name| if mode == NamingMode::Logspout { variable(name) } else { None };
        options.naming_mode = mode;
        options.overrides = match self.allow_overrides {
            Some(words) => words.into_iter().map(Words::flag).fold(Overrides::empty(), |all, one| all | one),
            None if mode == NamingMode::Logspout => Overrides::LABELS | Overrides::ENV,
            None => Overrides::empty(),
        };
        options.log_group_name = self.group.or_else(|| logspout("LOGSPOUT_GROUP")).unwrap_or_default();
        options.log_stream_name = self.stream.or_else(|| logspout("LOGSPOUT_STREAM")).unwrap_or_default();
        options.tag = self.tag;
        options.stderr_group_name = self.stderr_group;
        options.stderr_stream_name = self.stderr_stream;
        options.only = self.only.map(|only| match only {
            OutputArg::Stdout => Output::Stdout,
            OutputArg::Stderr => Output::Stderr,
        });
        options.confine = self.confine;
        options.allow_regions = self.allow_region;
        options.allow_endpoints = self.allow_endpoint;
        options.collisions = match self.on_collision {
            CollisionArg::Share => Collisions::Share,
            CollisionArg::Distinct => Collisions::Distinct,
        };
    }
}

impl Words {
    fn flag(self) -> Overrides {
        match self {
            Words::Labels => Overrides::LABELS,
            Words::Env => Overrides::ENV,
            Words::LogOpts => Overrides::LOG_OPTIONS,
            Words::None => Overrides::empty(),
        }
    }
}

fn not_empty(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("it is empty") } else { Ok(text.to_owned()) }
}
