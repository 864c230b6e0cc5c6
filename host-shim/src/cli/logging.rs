//! The program's own log lines, on standard error.

use std::io::{self, IsTerminal};

use clap::{Args, ValueEnum};
use cloudspout_host::Form;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use super::config::PROGRAM;

/// How the program speaks of itself.
#[derive(Clone, Debug, Args)]
pub struct Logging {
    /// Form of the program's own log lines, on standard error
    #[arg(long, help_heading = PROGRAM, value_enum, default_value_t = LogFormat::Human, env = "CLOUDSPOUT_LOG_FORMAT", global = true)]
    log_format: LogFormat,
    /// What the program says of itself: error, warn, info, debug, trace, or a filter such as
    /// `warn,cloudspout_host=debug`
    #[arg(long, help_heading = PROGRAM, default_value = "info", env = "CLOUDSPOUT_LOG", value_name = "LEVEL", value_parser = filter)]
    log_level: EnvFilter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Human,
    Json,
}

impl LogFormat {
    /// Says something that no filter holds back: how the program ended, or where it listens.
    pub fn say(self, level: &str, text: &str) {
        match self {
            LogFormat::Human => eprintln!("{text}"),
            LogFormat::Json => {
                let mut timestamp = String::new();
                // Writing to a string cannot fail.
                let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
                let line = serde_json::json!({ "timestamp": timestamp, "level": level, "message": text });
                eprintln!("{line}");
            }
        }
    }
}

impl Logging {
    /// Has it say more than is asked for otherwise.
    pub fn say_all(&mut self) {
        if let Ok(filter) = filter("debug") {
            self.log_level = filter;
        }
    }

    pub fn format(&self) -> LogFormat {
        self.log_format
    }

    /// How counts are told in it.
    pub fn form(&self) -> Form {
        match self.log_format {
            LogFormat::Human => Form::Words,
            LogFormat::Json => Form::Fields,
        }
    }

    /// Starts it.
    pub fn start(self) {
        let lines = tracing_subscriber::fmt()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .with_timer(SystemTime)
            .with_target(false)
            .with_env_filter(self.log_level);
        match self.log_format {
            LogFormat::Human => lines.init(),
            LogFormat::Json => lines.json().flatten_event(true).init(),
        }
    }
}

/// What AWS's credentials chain says of itself is left out, unless it is named: the answer that comes of it is
/// told by us, in one line, where the chain prints whole structures.
fn filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("aws_config=off,{text}"))
}
