//! Cases whose output real Go wrote, and laws that hold for any template.

mod bounds;
mod contexts;
pub(crate) mod golden;
