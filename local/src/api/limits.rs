//! The service's quotas and allowed values.
//!
//! From the API reference's pages of PutLogEvents, CreateLogGroup, CreateLogStream, PutRetentionPolicy,
//! GetLogEvents, FilterLogEvents, DescribeLogGroups and DescribeLogStreams.

/// Messages in UTF-8 and [`EVENT_OVERHEAD`] for each.
pub const BATCH_BYTES: usize = 1_048_576;
pub const BATCH_EVENTS: usize = 10_000;
/// Counted for an event besides its message.
pub const EVENT_OVERHEAD: usize = 26;
/// An event with its overhead; alone in a batch it has to fit there too.
pub const EVENT_BYTES: usize = 1_048_576;

pub const MILLIS_AN_HOUR: i64 = 3_600_000;
/// Events of one call may lie this far apart.
pub const SPAN_MILLIS: i64 = 24 * MILLIS_AN_HOUR;
pub const TOO_NEW_MILLIS: i64 = 2 * MILLIS_AN_HOUR;
pub const TOO_OLD_MILLIS: i64 = 14 * 24 * MILLIS_AN_HOUR;

pub const NAME_LENGTH: usize = 512;
pub const ARN_LENGTH: usize = 2048;
pub const RESOURCE_ARN_LENGTH: usize = 1011;
pub const KMS_KEY_LENGTH: usize = 256;
pub const PATTERN_LENGTH: usize = 1024;

pub const TAGS: usize = 50;
pub const TAG_KEY_LENGTH: usize = 128;
pub const TAG_VALUE_LENGTH: usize = 256;

pub const CLASSES: [&str; 4] = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];
pub const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Groups or streams on a page of Describe*.
pub const DESCRIBE_PAGE: i64 = 50;
pub const PAGE_EVENTS: i64 = 10_000;
/// Counted as in [`BATCH_BYTES`].
pub const PAGE_BYTES: usize = 1_048_576;
/// Stream names that FilterLogEvents takes.
pub const FILTER_STREAMS: usize = 100;
