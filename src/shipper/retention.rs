//! Log groups that were made are told how long to keep events. No event waits for it.

use std::sync::Arc;

use super::answers::digest_of;
use super::outlet::{Outlet, OutletId};
use super::sent::{Sent, What};
use super::{Body, Severity, Shipper};
use crate::cloudwatch::{Operation, Tags, retention_body};
use crate::delivery::{Answer, Backoff, Cause, Pace, Refusal, Verdict};
use crate::naming::Site;
use crate::settings::Signing;
use crate::time::{Millis, Timestamp};

/// A log group that is to be told.
#[derive(Debug)]
pub(super) struct Retention {
    group: Group,
    /// By whose request it was made.
    outlet: OutletId,
    pub(super) due: Timestamp,
    backoff: Backoff,
    pub(super) asked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RetentionId(pub u64);

/// A log group: where it is, unless that is the operator's site, and its name.
pub(super) type Group = (Option<Arc<Site>>, String);

/// After so many failures in a row people are told to do it themselves.
const MOST_TRIES: u32 = 6;

impl Shipper {
    /// Hears what came of a request to make a log group.
    pub(super) fn note_group(&mut self, id: OutletId, answer: &Answer, verdict: &Verdict, now: Timestamp) {
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        let is_made = matches!(answer, Answer::Response(response) if response.status == 200);
        if matches!(verdict, Verdict::Accept(_)) {
            // One that is there already may be so by an earlier request, whose answer was lost.
            if is_made || std::mem::take(&mut outlet.group_may_be_ours) {
                self.retain(id, now);
            }
        } else if answer.leaves_open() {
            outlet.group_may_be_ours = true;
        }
    }

    /// A log group that has tags was refused: makes it without, if those may be the reason.
    pub(super) fn drop_tags(&mut self, id: OutletId, what: What, refusal: &Refusal) -> bool {
        let named = matches!(refusal, Refusal::Denied(_) | Refusal::Invalid(_));
        if what != What::Create(Operation::CreateLogGroup) || !named || !self.settings.new_groups.has_tags() {
            return false;
        }
        let Some(outlet) = self.outlets.get_mut(id.0).filter(|outlet| outlet.tags == Tags::With) else {
            return false;
        };
        outlet.tags = Tags::Without;
        let text = format!(
            "log group {}: refused with its tags, and so made without them: {} (tags need logs:TagResource)",
            outlet.destination.group(),
            refusal.text()
        );
        self.counts.group_settings_refused += 1;
        self.tell(Severity::Warning, text);
        true
    }

    /// A log group that exists has taken events.
    pub(super) fn retain_existing(&mut self, id: OutletId, now: Timestamp) {
        let Some(outlet) = self.outlets.get(id.0) else { return };
        if self.settings.new_groups.retain_existing && !self.retained.contains(&group_of(outlet)) {
            self.retain(id, now);
        }
    }

    fn retain(&mut self, id: OutletId, now: Timestamp) {
        let Some(outlet) = self.outlets.get(id.0) else { return };
        let group = group_of(outlet);
        let waits = self.retentions.values().any(|retention| retention.group == group);
        if self.settings.new_groups.retention.is_none() || waits {
            return;
        }
        self.last_retention = RetentionId(self.last_retention.0 + 1);
        if self.settings.new_groups.retain_existing {
            self.retained.insert(group.clone());
        }
        let retention = Retention { group, outlet: id, due: now, backoff: Backoff::default(), asked: false };
        self.retentions.insert(self.last_retention, retention);
    }

    /// Asks for the next one that is due. Whether it did.
    pub(super) fn send_retention(&mut self, now: Timestamp) -> bool {
        let Some(days) = self.settings.new_groups.retention else { return false };
        let due = |(_, retention): &(&RetentionId, &Retention)| !retention.asked && retention.due <= now;
        let Some((id, Retention { group: (_, group), outlet, .. })) = self.retentions.iter().find(due) else {
            return false;
        };
        let (id, outlet, body) = (*id, *outlet, retention_body(group, days));
        let digest = digest_of(&body, &self.digest, self.settings.signing);
        let sent = self.send(outlet, What::Retain(id), Body::Bytes(body.into()), &digest, now);
        if let Some(retention) = self.retentions.get_mut(&id).filter(|_| sent) {
            retention.asked = true;
        }
        sent
    }

    /// What came of it.
    pub(super) fn hear_of_retention(
        &mut self,
        id: RetentionId,
        sent: &Sent,
        answer: &Answer,
        now: Timestamp,
    ) {
        let verdict = Verdict::of(answer, Operation::PutRetentionPolicy, 0, sent.signed);
        self.answers.note(Operation::PutRetentionPolicy, &verdict, now.since(sent.sent()));
        let (text, pace, asked) = match verdict {
            Verdict::Accept(_) => {
                self.keyring.accepted();
                self.retentions.remove(&id);
                return;
            }
            Verdict::Hold(refusal) | Verdict::Halve(refusal) => {
                return self.give_up_retention(id, refusal.text());
            }
            Verdict::Renew(refusal) => {
                if self.settings.signing == Signing::Here {
                    self.renew(sent.outlet, sent.generation, &refusal, now);
                }
                (refusal.text().to_owned(), Pace::Brisk, None)
            }
            Verdict::SetClock(off) => {
                if self.settings.signing == Signing::Here {
                    self.clock_ahead = sent.clock_ahead + off;
                }
                ("the clock is off".to_owned(), Pace::Brisk, None)
            }
            // The service may take a moment to find what it has just made.
            Verdict::Create => ("it is not there".to_owned(), Pace::Brisk, None),
            Verdict::Retry(cause) => {
                let (pace, asked) = match cause {
                    Cause::Throttled { asked, .. } => (Pace::Throttled, asked),
                    Cause::Fault { asked, .. } => (Pace::Brisk, asked),
                    Cause::NotSent(_) | Cause::Unanswered(_) => (Pace::Brisk, None),
                };
                (cause.text().to_owned(), pace, asked)
            }
        };
        self.put_off_retention(id, &text, pace, asked, now);
    }

    fn put_off_retention(
        &mut self,
        id: RetentionId,
        text: &str,
        pace: Pace,
        asked: Option<Millis>,
        now: Timestamp,
    ) {
        let Some(retention) = self.retentions.get_mut(&id) else { return };
        retention.asked = false;
        retention.due = now + retention.backoff.fail(pace, asked, &mut self.jitter);
        if retention.backoff.failures() >= MOST_TRIES {
            self.give_up_retention(id, text);
        }
    }

    fn give_up_retention(&mut self, id: RetentionId, text: &str) {
        let days = self.settings.new_groups.retention.unwrap_or_default();
        let Some(Retention { group: (_, group), .. }) = self.retentions.remove(&id) else { return };
        self.counts.group_settings_refused += 1;
        let text = format!(
            "log group {group}: cannot be told to keep events for {days} days, and keeps them as it does: {text} \
             (it needs logs:PutRetentionPolicy)"
        );
        self.tell(Severity::Warning, text);
    }
}

fn group_of(outlet: &Outlet) -> Group {
    (outlet.destination.site().cloned(), outlet.destination.group().to_owned())
}
