//! The options: their names, where they are taken from, what they default to, and what they set.

use crate::lines::{Framing, WrapForm};
use crate::settings::{Compression, Options};
use crate::shipper::Severity;
use crate::size;
use crate::time::Millis;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub options: Options,
    /// How standard input is to be understood.
    pub framing: Framing,
    /// The least that people want to hear of.
    pub level: Severity,
}

/// One option.
pub struct Entry {
    /// With its hyphens.
    pub name: &'static str,
    /// What stands for its value in `--help`.
    pub value: &'static str,
    pub help: &'static str,
    /// Variables that stand in for it, the first that is set.
    pub variables: &'static [&'static str],
    pub default: Default,
    /// Takes a value; says what is wrong with it.
    pub set: fn(&mut Command, &str) -> Result<(), String>,
}

/// What an option is that nobody gives.
pub enum Default {
    Value(&'static str),
    /// It has to be given.
    Required,
    /// The core knows what to do without.
    Absent,
}

/// Every option, in the order of `--help`.
pub const ENTRIES: [Entry; 26] = [
    Entry {
        name: "--group",
        value: "NAME",
        help: "Log group",
        variables: &["CLOUDSPOUT_GROUP"],
        default: Default::Required,
        set: |command, text| into(&mut command.options.group, text),
    },
    Entry {
        name: "--stream",
        value: "NAME",
        help: "Log stream",
        variables: &["CLOUDSPOUT_STREAM"],
        default: Default::Required,
        set: |command, text| into(&mut command.options.stream, text),
    },
    Entry {
        name: "--framing",
        value: "FRAMING",
        help: "What comes in: lines, lines-with-times, frames or frames-with-times (Docker's, of `GET\n\
               /containers/ID/logs`), json-file (a log of Docker's), json-lines",
        variables: &[],
        default: Default::Value("lines"),
        set: |command, text| choice(&mut command.framing, text, &FRAMINGS),
    },
    Entry {
        name: "--time-field",
        value: "NAME",
        help: "Of JSON lines: the field with the event's time; else the first of `timestamp`, `@timestamp`,\n\
               `time`, `ts`, `date` that holds one, else the time of arrival",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.fields.time = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--message-field",
        value: "NAME",
        help: "Of JSON lines: the field whose value becomes the event's text; else the line as it is",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.fields.message = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--awslogs-multiline-pattern",
        value: "PATTERN",
        help: "Pattern of lines that begin an event; those that follow and do not match go on with it",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.lines.multiline_pattern = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--awslogs-datetime-format",
        value: "FORMAT",
        help: "Likewise, as a format of dates and times: lines that hold one begin an event",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.lines.datetime_format = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--time-format",
        value: "FORMAT",
        help: "Format of the time that a line says of itself, to be its event's (`%d/%b/%Y:%H:%M:%S %z`); else the\n\
               time of arrival",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.lines.time_format = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--time-zone",
        value: "ZONE",
        help: "Time zone of such times where they name none, such as Europe/Berlin or +02:00; else UTC",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.lines.time_zone = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--wrap",
        value: "FORM",
        help: "Make each event a JSON object, with its text as `message` and fields of where it is from (json); with\n\
               json-nested, a text that is an object stands there as one",
        variables: &[],
        default: Default::Value("none"),
        set: |command, text| choice(&mut command.options.lines.wrap, text, &WRAPS),
    },
    Entry {
        name: "--wrap-fields",
        value: "FIELDS",
        help: "Fields to wrap events with, of which standard input has stream and host; else stream",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.lines.wrap_fields = text.split(',').map(str::to_owned).collect();
            Ok(())
        },
    },
    Entry {
        name: "--awslogs-format",
        value: "FORMAT",
        help: "What events are, for CloudWatch to find metrics in: json/emf",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.format = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--retention-days",
        value: "DAYS",
        help: "Days that a log group made here keeps events; else for ever",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.new_groups.retention_days =
                Some(text.parse().map_err(|_| "not a number of days")?);
            Ok(())
        },
    },
    Entry {
        name: "--retain-existing",
        value: "BOOL",
        help: "Whether a log group that exists already is told `--retention-days` too",
        variables: &[],
        default: Default::Value("false"),
        set: |command, text| choice(&mut command.options.new_groups.retain_existing, text, &BOOLEANS),
    },
    Entry {
        name: "--group-tags",
        value: "TAGS",
        help: "Tags of a log group made here, as KEY=VALUE,KEY=VALUE",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.new_groups.tags = text.split(',').map(str::to_owned).collect();
            Ok(())
        },
    },
    Entry {
        name: "--kms-key-id",
        value: "ARN",
        help: "ARN of the KMS key that a log group made here is encrypted with",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.new_groups.kms_key = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--log-group-class",
        value: "CLASS",
        help: "Class of a log group made here: STANDARD, INFREQUENT_ACCESS, DELIVERY, ESSENTIALS",
        variables: &[],
        default: Default::Absent,
        set: |command, text| {
            command.options.new_groups.class = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--region",
        value: "REGION",
        help: "AWS Region",
        variables: &["AWS_REGION", "AWS_DEFAULT_REGION"],
        default: Default::Absent,
        set: |command, text| into(&mut command.options.region, text),
    },
    Entry {
        name: "--endpoint-url",
        value: "URL",
        help: "Base URL of CloudWatch Logs, for private endpoints and tests; else the Region's own",
        variables: &["AWS_ENDPOINT_URL_LOGS", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AWS_ENDPOINT_URL"],
        default: Default::Absent,
        set: |command, text| {
            command.options.endpoint = Some(text.to_owned());
            Ok(())
        },
    },
    Entry {
        name: "--create-group",
        value: "BOOL",
        help: "Whether to make log groups that do not exist",
        variables: &[],
        default: Default::Value("true"),
        set: |command, text| choice(&mut command.options.create_group, text, &BOOLEANS),
    },
    Entry {
        name: "--create-stream",
        value: "BOOL",
        help: "Whether to make log streams that do not exist",
        variables: &[],
        default: Default::Value("true"),
        set: |command, text| choice(&mut command.options.create_stream, text, &BOOLEANS),
    },
    Entry {
        name: "--flush-after",
        value: "TIME",
        help: "How long an event may wait for others",
        variables: &[],
        default: Default::Value("5s"),
        set: |command, text| {
            let millis = size::duration(text)?.as_millis();
            command.options.flush_after = Millis(u64::try_from(millis).unwrap_or(u64::MAX));
            Ok(())
        },
    },
    Entry {
        name: "--buffer",
        value: "SIZE",
        help: "How much may be held in memory that CloudWatch has not accepted, before reading waits",
        variables: &[],
        default: Default::Value("64MiB"),
        set: |command, text| {
            command.options.buffer_bytes = size::bytes(text)?;
            Ok(())
        },
    },
    Entry {
        name: "--compression",
        value: "FORM",
        help: "Send the bodies of requests compressed (gzip): less network for several times the CPU",
        variables: &[],
        default: Default::Value("none"),
        set: |command, text| choice(&mut command.options.compression, text, &COMPRESSIONS),
    },
    Entry {
        name: "--in-flight",
        value: "NUMBER",
        help: "Requests under way at a time, 1 to 64; more than 1 gives up the order between batches",
        variables: &[],
        default: Default::Value("1"),
        set: |command, text| {
            let number = text.parse().ok().filter(|number| (1..=64).contains(number));
            command.options.in_flight = number.ok_or("not a number from 1 to 64")?;
            Ok(())
        },
    },
    Entry {
        name: "--log-level",
        value: "LEVEL",
        help: "What the program says of itself, on standard error: error, warn, info, debug",
        variables: &["CLOUDSPOUT_LOG"],
        default: Default::Value("info"),
        set: |command, text| choice(&mut command.level, text, &LEVELS),
    },
];

const FRAMINGS: [(&str, Framing); 6] = [
    ("lines", Framing::Lines),
    ("lines-with-times", Framing::LinesWithTimes),
    ("frames", Framing::Frames),
    ("frames-with-times", Framing::FramesWithTimes),
    ("json-file", Framing::JsonFile),
    ("json-lines", Framing::JsonLines),
];
const WRAPS: [(&str, WrapForm); 3] =
    [("none", WrapForm::Bare), ("json", WrapForm::Json), ("json-nested", WrapForm::Nested)];
const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];
const COMPRESSIONS: [(&str, Compression); 2] = [("none", Compression::None), ("gzip", Compression::Gzip)];
const LEVELS: [(&str, Severity); 4] = [
    ("error", Severity::Error),
    ("warn", Severity::Warning),
    ("info", Severity::Info),
    ("debug", Severity::Debug),
];

impl Command {
    /// What has to be known besides options: the machine's name for templates, and a seed of chance.
    /// Every entry of the table is still to be set.
    pub fn blank(host_name: &str, seed: u64) -> Command {
        Command {
            options: Options {
                host_name: host_name.to_owned(),
                // It ends by itself, and so gives up on what waiting does not mend.
                fail_fast: true,
                seed,
                ..Options::default()
            },
            framing: Framing::Lines,
            level: Severity::Info,
        }
    }
}

fn into(field: &mut String, text: &str) -> Result<(), String> {
    text.clone_into(field);
    Ok(())
}

fn choice<T: Copy>(field: &mut T, text: &str, choices: &[(&str, T)]) -> Result<(), String> {
    match choices.iter().find(|(name, _)| *name == text) {
        Some((_, value)) => {
            *field = *value;
            Ok(())
        }
        None => {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            Err(format!("not one of {}", names.join(", ")))
        }
    }
}
