//! Go's `fmt`: how values turn into text.
//!
//! Everything written goes through a [`Buffer`] with a limit, so that no width, precision or
//! repetition can make more text than rendering allows.

mod buffer;
mod float;
mod printer;
mod verb;

pub use buffer::{Buffer, Limited};
pub use float::{Style, format_float};
pub use printer::Printer;

use crate::template::characters::to_text;
use crate::template::value::Value;

/// A value within an error message, as `verb` prints it, shortened where it is very long.
pub fn shown(value: &Value, verb: char) -> String {
    let mut printer = Printer::new(LONGEST_SHOWN);
    // What fits is shown; the message is for people.
    let _ = printer.reflected(value, verb);
    to_text(&printer.into_bytes())
}

/// Bytes of a value that an error message shows.
const LONGEST_SHOWN: usize = 4096;
