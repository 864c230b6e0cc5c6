//! Faults on purpose: which of the coming requests meet which trouble.
//!
//! A plan is text (see [`FaultPlan`]); [`Faults`] holds the one in force and decides request by request. The
//! decision depends on the order of requests, the time since the plan came into force and the seed, and on
//! nothing else.

mod grammar;
mod ordeal;
mod rule;

use std::time::Duration;

use crate::api::{Operation, Subject};
pub use grammar::{FaultError, FaultPlan};
pub use ordeal::{After, Before, Ordeal, Page};
use rule::{Fault, Rule};

/// A plan in force, with what it has done so far.
#[derive(Debug)]
pub struct Faults {
    rules: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    rule: Rule,
    /// Requests that met the rule's conditions.
    seen: u64,
    /// Those that the rule struck.
    struck: u64,
    dice: Dice,
}

impl Faults {
    pub fn new(plan: &FaultPlan, seed: u64) -> Faults {
        let rules = (1..)
            .zip(plan.rules())
            .map(|(nth, rule)| Running {
                rule: rule.clone(),
                seen: 0,
                struck: 0,
                dice: Dice(seed.wrapping_add(STEP.wrapping_mul(nth))),
            })
            .collect();
        Faults { rules }
    }

    /// Whether any rule asks for the names inside the body.
    pub fn need_subject(&self) -> bool {
        self.rules.iter().any(|running| running.rule.limits.needs_subject())
    }

    /// Decides about one request; `elapsed` is the time since the plan came into force.
    pub fn decide(&mut self, operation: Option<Operation>, subject: &Subject, elapsed: Duration) -> Ordeal {
        let mut ordeal = Ordeal::default();
        for running in &mut self.rules {
            // What comes instead of the call leaves nothing for later rules to strike.
            if ordeal.before.is_some() {
                break;
            }
            if running.strikes(operation, subject, elapsed) {
                running.rule.fault.add_to(&mut ordeal);
                ordeal.retry_after = running.rule.limits.retry_after.or(ordeal.retry_after);
                ordeal.struck.push(running.rule.text.clone());
            }
        }
        ordeal
    }

    /// Each rule with how many requests it saw and struck.
    pub fn progress(&self) -> Vec<(&str, u64, u64)> {
        let rules = self.rules.iter();
        rules.map(|running| (running.rule.text.as_str(), running.seen, running.struck)).collect()
    }
}

impl Running {
    fn strikes(&mut self, operation: Option<Operation>, subject: &Subject, elapsed: Duration) -> bool {
        let limits = &self.rule.limits;
        if !limits.fit(operation, subject, elapsed) {
            return false;
        }
        self.seen += 1;
        if self.seen <= limits.skip || limits.next.is_some_and(|next| self.struck >= next) {
            return false;
        }
        let strikes = limits.chance.is_none_or(|chance| self.dice.roll() < chance);
        self.struck += u64::from(strikes);
        strikes
    }
}

impl Fault {
    fn add_to(&self, ordeal: &mut Ordeal) {
        match self {
            Fault::Refuse(refusal) => ordeal.before = Some(Before::Refuse(refusal.clone())),
            Fault::Page(page) => ordeal.before = Some(Before::Page(page.clone())),
            Fault::Before(before) => ordeal.before = Some(before.clone()),
            Fault::After(after) => ordeal.after = Some(*after),
            Fault::Slow(delay) => ordeal.delay += *delay,
            Fault::Skew(millis) => ordeal.skew += millis,
            Fault::Poison(text) => ordeal.put.poison.push(text.clone()),
            Fault::TooOld(events) => ordeal.put.too_old = *events,
            Fault::Expired(events) => ordeal.put.expired = *events,
            Fault::TooNew(events) => ordeal.put.too_new = *events,
        }
    }
}

/// SplitMix64: small, and the same everywhere.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// From 0 up to but without 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // 53 bits are what a double holds exactly.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PutFaults;

    #[test]
    fn a_count_strikes_so_many_requests_and_no_more() {
        assert_eq!(struck("500:2", 4), [1, 2]);
        assert_eq!(struck("500@next=2@after=1", 5), [2, 3]);
        assert_eq!(struck("500", 3), [1, 2, 3]);
    }

    #[test]
    fn a_chance_is_the_same_for_the_same_seed() {
        let first = struck("throttle:0.3", 1000);
        assert_eq!(first, struck("throttle:30%", 1000));
        assert!((200..400).contains(&first.len()), "{}", first.len());
    }

    #[test]
    fn rules_compose_until_one_answers() {
        let mut faults = faults("slow:10ms;skew:+1h,slow:5ms;throttle:1;500:1");
        let ordeal = ask(&mut faults);
        assert_eq!(ordeal.delay, Duration::from_millis(15));
        assert_eq!(ordeal.skew, 3_600_000);
        assert_eq!(code(&ordeal), Some("ThrottlingException"));
        assert_eq!(code(&ask(&mut faults)), Some("InternalFailure"));
        assert_eq!(ask(&mut faults).before, None);
    }

    #[test]
    fn limits_choose_requests() {
        let mut faults = faults("denied@op=PutLogEvents@group=/app@from=1s@until=2s");
        let subject = |group: &str| Subject { log_group_name: Some(group.to_owned()), log_stream_name: None };
        assert!(faults.need_subject());
        for (operation, group, millis, hit) in [
            (Operation::PutLogEvents, "/app/web", 1500, true),
            (Operation::PutLogEvents, "/other", 1500, false),
            (Operation::CreateLogGroup, "/app/web", 1500, false),
            (Operation::PutLogEvents, "/app/web", 999, false),
            (Operation::PutLogEvents, "/app/web", 2000, false),
        ] {
            let elapsed = Duration::from_millis(millis);
            let ordeal = faults.decide(Some(operation), &subject(group), elapsed);
            assert_eq!(ordeal.before.is_some(), hit, "{operation:?} {group} {millis}");
        }
    }

    #[test]
    fn what_happens_to_batches_happens_to_puts_only() {
        let mut faults = faults("missing-group;invalid:x;reject-too-old:5");
        let other = Some(Operation::CreateLogStream);
        let ordeal = faults.decide(other, &Subject::default(), Duration::ZERO);
        assert_eq!((ordeal.before, ordeal.put), (None, PutFaults::default()));
    }

    fn struck(plan: &str, requests: usize) -> Vec<usize> {
        let mut faults = faults(plan);
        (1..=requests).filter(|_| ask(&mut faults).before.is_some()).collect()
    }

    fn ask(faults: &mut Faults) -> Ordeal {
        faults.decide(Some(Operation::PutLogEvents), &Subject::default(), Duration::ZERO)
    }

    fn code(ordeal: &Ordeal) -> Option<&'static str> {
        match &ordeal.before {
            Some(Before::Refuse(refusal)) => Some(refusal.code),
            _ => None,
        }
    }

    fn faults(plan: &str) -> Faults {
        Faults::new(&plan.parse().unwrap(), 7)
    }
}
