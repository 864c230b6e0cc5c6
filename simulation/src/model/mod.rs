//! What must arrive: every event of every container, where it stands, and what has become of it.
//!
//! The model knows the containers' lines from those who wrote them, never from the machine. It is told
//! what the machine sends, what the service takes, which answers the machine gets to see, and what it
//! acknowledges; it says at once when one of these breaks a promise.

mod book;
mod ledger;
mod missing;
mod sent;

pub use book::{Fate, Mark};
pub use ledger::{Ledger, Line, Rules};
pub use missing::{Letter, Marker};
pub use sent::Found;
