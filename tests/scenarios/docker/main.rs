//! Containers of a real Docker daemon: what they write arrives, once, in order, byte for byte as the rules say.

mod daemon;
