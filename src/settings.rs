//! What the operator chose: options as they were given, and settings, which are valid.

use std::fmt;
use std::sync::Arc;

use crate::cloudwatch::{EndpointError, GroupError, GroupOptions, LogFormat, LogFormatError, NewGroup};
use crate::lines::{FieldNames, LineError, LineOptions, LineRules, Side};
pub use crate::naming::WhenFull;
use crate::naming::{
    Collisions, Machine, Names, NamingError, NamingOptions, Sites, WholeEvent, event_fields,
};
use crate::time::Millis;

/// Options as they were given; `settings.options` in the WIT says what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub region: String,
    pub endpoint: Option<String>,
    /// Templates; empty for what the mode of naming has by default.
    pub group: String,
    pub stream: String,
    pub naming: NamingOptions,
    pub collisions: Collisions,
    /// The only side of containers that is wanted; none for both.
    pub only: Option<Side>,
    pub host_name: String,
    pub create_group: bool,
    pub create_stream: bool,
    pub new_groups: GroupOptions,
    /// As Docker's `awslogs-format` has it.
    pub format: Option<String>,
    pub flush_after: Millis,
    pub buffer_bytes: u64,
    pub compression: Compression,
    pub in_flight: u32,
    pub signing: Signing,
    pub fields: FieldNames,
    pub lines: LineOptions,
    pub when_full: WhenFull,
    pub mark_gaps: bool,
    pub dead_letters: bool,
    pub own_group: bool,
    pub own_stream: bool,
    pub filter: Option<FilterFailure>,
    pub fail_fast: bool,
    pub seed: u64,
}

/// What `cloudspout run` does without options; Region, log group and log stream are still to be named.
impl Default for Options {
    fn default() -> Options {
        Options {
            region: String::new(),
            endpoint: None,
            group: String::new(),
            stream: String::new(),
            naming: NamingOptions::default(),
            collisions: Collisions::default(),
            only: None,
            host_name: "localhost".to_owned(),
            create_group: true,
            create_stream: true,
            new_groups: GroupOptions::default(),
            format: None,
            flush_after: Millis(5_000),
            buffer_bytes: 64 << 20,
            compression: Compression::default(),
            in_flight: 1,
            signing: Signing::default(),
            fields: FieldNames::default(),
            lines: LineOptions::default(),
            when_full: WhenFull::default(),
            mark_gaps: false,
            dead_letters: false,
            own_group: false,
            own_stream: false,
            filter: None,
            fail_fast: false,
            seed: 0,
        }
    }
}

/// What becomes of events on which the filter fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterFailure {
    /// They stay where they are, and with them all that follows.
    Stop,
    /// They go on as they are.
    Pass,
}

/// How the bodies of requests are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    #[default]
    None,
    Gzip,
}

/// Who signs requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signing {
    /// The core, with credentials that it asks for.
    #[default]
    Here,
    /// Whoever carries them on, with credentials that never come here.
    Elsewhere,
}

/// Options that can be used.
#[derive(Debug)]
pub struct Settings {
    /// Where events go, and where containers may have them go.
    pub sites: Sites,
    pub names: Names,
    pub collisions: Collisions,
    /// The only side of containers that is wanted.
    pub only: Option<Side>,
    /// The fields by which events are kept apart, because names depend on them.
    pub event_fields: Vec<String>,
    pub create_group: bool,
    pub create_stream: bool,
    /// What log groups are made with.
    pub new_groups: NewGroup,
    /// What events are, where the service is to be told.
    pub format: Option<LogFormat>,
    /// The name of the machine.
    pub host_name: String,
    /// How long an event may wait for others.
    pub flush_after: Millis,
    /// What may be held of events that are not accepted, in bytes.
    pub buffer_bytes: usize,
    pub compression: Compression,
    /// Requests of one destination under way at a time; 1 or more.
    pub in_flight: usize,
    pub signing: Signing,
    /// Which fields of JSON lines hold what.
    pub fields: FieldNames,
    /// How lines become events, unless a container says so itself.
    pub lines: Arc<LineRules>,
    pub when_full: WhenFull,
    /// Whether an event in a log stream says where others are missing.
    pub mark_gaps: bool,
    /// Whether events that are refused for good are handed out to be kept.
    pub dead_letters: bool,
    /// Whether a dead letter goes to the log group, or to the log stream, that it names.
    pub own_group: bool,
    pub own_stream: bool,
    /// Whether events go through a filter, and what becomes of those on which it fails.
    pub filter: Option<FilterFailure>,
    /// Whether to give up on what waiting does not mend.
    pub fail_fast: bool,
    pub seed: u64,
}

/// Why an option cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    Endpoint(EndpointError),
    Naming(NamingError),
    WholeEvent(WholeEvent),
    /// Log groups are confined, and dead letters are to choose theirs themselves.
    ConfinedLetters,
    Lines(LineError),
    Group(GroupError),
    Format(LogFormatError),
    /// Events are wrapped, and the service is to look into them.
    WrappedFormat,
    /// Lines are to be joined to events that have to be whole as they are written.
    JoinedFormat,
}

/// Less than this cannot hold one request and gather the next, in bytes.
const LEAST_BUFFER: u64 = 4 << 20;

impl Settings {
    /// # Errors
    /// For an option that cannot be used.
    pub fn of(options: &Options) -> Result<Settings, SettingsError> {
        let naming = &options.naming;
        let sites = Sites::of(
            &options.region,
            options.endpoint.as_deref(),
            &naming.allow_regions,
            &naming.allow_endpoints,
        )
        .map_err(SettingsError::Endpoint)?;
        if options.own_group && naming.confine.is_some() {
            return Err(SettingsError::ConfinedLetters);
        }
        let machine = Machine {
            host_name: options.host_name.clone(),
            region: options.region.clone(),
            instance_id: naming.instance_id.clone(),
        };
        let apart = [&naming.tag, &naming.stderr_group, &naming.stderr_stream];
        let templates = [options.group.as_str(), options.stream.as_str()];
        let templates = templates.into_iter().chain(apart.into_iter().flatten().map(String::as_str));
        let format = options.format.as_deref().filter(|format| !format.is_empty());
        let format = format.map(LogFormat::parse).transpose().map_err(SettingsError::Format)?;
        let lines = LineRules::of(&options.lines).map_err(SettingsError::Lines)?;
        if format.is_some() && lines.start.is_some() {
            return Err(SettingsError::JoinedFormat);
        }
        if format.is_some() && lines.wrap.is_some() {
            return Err(SettingsError::WrappedFormat);
        }
        Ok(Settings {
            names: Names::parse(&options.group, &options.stream, naming, machine)
                .map_err(SettingsError::Naming)?
                .among(sites.clone()),
            sites,
            event_fields: event_fields(templates).map_err(SettingsError::WholeEvent)?,
            collisions: options.collisions,
            only: options.only,
            create_group: options.create_group,
            create_stream: options.create_stream,
            new_groups: NewGroup::of(&options.new_groups).map_err(SettingsError::Group)?,
            format,
            host_name: options.host_name.clone(),
            flush_after: options.flush_after,
            buffer_bytes: usize::try_from(options.buffer_bytes.max(LEAST_BUFFER)).unwrap_or(usize::MAX),
            compression: options.compression,
            signing: options.signing,
            in_flight: usize::try_from(options.in_flight.max(1)).unwrap_or(usize::MAX),
            fields: options.fields.clone(),
            lines: Arc::new(lines),
            when_full: options.when_full,
            mark_gaps: options.mark_gaps,
            dead_letters: options.dead_letters,
            own_group: options.own_group,
            own_stream: options.own_stream,
            filter: options.filter,
            fail_fast: options.fail_fast,
            seed: options.seed,
        })
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingsError::Endpoint(error) => error.fmt(out),
            SettingsError::Naming(error) => error.fmt(out),
            SettingsError::WholeEvent(error) => error.fmt(out),
            SettingsError::JoinedFormat => out.write_str(
                "awslogs-datetime-format and awslogs-multiline-pattern cannot be given with awslogs-format: such events \
                 are a line each",
            ),
            SettingsError::ConfinedLetters => out.write_str(
                "dead letters name log groups of their own, which --confine cannot let pass; give --group",
            ),
            SettingsError::Lines(error) => error.fmt(out),
            SettingsError::Group(error) => error.fmt(out),
            SettingsError::Format(error) => error.fmt(out),
            SettingsError::WrappedFormat => out.write_str(
                "awslogs-format and wrap cannot be given at the same time: in what is wrapped nobody finds metrics",
            ),
        }
    }
}

impl std::error::Error for SettingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SettingsError::Endpoint(error) => Some(error),
            SettingsError::Naming(error) => Some(error),
            SettingsError::WholeEvent(error) => Some(error),
            SettingsError::ConfinedLetters | SettingsError::WrappedFormat | SettingsError::JoinedFormat => {
                None
            }
            SettingsError::Lines(error) => Some(error),
            SettingsError::Group(error) => Some(error),
            SettingsError::Format(error) => Some(error),
        }
    }
}
