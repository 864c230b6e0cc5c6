//! Dead letters on their way to where they are kept.

use cloudspout::shipper::KeepId;
use cloudspout::time::Timestamp;
use serde::Deserialize;

use super::{Happening, World};
use crate::model::Letter;
use crate::plan::{MILLI, SECOND};
use crate::sabotage::Sabotage;

/// How many writes of a hundred fail while there is trouble.
const FAILURES: u64 = 25;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    log_group_name: String,
    log_stream_name: String,
    timestamp: u64,
    message: String,
    reason: String,
    #[serde(default)]
    error: Option<String>,
    refused: String,
    source: String,
}

impl World {
    /// The machine hands out dead letters.
    pub(super) fn keep(&mut self, id: KeepId, lines: &[u8]) -> Result<(), String> {
        let mut letters = Vec::new();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let written: Written = serde_json::from_slice(line)
                .map_err(|error| format!("hands out what is no dead letter: {error}"))?;
            let invalid = written.reason == "invalid";
            if written.refused.len() != 24 || written.error.is_some() != invalid {
                return Err(format!("hands out a strange dead letter: {}", String::from_utf8_lossy(line)));
            }
            letters.push(Letter {
                destination: self.destination_of(&written.log_group_name, &written.log_stream_name)?,
                time: written.timestamp,
                message: written.message,
                reason: written.reason,
                source: written.source,
            });
        }
        self.note(|| format!("hands out {} dead letters", letters.len()), letters.len() as u64);
        let at = self.now + self.chance.spread(MILLI, 2 * SECOND);
        self.plan_for(at, Happening::Kept(self.life, id, letters));
        Ok(())
    }

    /// They are written, or the disk fails.
    pub(super) fn kept(&mut self, life: u32, id: KeepId, letters: &[Letter]) -> Result<(), String> {
        let now = Timestamp::from_nanos(self.wall());
        let fails = self.now < self.plan.active && self.chance.percent(FAILURES);
        let forget = self.strikes(Sabotage::ForgetLetters);
        let Some(machine) = self.machine.as_mut().filter(|_| life == self.life) else { return Ok(()) };
        if fails {
            machine.shipper.handle_kept(id, Err("simulated: no space left".to_owned()), now);
            self.note(|| "dead letters cannot be kept".to_owned(), 40);
            return Ok(());
        }
        machine.shipper.handle_kept(id, Ok(()), now);
        if !forget {
            letters.iter().try_for_each(|letter| self.ledger.keep(letter))?;
        }
        self.note(|| "dead letters are kept".to_owned(), 41);
        Ok(())
    }
}
