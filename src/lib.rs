//! Ships container logs to Amazon CloudWatch Logs: the core, without a socket, a file or a clock.

pub mod lines;
pub mod cloudwatch;
pub mod time;
