//! What has been taken, as operators see it.

use std::sync::Arc;

use serde_json::Value;

use super::Intake;
use crate::metrics::{Page, Part};

/// What a [`Server`](super::Server) has taken and turned away, for a [`Board`](crate::metrics::Board).
pub struct Shown(pub(super) Arc<Intake>);

impl Part for Shown {
    fn name(&self) -> &'static str {
        "serve"
    }

    fn write(&self, page: &mut Page) {
        self.0.counts.write(self.0.room.taken(), page);
    }

    fn status(&self) -> Value {
        self.0.counts.to_json(self.0.room.taken())
    }
}
