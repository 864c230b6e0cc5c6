//! The core in a simulated world.
