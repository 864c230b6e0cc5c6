//! Operations called directly with JSON, on a clock that stands still.
