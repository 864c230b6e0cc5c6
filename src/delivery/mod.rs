//! What becomes of a request: the verdict on its answer, and the wait before it is sent again.

mod backoff;
mod verdict;

pub use backoff::{Backoff, Jitter, Pace};
pub use verdict::{Answer, Cause, Refusal, Response, Verdict};
