//! The service: what it accepts, where it is, how it is asked, and how it answers.

mod answer;
mod endpoint;
pub mod limits;
mod operation;

pub use answer::{AnswerError, ErrorCode, Rejected, error_code, parse_accepted};
pub use endpoint::{Endpoint, EndpointError, Region};
pub use operation::{Operation, write_string};
