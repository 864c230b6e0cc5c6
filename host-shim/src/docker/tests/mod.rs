//! Containers' lives, as an imitation of the Engine API plays them.

mod component;
