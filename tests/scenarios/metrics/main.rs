//! What an operator sees: metrics, how everything stands, and whether logs are delivered.

mod asking;
mod one;
mod tenants;
