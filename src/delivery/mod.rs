//! What becomes of a request: the verdict on its answer, and the wait before it is sent again.

mod backoff;
mod response;
mod verdict;

pub use backoff::{Backoff, Jitter, Pace};
pub use response::Response;
pub use verdict::{Answer, Cause, Refusal, Verdict};
