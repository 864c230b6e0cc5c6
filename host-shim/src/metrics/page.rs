//! Metrics as text: Prometheus's format 0.0.4, and OpenMetrics 1.0, which differs where it names counters.

use std::fmt::{self, Display, Write as _};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Prometheus,
    OpenMetrics,
}

/// What a metric does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    Gauge,
    Histogram,
}

/// The metrics of a moment, family by family.
#[derive(Debug)]
pub struct Page {
    format: Format,
    text: String,
}

/// Names and values of labels.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// A value, as both formats have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Whole(u64),
    Seconds(f64),
}

impl Format {
    /// What a client gets that accepts these types.
    pub fn wanted_by(accept: &str) -> Format {
        match accept.contains("application/openmetrics-text") {
            true => Format::OpenMetrics,
            false => Format::Prometheus,
        }
    }

    pub fn media(self) -> &'static str {
        match self {
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Page {
    pub fn new(format: Format) -> Page {
        Page { format, text: String::new() }
    }

    /// Begins a family, with what it means; its samples follow. A counter's name is given without `_total`.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let suffix = match (self.format, kind) {
            (Format::Prometheus, Kind::Counter) => TOTAL,
            _ => "",
        };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {name}{suffix} {help}"));
        self.line(format_args!("# TYPE {name}{suffix} {kind}"));
    }

    pub fn counter(&mut self, name: &str, labels: Labels<'_>, value: impl Into<Value>) {
        self.sample(name, TOTAL, labels, value);
    }

    pub fn gauge(&mut self, name: &str, labels: Labels<'_>, value: impl Into<Value>) {
        self.sample(name, "", labels, value);
    }

    /// `buckets`: how many were within each bound in seconds and not within the one before; none for those that
    /// were within no bound, which comes last.
    pub fn histogram(
        &mut self,
        name: &str,
        labels: Labels<'_>,
        buckets: impl Iterator<Item = (Option<f64>, u64)>,
        sum: f64,
    ) {
        let mut all = 0_u64;
        for (within, count) in buckets {
            all = all.saturating_add(count);
            let bound = within.map_or_else(|| "+Inf".to_owned(), |within| format!("{within:?}"));
            self.sample(name, "_bucket", &[labels, &[("le", bound.as_str())]].concat(), all);
        }
        self.sample(name, "_sum", labels, Value::Seconds(sum));
        self.sample(name, "_count", labels, all);
    }

    /// The whole of it.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: Labels<'_>, value: impl Into<Value>) {
        let value = value.into();
        self.line(format_args!("{name}{suffix}{} {value}", Listed(labels)));
    }

    fn line(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{text}");
    }
}

const TOTAL: &str = "_total";

/// Labels in braces; nothing where there are none.
struct Listed<'a>(Labels<'a>);

impl Display for Listed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, value)) in self.0.iter().enumerate() {
            let before = if number == 0 { '{' } else { ',' };
            write!(out, "{before}{name}=\"")?;
            for letter in value.chars() {
                match letter {
                    '\\' => out.write_str("\\\\")?,
                    '"' => out.write_str("\\\"")?,
                    '\n' => out.write_str("\\n")?,
                    other => out.write_char(other)?,
                }
            }
            out.write_char('"')?;
        }
        if self.0.is_empty() { Ok(()) } else { out.write_char('}') }
    }
}

impl Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Whole(number) => number.fmt(out),
            Value::Seconds(seconds) => write!(out, "{seconds:?}"),
        }
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Whole(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Whole(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Whole(number as u64)
    }
}

impl From<f64> for Value {
    fn from(seconds: f64) -> Value {
        Value::Seconds(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let mut page = Page::new(format);
        page.family("lines", Kind::Counter, "Lines.");
        page.counter("lines", &[], 7_u64);
        page.counter("lines", &[("tenant", "a\"\\\nb"), ("side", "out")], 8_u64);
        page.family("took_seconds", Kind::Histogram, "Time.");
        page.histogram("took_seconds", &[], [(Some(1.0), 2), (None, 1)].into_iter(), 3.5);
        page.finish()
    }

    #[test]
    fn samples_stand_behind_what_they_mean() {
        let prometheus = "# HELP lines_total Lines.\n# TYPE lines_total counter\nlines_total 7\n\
                          lines_total{tenant=\"a\\\"\\\\\\nb\",side=\"out\"} 8\n\
                          # HELP took_seconds Time.\n# TYPE took_seconds histogram\n\
                          took_seconds_bucket{le=\"1.0\"} 2\ntook_seconds_bucket{le=\"+Inf\"} 3\n\
                          took_seconds_sum 3.5\ntook_seconds_count 3\n";
        assert_eq!(written(Format::Prometheus), prometheus);
        let open = prometheus
            .replace("# HELP lines_total", "# HELP lines")
            .replace("# TYPE lines_total", "# TYPE lines");
        assert_eq!(written(Format::OpenMetrics), format!("{open}# EOF\n"));
    }

    #[test]
    fn a_client_gets_the_format_that_it_asks_for() {
        for (accept, format) in [
            ("", Format::Prometheus),
            ("*/*", Format::Prometheus),
            ("text/plain;version=0.0.4", Format::Prometheus),
            (
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
                Format::OpenMetrics,
            ),
        ] {
            assert_eq!(Format::wanted_by(accept), format, "{accept}");
        }
    }
}
