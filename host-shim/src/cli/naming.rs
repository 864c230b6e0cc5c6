//! How log groups and log streams are named: the options of `run`, and what they come to.

use clap::{Args, ValueEnum};
use cloudspout_host::{Collisions, NamingMode, Options, Output, Overrides};

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
    /// What becomes of a container whose log stream another one has already: they share it, which is said, or
    /// the later one gets its id behind the name
    #[arg(long, value_enum, default_value_t = CollisionArg::Share, value_name = "WHAT")]
    on_collision: CollisionArg,
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
        options.stderr_group_name = self.stderr_group;
        options.stderr_stream_name = self.stderr_stream;
        options.only = self.only.map(|only| match only {
            OutputArg::Stdout => Output::Stdout,
            OutputArg::Stderr => Output::Stderr,
        });
        options.confine = self.confine;
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
