//! Between the types of the WIT and those of the core.

use super::bindings;
use super::bindings::cloudspout::host::{
    credentials as wit_credentials, dead_letters, filtering, lifecycle, logs, reports, settings,
};
use super::bindings::exports::cloudspout::host::names;
use crate::cloudwatch::{GroupOptions, Operation};
use crate::explain::Explanation;
use crate::lines::{FieldNames, Framing, LineOptions, Position, Side, Sides, WrapForm};
use crate::naming::{Choice, Collisions, Container, Mode, NamingOptions, Overrides};
use crate::settings::{Compression, FilterFailure, Options, Signing, WhenFull};
use crate::shipper::{
    Counts, CredentialsError, Failure, Fate, FilterEvents, FilterOrigin, FilterOutcome, Loss, Opening,
    Outcome, Pause, Phase, Positions, Reason, Severity, Status,
};
use crate::sigv4::Credentials;
use crate::time::{Millis, Timestamp};

pub fn options(options: settings::Options) -> Options {
    Options {
        region: options.region,
        endpoint: options.endpoint,
        group: options.log_group_name,
        stream: options.log_stream_name,
        naming: NamingOptions {
            mode: match options.naming_mode {
                settings::NamingMode::Native => Mode::Own,
                settings::NamingMode::Awslogs => Mode::Awslogs,
                settings::NamingMode::Logspout => Mode::Logspout,
            },
            overrides: Overrides {
                labels: options.overrides.contains(settings::Overrides::LABELS),
                env: options.overrides.contains(settings::Overrides::ENV),
                log_options: options.overrides.contains(settings::Overrides::LOG_OPTIONS),
            },
            tag: options.tag,
            stderr_group: options.stderr_group_name,
            stderr_stream: options.stderr_stream_name,
            confine: options.confine,
            instance_id: options.instance_id,
            allow_regions: options.allow_regions,
            allow_endpoints: options.allow_endpoints,
        },
        collisions: match options.collisions {
            settings::Collisions::Share => Collisions::Share,
            settings::Collisions::Distinct => Collisions::Distinct,
        },
        only: options.only.map(|only| match only {
            settings::Output::Stdout => Side::Stdout,
            settings::Output::Stderr => Side::Stderr,
        }),
        host_name: options.host_name,
        create_group: options.create_group,
        create_stream: options.create_stream,
        flush_after: Millis(options.flush_after.into()),
        buffer_bytes: options.buffer_bytes,
        compression: match options.compression {
            settings::Compression::None => Compression::None,
            settings::Compression::Gzip => Compression::Gzip,
        },
        in_flight: options.in_flight,
        signing: Signing::Here,
        when_full: match options.when_full {
            settings::WhenFull::Wait => WhenFull::Wait,
            settings::WhenFull::DropOldest => WhenFull::DropOldest,
            settings::WhenFull::DropNewest => WhenFull::DropNewest,
        },
        mark_gaps: options.mark_gaps,
        dead_letters: options.dead_letters,
        own_group: options.own_group,
        own_stream: options.own_stream,
        filter: options.filter.map(|failure| match failure {
            settings::FilterFailure::Stop => FilterFailure::Stop,
            settings::FilterFailure::Pass => FilterFailure::Pass,
        }),
        fields: FieldNames { time: options.time_field, message: options.message_field },
        lines: LineOptions {
            multiline_pattern: options.multiline_pattern,
            datetime_format: options.datetime_format,
            time_format: options.time_format,
            time_zone: options.time_zone,
            wrap: match options.wrap {
                settings::Wrap::None => WrapForm::Bare,
                settings::Wrap::Json => WrapForm::Json,
                settings::Wrap::JsonNested => WrapForm::Nested,
            },
            wrap_fields: options.wrap_fields,
        },
        format: options.event_format,
        new_groups: GroupOptions {
            retention_days: options.retention_days,
            retain_existing: options.retain_existing,
            tags: options.group_tags,
            kms_key: options.kms_key_id,
            class: options.log_group_class,
        },
        fail_fast: options.fail_fast,
        seed: options.seed,
    }
}

pub fn opening(opened: logs::Opened) -> Opening {
    Opening {
        framing: match opened.framing {
            logs::Framing::Lines => Framing::Lines,
            logs::Framing::LinesWithTimes => Framing::LinesWithTimes,
            logs::Framing::Frames => Framing::Frames,
            logs::Framing::FramesWithTimes => Framing::FramesWithTimes,
            logs::Framing::JsonFile => Framing::JsonFile,
            logs::Framing::JsonLines => Framing::JsonLines,
            logs::Framing::DeadLetters => Framing::DeadLetters,
            logs::Framing::JsonBody => Framing::JsonBody,
            logs::Framing::OtlpProtobuf => Framing::OtlpProtobuf,
            logs::Framing::OtlpJson => Framing::OtlpJson,
        },
        start: opened.start,
        taken: positions(opened.taken),
        lost: opened.lost.map(loss),
        terminal: opened.terminal,
        container: container(opened.container),
    }
}

pub fn container(container: logs::Container) -> Container {
    Container {
        id: container.id,
        name: container.name,
        image_name: container.image_name,
        image_id: container.image_id,
        hostname: container.hostname,
        daemon_name: container.daemon_name,
        entrypoint: container.entrypoint,
        args: container.args,
        env: container.env,
        labels: container.labels,
        log_options: container.log_options,
        created: container.created,
        log_path: container.log_path,
        event: container.event,
    }
}

fn positions(positions: logs::Positions) -> Positions {
    let position = |position: logs::Position| Position {
        offset: position.offset,
        time: Timestamp::from_nanos(position.time),
        ordinal: position.ordinal,
        into_line: position.into_line,
    };
    Sides { stdout: positions.stdout.map(position), stderr: positions.stderr.map(position) }
}

pub fn positions_out(positions: &Positions) -> logs::Positions {
    let position = |position: Position| logs::Position {
        offset: position.offset,
        time: position.time.nanos(),
        ordinal: position.ordinal,
        into_line: position.into_line,
    };
    logs::Positions { stdout: positions.stdout.map(position), stderr: positions.stderr.map(position) }
}

pub fn pause(pause: logs::Pause) -> Pause {
    match pause {
        logs::Pause::Interrupted => Pause::Interrupted,
        logs::Pause::Stopped => Pause::Stopped,
        logs::Pause::Ended => Pause::Ended,
        logs::Pause::Lost(lost) => Pause::Lost(loss(lost)),
    }
}

fn loss(loss: logs::Loss) -> Loss {
    let reason = match loss.cause {
        logs::LossCause::Rotated => Reason::Rotated,
        logs::LossCause::Compressed => Reason::Compressed,
        logs::LossCause::Truncated => Reason::Truncated,
    };
    Loss { reason, bytes: loss.bytes, before: loss.before.map(Timestamp::from_nanos) }
}

pub fn fate(fate: Fate) -> logs::Fate {
    match fate {
        Fate::Settled { events, refused } => logs::Fate::Settled(logs::Tally { events, refused }),
        Fate::Unreadable(problem) => logs::Fate::Unreadable(problem),
    }
}

pub fn kept(kept: Result<(), dead_letters::Failure>) -> Result<(), String> {
    kept.map_err(|dead_letters::Failure::Unwritable(text)| text)
}

pub fn phase(phase: lifecycle::Phase, now: Timestamp) -> Phase {
    match phase {
        lifecycle::Phase::Running => Phase::Running,
        lifecycle::Phase::Finishing => Phase::Finishing,
        lifecycle::Phase::Stopping(within) => Phase::Stopping { by: now + Millis(within.into()) },
    }
}

pub fn credentials(
    found: Result<wit_credentials::Identity, wit_credentials::Failure>,
) -> Result<Credentials, CredentialsError> {
    match found {
        Ok(identity) => Ok(Credentials::new(
            identity.access_key_id,
            identity.secret_access_key,
            identity.session_token,
            identity.expires.map(Timestamp::from_nanos),
        )),
        Err(wit_credentials::Failure::Missing(text)) => Err(CredentialsError::Missing(text)),
        Err(wit_credentials::Failure::Invalid(text)) => Err(CredentialsError::Invalid(text)),
        Err(wit_credentials::Failure::Unavailable(text) | wit_credentials::Failure::Other(text)) => {
            Err(CredentialsError::Unavailable(text))
        }
    }
}

pub fn filter_origin(origin: &FilterOrigin) -> filtering::Origin {
    let FilterOrigin { id, name, image_name, labels } = origin.clone();
    filtering::Origin { id, name, image_name, labels }
}

pub fn filter_events(events: FilterEvents) -> filtering::Events {
    let FilterEvents { texts, ends, times, errors } = events;
    filtering::Events { texts, ends, times, errors }
}

pub fn filter_events_back(events: filtering::Events) -> FilterEvents {
    let filtering::Events { texts, ends, times, errors } = events;
    FilterEvents { texts, ends, times, errors }
}

/// What the filter returned.
pub fn filtered(returned: Result<filtering::Outcome, filtering::Failure>) -> Result<FilterOutcome, String> {
    match returned {
        Ok(filtering::Outcome { kept, texts, ends, destinations, elsewhere }) => {
            let names = |destination: filtering::Destination| {
                (destination.log_group_name, destination.log_stream_name)
            };
            let destinations = destinations.into_iter().map(names).collect();
            Ok(FilterOutcome { kept, texts, ends, destinations, elsewhere })
        }
        Err(filtering::Failure::Refused(text) | filtering::Failure::Broken(text)) => Err(text),
    }
}

pub fn message(severity: Severity, text: String) -> reports::Message {
    let severity = match severity {
        Severity::Debug => reports::Severity::Debug,
        Severity::Info => reports::Severity::Info,
        Severity::Warning => reports::Severity::Warning,
        Severity::Error => reports::Severity::Error,
    };
    reports::Message { severity, text }
}

pub fn counts(counts: &Counts) -> reports::Counts {
    reports::Counts {
        bytes_read: counts.bytes_read,
        events_read: counts.events_read,
        requests_sent: counts.requests_sent,
        requests_retried: counts.requests_retried,
        bytes_sent: counts.bytes_sent,
        events_accepted: counts.events_accepted,
        events_too_old: counts.events_too_old,
        events_too_new: counts.events_too_new,
        events_expired: counts.events_expired,
        events_invalid: counts.events_invalid,
        events_dropped_oldest: counts.events_dropped_oldest,
        events_dropped_newest: counts.events_dropped_newest,
        events_filtered: counts.events_filtered,
        events_unfiltered: counts.events_unfiltered,
        dead_letters: counts.dead_letters,
        log_gaps: counts.log_gaps,
        log_bytes_lost: counts.log_bytes_lost,
        gaps_marked: counts.gaps_marked,
        group_settings_refused: counts.group_settings_refused,
        requests_ambiguous: counts.requests_ambiguous,
        events_possibly_doubled: counts.events_possibly_doubled,
        events_empty: counts.events_empty,
        lines_split: counts.lines_split,
        bytes_malformed: counts.bytes_malformed,
    }
}

pub fn status(status: &Status) -> reports::Status {
    let answers = &status.answers;
    let answered = answers.requests().map(|(operation, came, requests)| reports::Answered {
        action: action(operation),
        outcome: outcome(came),
        requests,
    });
    let latency = answers.latency().map(|(within, answers)| reports::Bucket { within, answers });
    reports::Status {
        answered: answered.collect(),
        latency: latency.collect(),
        latency_sum: answers.latency_sum().0,
        in_flight: count(status.in_flight),
        bytes_held: status.bytes_held as u64,
        events_pending: status.events_pending,
        pending_since: status.pending_since.map(Timestamp::nanos),
        earliest_pending: status.earliest_pending.map(Timestamp::nanos),
        destinations: count(status.destinations),
        destinations_failing: count(status.destinations_failing),
        credentials_found: answers.credentials_found,
        credentials_missed: answers.credentials_missed,
        credentials_expire: status.credentials_expire.map(Timestamp::nanos),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn action(operation: Operation) -> reports::Action {
    match operation {
        Operation::PutLogEvents => reports::Action::PutLogEvents,
        Operation::CreateLogStream => reports::Action::CreateLogStream,
        Operation::CreateLogGroup => reports::Action::CreateLogGroup,
        Operation::PutRetentionPolicy => reports::Action::PutRetentionPolicy,
    }
}

fn outcome(outcome: Outcome) -> reports::Outcome {
    match outcome {
        Outcome::Ok => reports::Outcome::Ok,
        Outcome::Throttled => reports::Outcome::Throttled,
        Outcome::Fault => reports::Outcome::Fault,
        Outcome::NotSent => reports::Outcome::NotSent,
        Outcome::Unanswered => reports::Outcome::Unanswered,
        Outcome::NotFound => reports::Outcome::NotFound,
        Outcome::Denied => reports::Outcome::Denied,
        Outcome::Credentials => reports::Outcome::Credentials,
        Outcome::Clock => reports::Outcome::Clock,
        Outcome::Invalid => reports::Outcome::Invalid,
        Outcome::NotCloudWatch => reports::Outcome::NotCloudwatch,
    }
}

pub fn failure(failure: Failure) -> bindings::Failure {
    match failure {
        Failure::Settings(text) => bindings::Failure::Settings(text),
        Failure::Credentials(text) => bindings::Failure::Credentials(text),
        Failure::Denied(text) => bindings::Failure::Denied(text),
        Failure::Endpoint(text) => bindings::Failure::Endpoint(text),
        failure @ Failure::DeadLetters(_) => bindings::Failure::Other(failure.to_string()),
        Failure::Rejected(events) => bindings::Failure::Rejected(events),
        Failure::Unfinished(events) => bindings::Failure::Unfinished(events),
        Failure::Filter(text) => bindings::Failure::Filter(text),
    }
}

pub fn explanation(explained: Explanation) -> names::Explanation {
    let place = |choice: Choice| names::Placement {
        log_group_name: choice.destination.group().to_owned(),
        log_stream_name: choice.destination.stream().to_owned(),
        group_by: choice.group_by.to_string(),
        stream_by: choice.stream_by.to_string(),
        region: choice.destination.site().map(|site| site.region.as_str().to_owned()),
        endpoint: choice.destination.site().map(|site| site.url().to_owned()),
    };
    let (sides, refusal) = match explained.places {
        Ok(sides) => (sides, None),
        Err(refusal) => (Sides::default(), Some(refusal)),
    };
    names::Explanation {
        stdout: sides.stdout.map(place),
        stderr: sides.stderr.map(place),
        refusal,
        shares_with: explained.shares_with,
        remarks: explained.remarks,
        rendered: explained.rendered.map(|rendered| match rendered {
            Ok(text) => names::Rendering::Text(text),
            Err(reason) => names::Rendering::Failed(reason),
        }),
    }
}
