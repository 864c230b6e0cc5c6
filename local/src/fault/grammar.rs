//! The text of a fault plan, and what is wrong with one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::rule::{Fault, KINDS, Kind, Limits, Rule};
use crate::api::Operation;

/// Rules that say which requests meet which trouble.
///
/// Rules are separated by `,`, `;` or line ends. Each is a fault's name, for most a value behind `:`, and any
/// number of limits behind `@`:
///
/// ```
/// use cloudspout_local::FaultPlan;
///
/// let plan: FaultPlan = "throttle:10%; 500:3@op=PutLogEvents; slow:200ms@group=/app@from=5s@until=10s".parse()?;
/// let error = "throtle:3".parse::<FaultPlan>().unwrap_err();
/// assert!(error.to_string().starts_with("fault `throtle:3`: no fault is named throtle"));
/// # Ok::<(), cloudspout_local::FaultError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultPlan {
    rules: Vec<Rule>,
}

impl FaultPlan {
    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

impl FromStr for FaultPlan {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<FaultPlan, FaultError> {
        let rules = split(text, |c| matches!(c, ',' | ';' | '\n'))
            .into_iter()
            .map(str::trim)
            .filter(|rule| !rule.is_empty())
            .map(|rule| {
                let wrong = |problem| FaultError { rule: rule.to_owned(), problem };
                parse_rule(rule).map_err(wrong)
            })
            .collect::<Result<Vec<Rule>, FaultError>>()?;
        Ok(FaultPlan { rules })
    }
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.rules.iter().map(|rule| rule.text.as_str()).collect();
        f.write_str(&texts.join("; "))
    }
}

/// A rule that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError {
    rule: String,
    problem: String,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault `{}`: {}", self.rule, self.problem)
    }
}

impl std::error::Error for FaultError {}

fn parse_rule(text: &str) -> Result<Rule, String> {
    let mut parts = split(text, |c| c == '@').into_iter();
    let head = parts.next().unwrap_or_default().trim();
    let (name, value) = match head.split_once(':') {
        Some((name, value)) => (name.trim(), Some(unquoted(value.trim())?)),
        None => (head, None),
    };
    let kind =
        KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind).ok_or_else(|| unknown(name))?;
    let mut limits = Limits::default();
    let fault = parse_fault(kind, name, value, &mut limits)?;
    if matches!(kind, Kind::Put(_) | Kind::Text(_) | Kind::Events(_)) {
        limits.operation = Some(Operation::PutLogEvents);
    }
    for part in parts {
        parse_limit(part.trim(), &mut limits)?;
    }
    Ok(Rule { text: text.to_owned(), fault, limits })
}

fn parse_fault(kind: Kind, name: &str, value: Option<String>, limits: &mut Limits) -> Result<Fault, String> {
    let needed = |what: &str| {
        let value = value.clone().filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("{name} needs {what} behind a colon"))
    };
    match kind {
        Kind::Plain(fault) | Kind::Put(fault) => {
            if let Some(amount) = value {
                parse_amount(&amount, limits)?;
            }
            Ok(fault())
        }
        Kind::Timed(fault) => Ok(fault(parse_duration(&needed("a duration like 200ms")?)?)),
        Kind::Shifted(fault) => {
            let text = needed("a shift like +1h or -10m")?;
            let (sign, rest) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
                (Some(rest), _) => (-1, rest),
                (None, Some(rest)) => (1, rest),
                (None, None) => (1, text.as_str()),
            };
            let millis = i64::try_from(parse_duration(rest)?.as_millis());
            Ok(fault(sign * millis.map_err(|_| format!("{text} is too far"))?))
        }
        Kind::Text(fault) => Ok(fault(needed("a text to look for")?)),
        Kind::Events(fault) => {
            let text = needed("a number of events")?;
            Ok(fault(text.parse().map_err(|_| format!("{text} is no number of events"))?))
        }
    }
}

/// A whole number counts requests; one with a point or a percent sign is a chance.
fn parse_amount(text: &str, limits: &mut Limits) -> Result<(), String> {
    if text.contains(['.', '%']) {
        limits.chance = Some(parse_chance(text)?);
    } else {
        limits.next = Some(parse_count(text)?);
    }
    Ok(())
}

fn parse_limit(text: &str, limits: &mut Limits) -> Result<(), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("the limit {text} needs a value behind ="))?;
    let value = unquoted(value.trim())?;
    match name.trim() {
        "op" => {
            let operation = Operation::of_name(&value);
            limits.operation = Some(operation.ok_or_else(|| format!("no operation is named {value}"))?);
        }
        "group" => limits.group = Some(value),
        "stream" => limits.stream = Some(value),
        "chance" => limits.chance = Some(parse_chance(&value)?),
        "next" => limits.next = Some(parse_count(&value)?),
        "after" => limits.skip = parse_count(&value)?,
        "from" => limits.from = parse_duration(&value)?,
        "until" => limits.until = Some(parse_duration(&value)?),
        "retry-after" => {
            let millis = parse_duration(&value)?.as_millis();
            limits.retry_after = Some(u64::try_from(millis).unwrap_or(u64::MAX));
        }
        other => return Err(format!("no limit is named {other}; known are {LIMITS}")),
    }
    Ok(())
}

fn parse_count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number of requests"))
}

fn parse_chance(text: &str) -> Result<f64, String> {
    let chance: Option<f64> = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse().ok().map(|percent: f64| percent / 100.0),
        None => text.parse().ok(),
    };
    chance
        .filter(|chance| (0.0..=1.0).contains(chance))
        .ok_or_else(|| format!("{text} is no chance between 0.0 and 1.0 or 0% and 100%"))
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is no duration like 200ms, 5s, 2m or 1h");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).map(Duration::from_millis).ok_or_else(wrong)
}

/// Cuts at separators outside double quotes.
fn split(text: &str, separates: fn(char) -> bool) -> Vec<&str> {
    let mut quoted = false;
    text.split(move |c| {
        if c == '"' {
            quoted = !quoted;
        }
        !quoted && separates(c)
    })
    .collect()
}

fn unquoted(text: &str) -> Result<String, String> {
    let Some(rest) = text.strip_prefix('"') else {
        return Ok(text.to_owned());
    };
    match rest.strip_suffix('"') {
        Some(inner) if !inner.contains('"') => Ok(inner.to_owned()),
        _ => Err("a quote is not closed, or stands inside a value".to_owned()),
    }
}

fn unknown(name: &str) -> String {
    let known: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    format!("no fault is named {name}; known are {}", known.join(", "))
}

const LIMITS: &str = "op, group, stream, chance, next, after, from, until, retry-after";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_used() {
        for (name, kind) in KINDS {
            let rule = match kind {
                Kind::Plain(_) | Kind::Put(_) => (*name).to_owned(),
                Kind::Timed(_) => format!("{name}:200ms"),
                Kind::Shifted(_) => format!("{name}:-10m"),
                Kind::Text(_) => format!("{name}:\"a,b;c@d\""),
                Kind::Events(_) => format!("{name}:5"),
            };
            let plan: FaultPlan = rule.parse().unwrap();
            assert_eq!(plan.to_string(), rule);
        }
    }

    #[test]
    fn rules_have_a_value_and_limits() {
        let plan: FaultPlan =
            "throttle:10%@retry-after=1500ms ;\n, invalid:\"a;b\"@stream=\"x@y\"@after=2".parse().unwrap();
        let [throttle, poison] = plan.rules() else {
            panic!("{plan}");
        };
        assert_eq!(throttle.limits.chance, Some(0.1));
        assert_eq!(throttle.limits.retry_after, Some(1500));
        assert_eq!(throttle.limits.operation, None);
        assert_eq!(poison.fault, Fault::Poison("a;b".to_owned()));
        assert_eq!(poison.limits.stream.as_deref(), Some("x@y"));
        assert_eq!(poison.limits.skip, 2);
        assert_eq!(poison.limits.operation, Some(Operation::PutLogEvents));
        assert_eq!("skew:-1m".parse::<FaultPlan>().unwrap().rules()[0].fault, Fault::Skew(-60_000));
        assert_eq!("".parse::<FaultPlan>(), Ok(FaultPlan::default()));
    }

    #[test]
    fn an_error_names_the_rule_and_what_is_wrong_with_it() {
        for (plan, error) in [
            ("500:3,throtle:1", "fault `throtle:1`: no fault is named throtle; known are throttle, 500,"),
            ("500:x", "fault `500:x`: x is no number of requests"),
            ("throttle:1.5", "fault `throttle:1.5`: 1.5 is no chance between"),
            ("slow", "fault `slow`: slow needs a duration like 200ms behind a colon"),
            ("slow:5", "fault `slow:5`: 5 is no duration like"),
            ("skew:later", "fault `skew:later`: later is no duration like"),
            ("invalid:", "fault `invalid:`: invalid needs a text to look for"),
            ("invalid:\"a", "fault `invalid:\"a`: a quote is not closed"),
            ("reject-too-old", "fault `reject-too-old`: reject-too-old needs a number of events"),
            ("500@op=Put", "fault `500@op=Put`: no operation is named Put"),
            ("500@often", "fault `500@often`: the limit often needs a value"),
            ("500@often=1", "fault `500@often=1`: no limit is named often; known are op,"),
        ] {
            let text = plan.parse::<FaultPlan>().unwrap_err().to_string();
            assert!(text.starts_with(error), "{text}");
        }
    }
}
