//! Routes as logspout takes them: `cloudwatch://us-east-1?DELAY=8&NOEC2&filter.name=*_db`.

use std::collections::BTreeMap;
use std::time::Duration;

use cloudspout_host::Output;
use cloudspout_host::docker::{Filter, Glob, Terminals};
use url::Url;

/// Where some containers' logs go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// As it was given.
    pub text: String,
    /// `None`: the one of the EC2 machine.
    pub region: Option<String>,
    pub filter: Filter,
    pub only: Option<Output>,
    options: BTreeMap<String, String>,
}

impl Route {
    /// Routes that are separated by commas. `$NAME` and `${NAME}` in them stand for variables.
    ///
    /// # Errors
    /// For what is no route to CloudWatch, and for filters that make no sense; the text names the route.
    pub fn parse_all(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Route>, String> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        text.split(',').map(|text| Route::parse(&expanded(text.trim(), &variable))).collect()
    }

    fn parse(text: &str) -> Result<Route, String> {
        let wrong = |problem: String| format!("route `{text}`: {problem}");
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        if url.scheme() != "cloudwatch" {
            return Err(wrong(format!(
                "`{}` is no place that logs can be sent to; write cloudwatch://REGION, or cloudwatch://auto",
                url.scheme()
            )));
        }
        let region = url.host_str().filter(|host| !matches!(*host, "" | "auto")).map(str::to_owned);
        let mut route = Route { text: text.to_owned(), region, ..Route::default() };
        for (key, value) in url.query_pairs() {
            match &*key {
                "filter.id" => route.filter.id = Some(value.into_owned()).filter(|id| !id.is_empty()),
                "filter.name" if value.is_empty() => {}
                "filter.name" => route.filter.name = Some(Glob::parse(&value).map_err(wrong)?),
                "filter.labels" => route.filter.labels = labels(&value).map_err(wrong)?,
                "filter.sources" => route.only = sources(&value).map_err(wrong)?,
                key if key.starts_with("filter.") => {
                    return Err(wrong(format!("there is no filter `{key}`")));
                }
                key => {
                    route.options.entry(key.to_owned()).or_insert_with(|| value.into_owned());
                }
            }
        }
        Ok(route)
    }

    /// Whether its Region is the one of the EC2 machine.
    pub fn is_auto(&self) -> bool {
        self.region.is_none() && !self.text.is_empty()
    }

    /// An option of it, if it says anything.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether an option is there, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// Options that nothing here understands.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.options.keys().map(String::as_str).filter(|name| !KNOWN.contains(name))
    }
}

const KNOWN: [&str; 5] = ["LOGSPOUT_GROUP", "LOGSPOUT_STREAM", "DELAY", "NOEC2", "DEBUG"];

/// `a:x*,b:*y`. What has no colon says nothing.
fn labels(text: &str) -> Result<Vec<(String, Glob)>, String> {
    let pairs =
        text.split(',').filter_map(|label| label.split_once(':')).filter(|(_, value)| !value.is_empty());
    pairs.map(|(key, value)| Ok((key.to_owned(), Glob::parse(value)?))).collect()
}

/// `stdout`, `stderr`, or both.
fn sources(text: &str) -> Result<Option<Output>, String> {
    let (mut stdout, mut stderr) = (false, false);
    for source in text.split(',').filter(|source| !source.is_empty()) {
        match source {
            "stdout" => stdout = true,
            "stderr" => stderr = true,
            other => return Err(format!("filter.sources knows stdout and stderr, not `{other}`")),
        }
    }
    Ok(match (stdout, stderr) {
        (true, false) => Some(Output::Stdout),
        (false, true) => Some(Output::Stderr),
        _ => None,
    })
}

/// What logspout takes from its environment for all routes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `label` or `label:value`, separated by semicolons.
    pub excluded: Vec<(String, String)>,
    pub terminals: Terminals,
    /// Whether what containers logged before the start is left out.
    pub no_backlog: bool,
    /// How many lines of it are wanted at most.
    pub tail: Option<u64>,
    pub delay: Option<String>,
    pub no_ec2: bool,
    pub debug: bool,
}

impl Environment {
    /// # Errors
    /// For a variable that makes no sense; the text names it.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Environment, String> {
        let tail = match variable("TAIL").as_deref() {
            None | Some("all") => None,
            Some(lines) => Some(lines.parse().map_err(|_| format!("TAIL={lines} is no number of lines"))?),
        };
        if let Some(timeout) = variable("INACTIVITY_TIMEOUT") {
            go_duration(&timeout).ok_or_else(|| format!("INACTIVITY_TIMEOUT={timeout} is no duration"))?;
        }
        let excluded = variable("EXCLUDE_LABELS").or_else(|| variable("EXCLUDE_LABEL")).unwrap_or_default();
        let excluded = excluded.split(';').filter(|label| !label.is_empty());
        let excluded = excluded.map(|label| label.split_once(':').unwrap_or((label, "true")));
        Ok(Environment {
            excluded: excluded.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            terminals: match variable("ALLOW_TTY").as_deref() {
                Some("true") => Terminals::Follow,
                _ => Terminals::LeaveOut,
            },
            no_backlog: variable("BACKLOG").as_deref() == Some("false"),
            tail,
            delay: variable("DELAY"),
            no_ec2: variable("NOEC2").is_some(),
            debug: variable("DEBUG").is_some(),
        })
    }
}

/// The time between two batches: the environment's, else the route's, else logspout's own. What is no number
/// is passed over, which `said` hears.
pub fn delay(environment: &Environment, route: &Route, said: impl FnOnce(String)) -> Duration {
    let given = environment.delay.as_deref().or_else(|| route.option("DELAY"));
    let seconds = given.map(|text| (text, text.parse().ok()));
    match seconds {
        None => DELAY,
        Some((_, Some(seconds))) => Duration::from_secs(seconds).min(LONGEST_DELAY),
        Some((text, None)) => {
            said(format!("DELAY={text} is no number of seconds; it is {} s", DELAY.as_secs()));
            DELAY
        }
    }
}

const DELAY: Duration = Duration::from_secs(4);
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A duration as Go writes it: `1m30s`, `1.5h`, `0`.
fn go_duration(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Some(0.0);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at_checked(number)?;
        let unit = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at_checked(unit)?;
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = behind;
    }
    (!text.is_empty()).then_some(seconds)
}

/// The text with `$NAME` and `${NAME}` replaced, by nothing where there is no such variable.
fn expanded(text: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        let (name, behind) = match behind.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            Some(parts) => parts,
            None => {
                let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                behind.split_at_checked(end.unwrap_or(behind.len())).unwrap_or((behind, ""))
            }
        };
        if name.is_empty() {
            out.push('$');
        }
        out.push_str(&variable(name).unwrap_or_default());
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Route>, String> {
        Route::parse_all(text, |name| (name == "R").then(|| "eu-west-1".to_owned()))
    }

    fn one(text: &str) -> Route {
        parse(text).unwrap().remove(0)
    }

    #[test]
    fn documented_routes_are_read() {
        let route = one("cloudwatch://us-east-1?DELAY=8&NOEC2&DEBUG=1");
        assert_eq!(route.region.as_deref(), Some("us-east-1"));
        assert_eq!((route.option("DELAY"), route.option("NOEC2")), (Some("8"), None));
        assert!(route.has("NOEC2") && route.has("DEBUG") && route.unknown().next().is_none());
        assert_eq!(one("cloudwatch://auto").region, None);
        assert_eq!(one("cloudwatch://").region, None);
        assert_eq!(one("cloudwatch://$R?x=1").region.as_deref(), Some("eu-west-1"));
        assert_eq!(one("cloudwatch://${R}").region.as_deref(), Some("eu-west-1"));
        assert_eq!(one("cloudwatch://x?NOPE=1").unknown().collect::<Vec<_>>(), ["NOPE"]);
    }

    #[test]
    fn without_a_text_there_is_no_route() {
        assert_eq!(parse(""), Ok(Vec::new()));
    }

    #[test]
    fn filters_are_read() {
        let route =
            one("cloudwatch://r?filter.name=*_db&filter.id=3b6ba57db54a&filter.sources=stdout%2Cstderr");
        assert_eq!(route.filter.id.as_deref(), Some("3b6ba57db54a"));
        assert!(route.filter.name.is_some_and(|name| name.matches("shop_db")));
        assert_eq!(route.only, None);
        let route = one("cloudwatch://r?filter.labels=a:x*%2Cb:*y%2Cignored&filter.sources=stderr");
        assert_eq!(route.only, Some(Output::Stderr));
        let keys: Vec<_> = route.filter.labels.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
        let routes = parse("cloudwatch://a?filter.name=*_db,cloudwatch://b").unwrap();
        assert_eq!(routes.iter().filter_map(|route| route.region.as_deref()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_no_route_is_refused_by_name() {
        for (text, words) in [
            ("syslog+tls://logs.example.com:55555", "syslog+tls"),
            ("us-east-1", "us-east-1"),
            ("cloudwatch://r?filter.name=[", "no pattern"),
            ("cloudwatch://r?filter.sources=stdin", "stdin"),
            ("cloudwatch://r?filter.nam=x", "filter.nam"),
            ("cloudwatch://r,", "route ``"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn the_environment_means_what_it_means_to_logspout() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs: BTreeMap<String, String> =
                pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Environment::read(|name| pairs.get(name).cloned())
        };
        let none = of(&[]).unwrap();
        assert_eq!((none.no_backlog, none.terminals, none.tail), (false, Terminals::LeaveOut, None));
        let all = of(&[
            ("EXCLUDE_LABELS", "k8s:app;backend:rails;plain"),
            ("EXCLUDE_LABEL", "other"),
            ("ALLOW_TTY", "true"),
            ("BACKLOG", "false"),
            ("TAIL", "10"),
            ("INACTIVITY_TIMEOUT", "1m30s"),
        ])
        .unwrap();
        let excluded: Vec<_> =
            all.excluded.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(excluded, [("k8s", "app"), ("backend", "rails"), ("plain", "true")]);
        assert_eq!((all.no_backlog, all.terminals, all.tail), (true, Terminals::Follow, Some(10)));
        assert!(of(&[("TAIL", "x")]).unwrap_err().contains("TAIL"));
        assert!(of(&[("INACTIVITY_TIMEOUT", "1x")]).unwrap_err().contains("INACTIVITY_TIMEOUT"));
    }

    #[test]
    fn the_environments_delay_wins_over_the_routes() {
        let environment =
            |delay: Option<&str>| Environment { delay: delay.map(str::to_owned), ..Environment::default() };
        for (env, route, seconds, said) in [
            (None, "cloudwatch://r", 4, false),
            (None, "cloudwatch://r?DELAY=8", 8, false),
            (Some("2"), "cloudwatch://r?DELAY=8", 2, false),
            (None, "cloudwatch://r?DELAY=soon", 4, true),
        ] {
            let mut heard = false;
            let delay = delay(&environment(env), &one(route), |_| heard = true);
            assert_eq!((delay.as_secs(), heard), (seconds, said), "{env:?} {route}");
        }
    }
}
