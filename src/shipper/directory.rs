//! Where events go, worked out once for all that look alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Severity, Shipper};
use crate::lines::Sides;
use crate::naming::{Container, Destination};

/// Destinations of senders and of events, as far as they are remembered; or why they
/// may go nowhere. A
/// container of Docker's has an id and is one of its kind, so nothing is gained by remembering it.
#[derive(Debug, Default)]
pub struct Directory {
    known: BTreeMap<Arc<Container>, Result<Sides<Destination>, String>>,
}

/// So many are remembered; then it begins anew.
const MOST_KNOWN: usize = 4_096;
/// The fields of an event that are longer than this are not remembered, in bytes.
const LONGEST_KNOWN: usize = 1 << 10;

impl Shipper {
    /// Where the two sides of a container's log go, and people hear what had to be done to come to it.
    ///
    /// # Errors
    /// They may go nowhere, for this reason.
    pub(super) fn destinations_of(
        &mut self,
        container: &Arc<Container>,
    ) -> Result<Sides<Destination>, String> {
        if let Some(known) = self.directory.known.get(container) {
            return known.clone();
        }
        let named = self.settings.names.of(container);
        for remark in named.remarks {
            self.tell(Severity::Warning, remark);
        }
        let destinations = match named.destinations {
            Ok(Sides { stdout, stderr }) => {
                Ok(Sides { stdout: stdout.destination, stderr: stderr.destination })
            }
            Err(refusal) => {
                self.tell(Severity::Error, refusal.clone());
                self.refused.get_or_insert_with(|| refusal.clone());
                Err(refusal)
            }
        };
        if container.id.is_empty() && container.event.len() <= LONGEST_KNOWN {
            if self.directory.known.len() >= MOST_KNOWN {
                self.directory.known.clear();
            }
            self.directory.known.insert(Arc::clone(container), destinations.clone());
        }
        destinations
    }
}
