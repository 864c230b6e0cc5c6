//! What an instance is given that ships nothing.

use wasmtime_wasi::async_trait;

use crate::credentials::{CredentialsFailure, Identity, Provider};
use crate::reports::{Counts, Reporter, Severity, Status};
use crate::transport::{Body, SendError, Transport};

/// No credentials, no way out, and nobody who is told; what it says goes to the debug log.
pub struct Nothing;

#[async_trait]
impl Provider for Nothing {
    async fn find(&self, _renew: bool) -> Result<Identity, CredentialsFailure> {
        Err(CredentialsFailure::Missing("nothing is shipped".to_owned()))
    }
}

#[async_trait]
impl Transport for Nothing {
    async fn send(&self, _request: http::Request<Body>) -> Result<http::Response<Body>, SendError> {
        Err(SendError::Denied)
    }
}

impl Reporter for Nothing {
    fn tell(&self, severity: Severity, text: &str) {
        if severity != Severity::Debug {
            tracing::debug!("{text}");
        }
    }

    fn count(&self, _counts: &Counts, _status: &Status) {}
}
