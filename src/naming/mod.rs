//! Which log group and log stream a container's events go to.
//!
//! The operator writes two templates; [`Names`] renders them for each container, and [`Destination`] makes
//! what comes out acceptable to the service.

mod container;
mod context;
mod destination;
mod event;
mod names;

pub use container::Container;
pub use context::Machine;
pub use destination::{Destination, Kind, clean};
pub use event::{WholeEvent, event_fields};
pub use names::{Named, Names, NamingError};
