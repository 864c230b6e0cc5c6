//! What the program shows of how it stands, as an operator's programs see it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::load;
use crate::process::{Running, collect, eventually, file, python};
use crate::program::{PATIENCE, Shipping};

/// Has the program show how it stands, on a free port.
pub const SHOW: [&str; 2] = ["--metrics", "127.0.0.1:0"];

/// Where it does.
pub struct Shown {
    pub port: u16,
}

/// Samples, as Prometheus's own library reads them.
#[derive(Debug)]
pub struct Metrics(Vec<Sample>);

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Shown {
    pub fn of(shipping: &Shipping) -> Self {
        let url = shipping.said_behind("shows metrics at ");
        let (_, port) = url.split_once("127.0.0.1:").expect("an address");
        let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
        Self { port: digits.parse().expect("a port") }
    }

    /// The same, once the program follows Docker's containers.
    pub fn following(shipping: &Shipping) -> Self {
        let shown = Self::of(shipping);
        shown.wait_for("cloudspout_docker_up", &[], 1.0);
        shown
    }

    /// A page and its status.
    pub fn page(&self, path: &str) -> (u16, String) {
        load::get(self.port, path).unwrap_or_else(|| panic!("{path} is not answered"))
    }

    /// The metrics, in the format that this type is of.
    pub fn metrics_as(&self, accept: &str) -> Metrics {
        let request = format!("GET /metrics HTTP/1.1\r\nhost: cloudspout\r\naccept: {accept}\r\n\r\n");
        let (status, page) = load::exchange(self.port, &request).expect("metrics are answered");
        assert_eq!(status, 200, "{page}");
        Metrics::read(&page)
    }

    pub fn metrics(&self) -> Metrics {
        self.metrics_as("text/plain")
    }

    /// How it stands.
    pub fn status(&self) -> Value {
        let (status, body) = self.page("/status");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Waits until whether logs are delivered is answered so; the answer.
    pub fn wait_for_health(&self, status: u16, bound: Duration) -> String {
        eventually(&format!("health {status}"), bound, || {
            let (found, body) = self.page("/healthz");
            (found == status).then_some(body)
        })
    }

    /// Waits until a metric is at least this.
    pub fn wait_for(&self, name: &str, labels: &[(&str, &str)], least: f64) -> Metrics {
        eventually(&format!("{name} {labels:?} of {least}"), PATIENCE, || {
            let metrics = self.metrics();
            (metrics.get(name, labels)? >= least).then_some(metrics)
        })
    }
}

impl Metrics {
    fn read(page: &str) -> Self {
        let mut command = python("python");
        command.arg(file("peers/metrics.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Running::start("metrics.py", &mut command);
        let stdout = collect(running.child().stdout.take().expect("a pipe"));
        running.child().stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("it reads");
        assert!(running.wait(PATIENCE).success(), "no such metrics can be read:\n{page}");
        let samples: Vec<Value> = serde_json::from_slice(&stdout.join().expect("it is read")).expect("JSON");
        Self(samples.iter().map(Sample::of).collect())
    }

    /// The value of the sample that has just these labels.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: BTreeMap<_, _> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut found = self.0.iter().filter(|sample| sample.name == name && sample.labels == labels);
        let value = found.next()?.value;
        assert!(found.next().is_none(), "{name} {labels:?} stands twice");
        Some(value)
    }

    /// The value of a sample that has to be there.
    #[track_caller]
    pub fn expect(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.get(name, labels).unwrap_or_else(|| panic!("no {name} {labels:?} in {self:#?}"))
    }

    /// Every name that samples have.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.iter().map(|sample| sample.name.as_str()).collect();
        names.dedup();
        names
    }

    /// Every value that a label has.
    pub fn values(&self, label: &str) -> Vec<&str> {
        let mut values: Vec<_> =
            self.0.iter().filter_map(|sample| sample.labels.get(label)).map(String::as_str).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}

impl Sample {
    fn of(sample: &Value) -> Self {
        let labels = sample[1].as_object().expect("labels").iter();
        Self {
            name: sample[0].as_str().expect("a name").to_owned(),
            labels: labels
                .map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned()))
                .collect(),
            value: sample[2].as_f64().expect("a number"),
        }
    }
}
