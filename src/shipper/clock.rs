//! The machine's own clock may be stepped back: what waits for a moment waits no longer for that.

use super::outlet::{Outlet, OutletId, Stage};
use super::{Phase, Shipper};
use crate::time::Timestamp;

impl Shipper {
    /// Notes what time it is, before anything is done with it.
    pub(super) fn hear_time(&mut self, now: Timestamp) {
        let back = self.heard.since_exactly(now);
        self.heard = now;
        if back > 0 {
            self.rewind(back);
        }
    }

    /// Brings every moment that is waited for as far back as the clock went.
    fn rewind(&mut self, nanos: u64) {
        for outlet in &mut self.outlets {
            outlet.rewind(nanos);
        }
        let wakes = self.wakes.iter().map(|(due, id)| (due.back(nanos), *id));
        self.wakes = wakes.collect();
        for source in self.sources.values_mut() {
            source.decoder.rewind(nanos);
            source.ripens = source.ripens.map(|ripens| ripens.back(nanos));
        }
        let ripening = self.ripening.iter().map(|(due, id)| (due.back(nanos), *id));
        self.ripening = ripening.collect();
        for retention in self.retentions.values_mut() {
            retention.due = retention.due.back(nanos);
        }
        self.keyring.rewind(nanos);
        if let Phase::Stopping { by } = &mut self.phase {
            *by = by.back(nanos);
        }
        self.stirred.extend((0..self.outlets.len()).map(OutletId));
    }
}

impl Outlet {
    fn rewind(&mut self, nanos: u64) {
        if let Some(batch) = &mut self.gathering {
            batch.rewind(nanos);
        }
        self.rewind_queue(nanos);
        match &mut self.stage {
            Stage::Waiting { until, .. } => *until = until.back(nanos),
            Stage::Open | Stage::Creating { .. } => {}
        }
        self.due = self.due.map(|due| due.back(nanos));
        self.trouble = self.trouble.map(|(trouble, told)| (trouble, told.back(nanos)));
    }
}
