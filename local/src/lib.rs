//! A strict CloudWatch Logs endpoint on loopback.
