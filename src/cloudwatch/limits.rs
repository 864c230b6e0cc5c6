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
/// A log group's name, in bytes; likewise a log stream's.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
pub const MAX_NAME_BYTES: usize = 512;
