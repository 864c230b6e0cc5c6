//! What CloudWatch Logs accepts, as its API reference states it.

use crate::time::Millis;

/// A batch, counted as the UTF-8 bytes of its messages and [`EVENT_OVERHEAD`] an event.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
pub const MAX_BATCH_BYTES: usize = 1_048_576;
/// What an event adds to the size of its batch. (As above.)
pub const EVENT_OVERHEAD: usize = 26;
/// Events in a batch. (As above.)
pub const MAX_BATCH_EVENTS: usize = 10_000;
/// The longest message: an event of 1 MB is accepted, and a lone one has to fit its batch. (As above.)
pub const MAX_MESSAGE_BYTES: usize = MAX_BATCH_BYTES - EVENT_OVERHEAD;
/// The time between the first and the last event of a batch. (As above.)
pub const MAX_BATCH_SPAN: Millis = Millis(24 * 60 * 60 * 1_000);
/// The age at which an event is too old, and how far ahead of the service's clock it is too new. (As above.)
pub const MAX_AGE: Millis = Millis(14 * 24 * 60 * 60 * 1_000);
pub const MAX_AHEAD: Millis = Millis(2 * 60 * 60 * 1_000);
/// Days that a log group can be told to keep events.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
pub const RETENTION_DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288,
    3_653,
];
/// Classes of log groups.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
pub const LOG_GROUP_CLASSES: [&str; 4] = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];
/// Tags of a log group; and the characters of a tag's key, and of its value. (As above.)
pub const MAX_TAGS: usize = 50;
pub const MAX_TAG_CHARS: (usize, usize) = (128, 256);
/// The ARN of a key, in bytes. (As above.)
pub const MAX_KMS_KEY_BYTES: usize = 256;
/// A log group's name, in bytes; likewise a log stream's.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
pub const MAX_NAME_BYTES: usize = 512;
