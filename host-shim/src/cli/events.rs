//! Options of what becomes of lines, and of the log groups that they go to.

use clap::{ArgAction, Args, ValueEnum};
use cloudspout_host::{Options, Wrap};

/// What makes an event of lines.
#[derive(Clone, Debug, Default, Args)]
pub struct Lines {
    /// Pattern (RE2, as Go has it) of lines that begin an event; those that follow and do not match go on with it
    #[arg(long, env = "AWSLOGS_MULTILINE_PATTERN", value_name = "PATTERN", allow_hyphen_values = true)]
    awslogs_multiline_pattern: Option<String>,
    /// Likewise, as a format of dates and times (`%Y-%m-%d %H:%M:%S`): lines that hold one begin an event
    #[arg(long, env = "AWSLOGS_DATETIME_FORMAT", value_name = "FORMAT", allow_hyphen_values = true)]
    awslogs_datetime_format: Option<String>,
    /// Format of the time that a line says of itself, to be its event's (`%d/%b/%Y:%H:%M:%S %z`); else the time at
    /// which Docker noted it
    #[arg(long, value_name = "FORMAT", allow_hyphen_values = true)]
    time_format: Option<String>,
    /// Time zone of such times where they name none, such as Europe/Berlin or +02:00; else UTC
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    time_zone: Option<String>,
    /// Make each event a JSON object, with its text as `message` and fields of its container; with json-nested, a
    /// text that is an object stands there as one
    #[arg(long, value_enum, default_value_t = WrapArg::None, value_name = "FORM")]
    wrap: WrapArg,
    /// Fields to wrap events with: stream, name, id, full-id, image, image-id, hostname, daemon, created, host,
    /// labels.KEY, env.KEY; else stream,name,id,image
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    wrap_fields: Vec<String>,
    /// What events are, for CloudWatch to find metrics in: json/emf
    #[arg(long, env = "AWSLOGS_FORMAT", value_name = "FORMAT")]
    awslogs_format: Option<String>,
}

/// What log groups are made with.
#[derive(Clone, Debug, Default, Args)]
pub struct Groups {
    /// Days that log groups made here keep events; else for ever
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<u32>,
    /// Whether log groups that exist already are told `--retention-days` too
    #[arg(long, default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    retain_existing: bool,
    /// Tags of log groups made here, as KEY=VALUE,KEY=VALUE
    #[arg(long, value_delimiter = ',', value_name = "TAGS")]
    group_tags: Vec<String>,
    /// ARN of the KMS key that log groups made here are encrypted with
    #[arg(long, value_name = "ARN")]
    kms_key_id: Option<String>,
    /// Class of log groups made here: STANDARD, INFREQUENT_ACCESS, DELIVERY, ESSENTIALS
    #[arg(long, value_name = "CLASS")]
    log_group_class: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum WrapArg {
    #[default]
    None,
    Json,
    JsonNested,
}

impl Lines {
    pub fn apply_to(self, options: &mut Options) {
        options.multiline_pattern = self.awslogs_multiline_pattern;
        options.datetime_format = self.awslogs_datetime_format;
        options.time_format = self.time_format;
        options.time_zone = self.time_zone;
        options.wrap = match self.wrap {
            WrapArg::None => Wrap::None,
            WrapArg::Json => Wrap::Json,
            WrapArg::JsonNested => Wrap::JsonNested,
        };
        options.wrap_fields = self.wrap_fields;
        options.event_format = self.awslogs_format;
    }
}

impl Groups {
    pub fn apply_to(self, options: &mut Options) {
        options.retention_days = self.retention_days;
        options.retain_existing = self.retain_existing;
        options.group_tags = self.group_tags;
        options.kms_key_id = self.kms_key_id;
        options.log_group_class = self.log_group_class;
    }
}
