//! Which log group and log stream a container's events go to.
//!
//! The operator writes two templates, and says whether containers may choose otherwise; [`Names`] finds the
//! rule that holds for each container, and [`Destination`] makes what comes out acceptable to the service.
//! Two other programs have ways of naming of their own, which a [`Mode`] each follows.

mod container;
mod context;
mod destination;
mod event;
mod mode;
mod names;
mod site;
mod terms;

pub use container::Container;
pub use context::Machine;
pub use destination::{Destination, Kind, clean};
pub use event::{WholeEvent, event_fields};
pub use mode::{Collisions, Key, Mode, Origin, Overrides};
pub use names::{Beginnings, Choice, Named, Names, NamingError, NamingOptions};
pub use site::{Site, Sites};
pub use terms::{Terms, WhenFull};
