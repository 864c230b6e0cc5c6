//! The service: what it accepts, where it is, how it is asked, and how it answers.

mod answer;
mod endpoint;
mod format;
pub mod limits;
mod new_group;
mod operation;

pub use answer::{AnswerError, ErrorCode, Rejected, error_code, parse_accepted};
pub use endpoint::{Endpoint, EndpointError, Region};
pub use format::{LogFormat, LogFormatError};
pub use new_group::{GroupError, GroupOptions, NewGroup, Tags, retention_body};
pub use operation::{Operation, stream_body, write_string};
