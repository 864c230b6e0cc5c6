//! The service: what it accepts, how it is asked, and how it answers.

pub mod limits;
