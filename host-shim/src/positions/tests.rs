//! The store from its users' side.
