//! Which metrics there are, and what each means.

use std::time::{Duration, SystemTime};

use super::page::{Kind, Page, Value};
use super::panel::{Look, Owner, State};
use super::totals::BOUNDLESS;
use crate::reports::{Counts, Status};

/// One of an instance's counts, as a metric.
pub struct Count {
    /// Without `_total`.
    pub name: &'static str,
    /// Why, where counts of the same name differ by that.
    pub reason: Option<&'static str>,
    help: &'static str,
    pub of: fn(&Counts) -> u64,
}

const fn count(name: &'static str, help: &'static str, of: fn(&Counts) -> u64) -> Count {
    Count { name, reason: None, help, of }
}

const fn rejected(reason: &'static str, of: fn(&Counts) -> u64) -> Count {
    let help = "Events that CloudWatch refused for good, by reason.";
    Count { name: "cloudspout_events_rejected", reason: Some(reason), help, of }
}

const fn dropped(reason: &'static str, of: fn(&Counts) -> u64) -> Count {
    let help = "Events dropped for want of room, by which were chosen (--when-full).";
    Count { name: "cloudspout_events_dropped", reason: Some(reason), help, of }
}

/// Those of one name stand together.
pub const COUNTS: [Count; 22] = [
    count("cloudspout_read_bytes", "Log bytes read.", |counts| counts.bytes_read),
    count("cloudspout_events_read", "Events made of what was read.", |counts| counts.events_read),
    count("cloudspout_events_accepted", "Events in CloudWatch, by its own word.", |counts| {
        counts.events_accepted
    }),
    rejected("too-old", |counts| counts.events_too_old),
    rejected("too-new", |counts| counts.events_too_new),
    rejected("expired", |counts| counts.events_expired),
    rejected("invalid", |counts| counts.events_invalid),
    dropped("oldest", |counts| counts.events_dropped_oldest),
    dropped("newest", |counts| counts.events_dropped_newest),
    count("cloudspout_events_filtered", "Events that the filter left out.", |counts| counts.events_filtered),
    count(
        "cloudspout_events_unfiltered",
        "Events that went on as they were because the filter failed (--filter-failure pass).",
        |counts| counts.events_unfiltered,
    ),
    count("cloudspout_dead_letters", "Refused events that were kept (--dead-letter).", |counts| {
        counts.dead_letters
    }),
    count(
        "cloudspout_events_possibly_doubled",
        "Events in requests whose answer never came: each may be in CloudWatch twice.",
        |counts| counts.events_possibly_doubled,
    ),
    count("cloudspout_events_empty", "Empty lines, which are delivered as one space.", |counts| {
        counts.events_empty
    }),
    count("cloudspout_lines_split", "Lines cut because they are longer than an event may be.", |counts| {
        counts.lines_split
    }),
    count("cloudspout_malformed_bytes", "Log bytes that could not be understood.", |counts| {
        counts.bytes_malformed
    }),
    count("cloudspout_log_gaps", "Times that log data was gone before it could be read.", |counts| {
        counts.log_gaps
    }),
    count("cloudspout_log_lost_bytes", "Bytes of that, as far as known.", |counts| counts.log_bytes_lost),
    count("cloudspout_gaps_marked", "Events in CloudWatch that say where others are missing.", |counts| {
        counts.gaps_marked
    }),
    count(
        "cloudspout_group_settings_refused",
        "Times that a log group could not be given its retention or its tags.",
        |counts| counts.group_settings_refused,
    ),
    count("cloudspout_sent_bytes", "Request bodies of PutLogEvents sent.", |counts| counts.bytes_sent),
    count("cloudspout_requests_retried", "Requests of PutLogEvents that repeat an earlier one.", |counts| {
        counts.requests_retried
    }),
];

/// Writes all families of all looks.
pub fn write(page: &mut Page, looks: &[Look], now: SystemTime) {
    page.family("cloudspout_build_info", Kind::Gauge, "The version that runs.");
    page.gauge("cloudspout_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1_u64);
    let mut families =
        Families { page, looks: looks.iter().map(|look| (Own::of(&look.owner), look)).collect() };
    families.counts();
    families.requests();
    families.standing(now);
    families.machine();
}

/// The label that says whose a sample is.
struct Own {
    name: &'static str,
    value: String,
}

impl Own {
    fn of(owner: &Owner) -> Option<Own> {
        match owner {
            Owner::Program => None,
            Owner::Tenant(name) => Some(Own { name: "tenant", value: name.clone() }),
            Owner::Route(number) => Some(Own { name: "route", value: number.to_string() }),
        }
    }
}

/// That label, and others.
fn labels<'a>(own: &'a Option<Own>, others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = own.iter().map(|own| (own.name, own.value.as_str()));
    own.chain(others.iter().copied()).collect()
}

struct Families<'a> {
    page: &'a mut Page,
    looks: Vec<(Option<Own>, &'a Look)>,
}

impl Families<'_> {
    fn counts(&mut self) {
        let mut last = "";
        for (at, count) in COUNTS.iter().enumerate() {
            if count.name != last {
                self.page.family(count.name, Kind::Counter, count.help);
                last = count.name;
            }
            let reason = count.reason.map(|reason| ("reason", reason));
            for (own, look) in &self.looks {
                let value = look.totals.counts.get(at).copied().unwrap_or_default();
                self.page.counter(count.name, &labels(own, reason.as_slice()), value);
            }
        }
    }

    fn requests(&mut self) {
        let name = "cloudspout_requests";
        self.page.family(name, Kind::Counter, "Requests to CloudWatch, by action and what came of them.");
        for (own, look) in &self.looks {
            let put = (("PutLogEvents", "ok"), 0);
            let mut answered = look.totals.answered.clone();
            answered.entry(put.0).or_insert(put.1);
            for ((action, outcome), requests) in answered {
                self.page.counter(name, &labels(own, &[("action", action), ("outcome", outcome)]), requests);
            }
        }
        let name = "cloudspout_put_log_events_duration_seconds";
        self.page.family(name, Kind::Histogram, "Time until CloudWatch answered PutLogEvents.");
        for (own, look) in &self.looks {
            let bounded = look.totals.latency.iter().filter(|(within, _)| **within != BOUNDLESS);
            let bounded = bounded.map(|(within, answers)| (Some(f64::from(*within) / 1_000.0), *answers));
            let boundless = look.totals.latency.get(&BOUNDLESS).copied().unwrap_or_default();
            let sum = Duration::from_millis(look.totals.latency_sum).as_secs_f64();
            self.page.histogram(name, &labels(own, &[]), bounded.chain([(None, boundless)]), sum);
        }
        let name = "cloudspout_credentials_lookups";
        self.page.family(name, Kind::Counter, "Times that credentials were asked for, by what came of it.");
        for (own, look) in &self.looks {
            for (outcome, times) in
                [("found", look.totals.credentials_found), ("missed", look.totals.credentials_missed)]
            {
                self.page.counter(name, &labels(own, &[("outcome", outcome)]), times);
            }
        }
        self.counter(
            "cloudspout_requests_refused",
            "Requests that the host did not let leave, because the tenant is not allowed them.",
            |look| look.refused.into(),
        );
        self.counter(
            "cloudspout_requests_held_back",
            "Requests that the host held back, because they are more than the tenant may send.",
            |look| look.held_back.into(),
        );
    }

    fn standing(&mut self, now: SystemTime) {
        self.gauge(
            "cloudspout_running",
            "1 while it ships; 0 before, after, and while it waits to be begun again.",
            |look| Some(u64::from(look.state == State::Running).into()),
        );
        self.counter("cloudspout_restarts", "Times that it was begun again after it broke down.", |look| {
            look.restarts.into()
        });
        let heard =
            |of: fn(&Status) -> u64| move |look: &Look| Some(look.status.as_ref().map_or(0, of).into());
        self.gauge(
            "cloudspout_requests_in_flight",
            "Requests whose answer has not come.",
            heard(|status| status.in_flight.into()),
        );
        self.gauge(
            "cloudspout_buffered_bytes",
            "Memory taken by events that CloudWatch has not accepted (--buffer).",
            heard(|status| status.bytes_held),
        );
        self.gauge(
            "cloudspout_events_pending",
            "Events read whose fate is not known.",
            heard(|status| status.events_pending),
        );
        self.gauge(
            "cloudspout_destinations",
            "Log streams of CloudWatch's that are sent to.",
            heard(|status| status.destinations.into()),
        );
        self.gauge(
            "cloudspout_destinations_failing",
            "Those of them whose last request came to nothing.",
            heard(|status| status.destinations_failing.into()),
        );
        let seconds = |time: Option<Duration>| Some(time.unwrap_or_default().as_secs_f64().into());
        self.gauge(
            "cloudspout_delivery_lag_seconds",
            "How long the first event has waited that was read and is not in CloudWatch.",
            |look| seconds(look.waited(now)),
        );
        self.gauge(
            "cloudspout_oldest_event_age_seconds",
            "How old the earliest of those events is, by its own time.",
            |look| seconds(look.age(now)),
        );
        self.gauge(
            "cloudspout_credentials_remaining_seconds",
            "How long the credentials at hand still serve; not there if they do not end.",
            |look| Some(look.credentials_last(now)?.as_secs_f64().into()),
        );
    }

    fn machine(&mut self) {
        self.gauge(
            "cloudspout_log_streams",
            "Containers followed, or other log streams that are read.",
            |look| Some(look.streams.into()),
        );
        self.gauge(
            "cloudspout_read_ahead_bytes",
            "Log bytes read that its component has not taken.",
            |look| Some(look.unread.into()),
        );
        self.gauge("cloudspout_instance_memory_bytes", "Memory of its component.", |look| {
            Some(look.memory.into())
        });
        let name = "cloudspout_instance_cpu_seconds";
        self.page.family(
            name,
            Kind::Counter,
            "Time that its component has computed, where there are tenants.",
        );
        for (own, look) in self.looks.iter().filter(|(_, look)| !look.totals.computed.is_zero()) {
            self.page.counter(name, &labels(own, &[]), look.totals.computed.as_secs_f64());
        }
    }

    fn counter(&mut self, name: &str, help: &str, of: impl Fn(&Look) -> Value) {
        self.page.family(name, Kind::Counter, help);
        for (own, look) in &self.looks {
            self.page.counter(name, &labels(own, &[]), of(look));
        }
    }

    fn gauge(&mut self, name: &str, help: &str, of: impl Fn(&Look) -> Option<Value>) {
        self.page.family(name, Kind::Gauge, help);
        for (own, look) in &self.looks {
            if let Some(value) = of(look) {
                self.page.gauge(name, &labels(own, &[]), value);
            }
        }
    }
}
