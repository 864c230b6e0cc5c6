//! Events of several lines: one whose next line does not come is whole.

use super::Shipper;
use super::outlet::Outlet;
use super::source::Stage;
use crate::batch::SourceId;
use crate::time::Timestamp;

impl Shipper {
    /// Has a source looked at again once it has been silent for long enough. Only silence of its own counts: while
    /// there is more to read, what is to be read may join.
    pub(super) fn await_lines(&mut self, id: SourceId) {
        let patience = self.settings.flush_after;
        let Some(source) = self.sources.get_mut(&id) else { return };
        let ripens = source.decoder.ripens(patience).filter(|_| source.stage == Stage::Idle);
        if ripens == source.ripens {
            return;
        }
        if let Some(old) = source.ripens {
            self.ripening.remove(&(old, id));
        }
        self.ripening.extend(ripens.map(|ripens| (ripens, id)));
        source.ripens = ripens;
    }

    /// Makes events of what has waited long enough for more lines, and has them sent without further waiting.
    pub(super) fn hear_silence(&mut self, now: Timestamp) {
        let patience = self.settings.flush_after;
        while let Some((_, id)) = self.ripening.first().copied().filter(|(due, _)| *due <= now) {
            self.ripening.pop_first();
            let Some(source) = self.sources.get_mut(&id) else { continue };
            source.ripens = None;
            if source.stage != Stage::Idle {
                continue;
            }
            let outlets = source.outlets();
            self.finish_old_events(id, now, patience);
            for outlet in outlets {
                if let Some(Outlet { gathering: Some(batch), .. }) = self.outlets.get_mut(outlet.0) {
                    batch.hasten(now.shifted(-i64::try_from(patience.0).unwrap_or(i64::MAX)));
                }
            }
            self.await_lines(id);
        }
    }
}
