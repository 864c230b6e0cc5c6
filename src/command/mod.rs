//! The command line of the component where it is run by itself: options from arguments and environment,
//! credentials from the environment, and the codes it ends with.
//!
//! The `cloudspout` program reads its own command line; its `pipe` has these options too, of the same names,
//! meanings and defaults.

mod arguments;
mod code;
mod environment;
mod help;
mod options;

pub use arguments::{Said, UsageError, parse};
pub use code::Code;
pub use environment::{Environment, credentials};
pub use help::help;
pub use options::Command;
