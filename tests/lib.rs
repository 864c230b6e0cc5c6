//! Drives the program against real parts.
