//! What people are told of a destination's trouble: once when it begins, now and then while it lasts,
//! and once when it is over.

use super::outlet::{OutletId, Trouble};
use super::{Severity, Shipper};
use crate::delivery::{Cause, Refusal};
use crate::time::{Millis, Timestamp};

/// How often people hear of trouble that lasts.
const REMINDER: Millis = Millis(60_000);

impl Shipper {
    /// Reports trouble, unless it has just been reported.
    pub(super) fn trouble(&mut self, id: OutletId, trouble: Trouble, text: &str, now: Timestamp) {
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        let known =
            outlet.trouble.is_some_and(|(known, told)| known == trouble && now.since(told) < REMINDER);
        if known {
            return;
        }
        outlet.trouble = Some((trouble, now));
        let (severity, what) = match trouble {
            Trouble::Throttled => (Severity::Info, "CloudWatch asks for fewer requests; sending more slowly"),
            Trouble::Fault => (Severity::Warning, "CloudWatch failed; trying again"),
            Trouble::NotSent => (Severity::Warning, "cannot be reached; trying again"),
            Trouble::Unanswered => {
                (Severity::Warning, "no answer came, so the batch is sent again and may be there twice")
            }
            Trouble::Denied => (
                Severity::Error,
                "not permitted; give the credentials in use the permission named, events are kept and tried again",
            ),
            Trouble::Credentials => (Severity::Warning, "the credentials were refused; asking for new ones"),
            Trouble::Signer => (
                Severity::Error,
                "what signs the requests is refused; mend its credentials, clock or region, events are kept and tried again",
            ),
            Trouble::NotCloudWatch => (
                Severity::Error,
                "what answers is not CloudWatch Logs; check --endpoint-url, --region and proxies, events are kept and tried again",
            ),
            Trouble::Invalid => (
                Severity::Warning,
                "CloudWatch refuses something in the batch; halving it to deliver the rest",
            ),
            Trouble::DeadLetters => (
                Severity::Error,
                "refused events cannot be kept; make room at --dead-letter, positions are held back and it is \
                 tried again",
            ),
            Trouble::Clock => {
                (Severity::Warning, "the clock of this machine is off; signing with CloudWatch's time")
            }
        };
        let text = format!("{}: {what}: {text}", outlet.destination);
        self.tell(severity, text);
    }

    /// Reports that trouble is over.
    pub(super) fn relief(&mut self, id: OutletId) {
        let Some(outlet) = self.outlets.get_mut(id.0) else { return };
        if outlet.trouble.take().is_some() {
            let text = format!("{}: delivering again", outlet.destination);
            self.tell(Severity::Info, text);
        }
    }
}

impl Cause {
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            Cause::Throttled { .. } => Trouble::Throttled,
            Cause::Fault { .. } => Trouble::Fault,
            Cause::NotSent(_) => Trouble::NotSent,
            Cause::Unanswered(_) => Trouble::Unanswered,
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Cause::Throttled { text, .. } | Cause::Fault { text, .. } => text,
            Cause::NotSent(text) | Cause::Unanswered(text) => text,
        }
    }
}

impl Refusal {
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            Refusal::Denied(_) => Trouble::Denied,
            Refusal::Credentials(_) => Trouble::Credentials,
            Refusal::NotCloudWatch(_) => Trouble::NotCloudWatch,
            Refusal::Invalid(_) => Trouble::Invalid,
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Refusal::Denied(text)
            | Refusal::Credentials(text)
            | Refusal::NotCloudWatch(text)
            | Refusal::Invalid(text) => text,
        }
    }
}
