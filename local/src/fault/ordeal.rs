//! What one request has to go through.

use std::time::Duration;

use crate::api::PutFaults;
use crate::refusal::Refusal;

/// What awaits one request.
#[derive(Debug, Default)]
pub struct Ordeal {
    /// Waits before anything else.
    pub delay: Duration,
    /// How far the endpoint's clock is off, in milliseconds.
    pub skew: i64,
    pub put: PutFaults,
    /// Happens instead of the call.
    pub before: Option<Before>,
    /// Happens to the answer; the call itself is carried out.
    pub after: Option<After>,
    /// Milliseconds for `x-amz-retry-after` on a refusal.
    pub retry_after: Option<u64>,
    /// The rules that struck.
    pub struck: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    Refuse(Refusal),
    Page(Page),
    Reset,
    Hang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    Reset,
    /// The answer stops in its middle.
    Half,
    Hang,
    Late(Duration),
}

/// An answer that no AWS service gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    pub content_type: &'static str,
    pub body: &'static str,
    pub location: Option<&'static str>,
}
