//! What the operator wants, as JSON in the plugin's configuration, and what that means once it is valid.

use std::fmt;
use std::time::Duration;

use cloudspout::cloudwatch::{Endpoint, EndpointError, Region};
use cloudspout::command::Environment;
use cloudspout::naming::{Kind, clean};
use cloudspout::settings::{Compression, Options, Settings, Signing, WhenFull};
use cloudspout::size::{bytes, duration};
use cloudspout::time::Millis;
use serde::Deserialize;

use crate::credentials::Source;
use crate::line::{Attributes, Form, Line, Place, Template, WORKER};

/// A configuration that can be used.
#[derive(Debug)]
pub struct Configuration {
    /// Everything but the names of log group and log stream.
    options: Options,
    group: Template,
    stream: Template,
    pub line: Line,
    /// Envoy's cluster for CloudWatch Logs.
    pub cluster: String,
    pub endpoint: Endpoint,
    /// Where credentials come from, unless Envoy signs.
    pub credentials: Option<Source>,
    pub request_timeout: Duration,
    /// How long is waited at the end for what is not accepted.
    pub drain_timeout: Millis,
}

/// Why a configuration cannot be used, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationError(String);

/// The configuration as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    region: String,
    cluster: String,
    group: String,
    #[serde(default = "usual_stream")]
    stream: String,
    line: Option<Form>,
    endpoint: Option<String>,
    #[serde(default)]
    signing: GivenSigning,
    credentials: Option<GivenCredentials>,
    #[serde(default = "yes")]
    create_group: bool,
    #[serde(default = "yes")]
    create_stream: bool,
    flush_after: Option<String>,
    buffer: Option<String>,
    #[serde(default)]
    when_full: GivenWhenFull,
    in_flight: Option<u32>,
    #[serde(default)]
    compression: GivenCompression,
    #[serde(default)]
    mark_gaps: bool,
    request_timeout: Option<String>,
    drain_timeout: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum GivenSigning {
    #[default]
    Envoy,
    Module,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GivenWhenFull {
    #[default]
    DropOldest,
    DropNewest,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GivenCompression {
    #[default]
    None,
    Gzip,
}

/// An endpoint that answers as those of ECS and EKS do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenCredentials {
    cluster: String,
    authority: Option<String>,
    path: Option<String>,
}

/// What a worker may hold, and at least; there are two more instances than workers.
const USUAL_BUFFER: u64 = 16 << 20;
const LEAST_BUFFER: u64 = 4 << 20;
/// An instance can address 4 GiB, and batches grow by doubling.
const MOST_BUFFER: u64 = 1 << 30;
const MOST_IN_FLIGHT: u32 = 64;
const USUAL_FLUSH: Duration = Duration::from_secs(5);
const USUAL_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const USUAL_DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

fn usual_stream() -> String {
    "{xds.node.id}".to_owned()
}

fn yes() -> bool {
    true
}

impl Configuration {
    /// Reads a configuration. `environment` is what the VM was given of Envoy's; `seed` is of chance.
    ///
    /// # Errors
    /// For what is no JSON, unknown fields, and values that cannot be used.
    pub fn read(
        json: &[u8],
        environment: &Environment,
        attributes: &impl Attributes,
        seed: u64,
    ) -> Result<Configuration, ConfigurationError> {
        if json.is_empty() {
            return Err(ConfigurationError(
                "there is none; it is JSON in a google.protobuf.StringValue".into(),
            ));
        }
        let given: Given = serde_json::from_slice(json).map_err(|error| {
            let hint = if error.is_syntax() { "; it is JSON in a google.protobuf.StringValue" } else { "" };
            ConfigurationError(format!("{error}{hint}"))
        })?;
        let configuration = given.check(environment, seed)?;
        configuration.settings(attributes)?;
        Ok(configuration)
    }

    /// Whether a name depends on the worker.
    pub fn names_worker(&self) -> bool {
        self.group.has(WORKER) || self.stream.has(WORKER)
    }

    /// The settings of the machine, with names that are true of this node.
    ///
    /// # Errors
    /// A name cannot be made, or is none that CloudWatch takes.
    pub fn settings(&self, attributes: &impl Attributes) -> Result<Settings, ConfigurationError> {
        let mut options = self.options.clone();
        options.group = name(Kind::Group, &self.group, attributes)?;
        options.stream = name(Kind::Stream, &self.stream, attributes)?;
        Settings::of(&options).map_err(|error| ConfigurationError(error.to_string()))
    }
}

impl Given {
    fn check(self, environment: &Environment, seed: u64) -> Result<Configuration, ConfigurationError> {
        let region = Region::parse(&self.region).map_err(|error| endpoint_error(&error))?;
        let endpoint = match &self.endpoint {
            Some(url) => Endpoint::parse(url),
            None => Endpoint::of(&region),
        };
        let template =
            |field: &str, text: &str| Template::parse(text, Place::Name).map_err(|why| wrong(field, &why));
        if self.cluster.is_empty() {
            return Err(wrong("cluster", "name the cluster of Envoy's that leads to CloudWatch Logs"));
        }
        let line = match &self.line {
            Some(form) => Line::of(form),
            None => Line::usual(),
        };
        let buffer = size("buffer", self.buffer.as_deref(), USUAL_BUFFER)?;
        if !(LEAST_BUFFER..=MOST_BUFFER).contains(&buffer) {
            return Err(wrong("buffer", "at least 4MiB and at most 1GiB, for each worker"));
        }
        let in_flight = self.in_flight.unwrap_or(1);
        if !(1..=MOST_IN_FLIGHT).contains(&in_flight) {
            return Err(wrong("in_flight", "from 1 to 64"));
        }
        let credentials = match (self.signing, self.credentials) {
            (GivenSigning::Envoy, None) => None,
            (GivenSigning::Envoy, Some(_)) => {
                return Err(wrong("credentials", "only with \"signing\": \"module\"; Envoy has its own"));
            }
            (GivenSigning::Module, None) => {
                Some(Source::environment(environment).map_err(|why| wrong("credentials", &why))?)
            }
            (GivenSigning::Module, Some(given)) => Some(given.check(environment)?),
        };
        let flush_after = time("flush_after", self.flush_after.as_deref(), USUAL_FLUSH)?;
        let drain_timeout = time("drain_timeout", self.drain_timeout.as_deref(), USUAL_DRAIN_TIMEOUT)?;
        let request_timeout =
            time("request_timeout", self.request_timeout.as_deref(), USUAL_REQUEST_TIMEOUT)?;
        if request_timeout.is_zero() {
            return Err(wrong("request_timeout", "more than nothing"));
        }
        Ok(Configuration {
            options: Options {
                region: self.region,
                endpoint: self.endpoint,
                create_group: self.create_group,
                create_stream: self.create_stream,
                flush_after: millis(flush_after),
                buffer_bytes: buffer,
                compression: match self.compression {
                    GivenCompression::None => Compression::None,
                    GivenCompression::Gzip => Compression::Gzip,
                },
                in_flight,
                signing: match self.signing {
                    GivenSigning::Envoy => Signing::Elsewhere,
                    GivenSigning::Module => Signing::Here,
                },
                when_full: match self.when_full {
                    GivenWhenFull::DropOldest => WhenFull::DropOldest,
                    GivenWhenFull::DropNewest => WhenFull::DropNewest,
                },
                mark_gaps: self.mark_gaps,
                seed,
                ..Options::default()
            },
            group: template("group", &self.group)?,
            stream: template("stream", &self.stream)?,
            line: line.map_err(|why| wrong("line", &why))?,
            cluster: self.cluster,
            endpoint: endpoint.map_err(|error| endpoint_error(&error))?,
            credentials,
            request_timeout,
            drain_timeout: millis(drain_timeout),
        })
    }
}

impl GivenCredentials {
    fn check(self, environment: &Environment) -> Result<Source, ConfigurationError> {
        if self.cluster.is_empty() {
            return Err(wrong("credentials.cluster", "name the cluster that leads to the endpoint"));
        }
        Source::endpoint(self.cluster, self.authority, self.path, environment)
            .map_err(|why| wrong("credentials", &why))
    }
}

/// A name that CloudWatch takes as it is.
fn name(kind: Kind, template: &Template, attributes: &impl Attributes) -> Result<String, ConfigurationError> {
    let (field, rule) = match kind {
        Kind::Group => ("group", "letters, digits and _-/.#, 1 to 512 of them, and not `aws/` first"),
        Kind::Stream => ("stream", "1 to 512 characters, and no `:`, `*` or control characters among them"),
    };
    let name = template.whole(attributes).map_err(|missing| {
        let how =
            if missing.starts_with("xds.node.") { "; say it in `node` or by --service-node" } else { "" };
        wrong(field, &format!("Envoy has no {missing}{how}"))
    })?;
    // The machine takes names as Go templates.
    if name.is_empty() || clean(kind, &name) != name || name.contains("{{") {
        return Err(wrong(field, &format!("`{name}` is no name of a {kind}: {rule}")));
    }
    Ok(name)
}

fn size(field: &str, text: Option<&str>, usual: u64) -> Result<u64, ConfigurationError> {
    text.map_or(Ok(usual), |text| bytes(text).map_err(|why| wrong(field, &why)))
}

fn time(field: &str, text: Option<&str>, usual: Duration) -> Result<Duration, ConfigurationError> {
    text.map_or(Ok(usual), |text| duration(text).map_err(|why| wrong(field, &why)))
}

fn millis(duration: Duration) -> Millis {
    Millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn wrong(field: &str, why: &str) -> ConfigurationError {
    ConfigurationError(format!("{field}: {why}"))
}

/// As the field is called here, where the core names a command line's options.
fn endpoint_error(error: &EndpointError) -> ConfigurationError {
    match error {
        EndpointError::NoRegion => wrong("region", "name one, as eu-central-1"),
        EndpointError::Region(name) => wrong(
            "region",
            &format!("`{name}` is not the name of an AWS Region; they look like eu-central-1"),
        ),
        EndpointError::Url(url) => wrong(
            "endpoint",
            &format!("`{url}` is not a URL such as https://logs.eu-central-1.amazonaws.com"),
        ),
    }
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "configuration: {}", self.0)
    }
}

impl std::error::Error for ConfigurationError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::testing::Request;

    fn node() -> Request {
        Request(vec![("xds.node.id", b"edge-1".to_vec()), ("worker", b"0".to_vec())])
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::new(owned.collect())
    }

    /// A configuration with these fields beyond, or in the place of, those that there have to be.
    fn with(fields: &str, variables: &[(&str, &str)]) -> Result<Configuration, String> {
        let mut json: serde_json::Value =
            serde_json::from_str(r#"{"region":"eu-central-1","cluster":"logs","group":"/envoy"}"#).unwrap();
        let fields: serde_json::Value = serde_json::from_str(fields).unwrap();
        for (name, value) in fields.as_object().unwrap() {
            json[name] = value.clone();
        }
        Configuration::read(json.to_string().as_bytes(), &environment(variables), &node(), 1)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn little_has_to_be_said() {
        let configuration = with("{}", &[]).unwrap();
        let settings = configuration.settings(&node()).unwrap();
        assert_eq!(configuration.endpoint.to_string(), "https://logs.eu-central-1.amazonaws.com/");
        assert_eq!(configuration.line, Line::usual().unwrap());
        assert!(configuration.credentials.is_none());
        assert_eq!((settings.signing, settings.when_full), (Signing::Elsewhere, WhenFull::DropOldest));
        assert_eq!((settings.buffer_bytes, settings.flush_after), (16 << 20, Millis(5_000)));
    }

    #[test]
    fn what_is_said_is_done() {
        let all = r#"{
            "stream": "{xds.node.id}/{worker}", "line": "{request.method}", "endpoint": "http://127.0.0.1:4586",
            "signing": "module", "create_group": false, "create_stream": false, "flush_after": "200ms",
            "buffer": "64MiB", "when_full": "drop-newest", "in_flight": 4, "compression": "gzip",
            "mark_gaps": true, "request_timeout": "1m", "drain_timeout": "0s"
        }"#;
        let configuration =
            with(all, &[("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")]).unwrap();
        assert_eq!(configuration.request_timeout, Duration::from_secs(60));
        assert_eq!(configuration.drain_timeout, Millis(0));
        assert!(configuration.credentials.is_some());
        let settings = configuration.settings(&node()).unwrap();
        assert_eq!((settings.signing, settings.when_full), (Signing::Here, WhenFull::DropNewest));
        assert_eq!((settings.buffer_bytes, settings.flush_after), (64 << 20, Millis(200)));
        assert_eq!((settings.in_flight, settings.compression), (4, Compression::Gzip));
        assert!(configuration.names_worker());
        assert!(settings.mark_gaps && !settings.create_group && !settings.create_stream);
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_its_name() {
        for (fields, reason) in [
            (r#"{"grup":"x"}"#, "unknown field `grup`, expected one of `region`"),
            (r#"{"group":7}"#, "invalid type: integer `7`, expected a string"),
            (r#"{"region":"mars"}"#, "region: `mars` is not the name of an AWS Region"),
            (r#"{"region":""}"#, "region: name one"),
            (r#"{"endpoint":"localhost"}"#, "endpoint: `localhost` is not a URL"),
            (r#"{"cluster":""}"#, "cluster: name the cluster"),
            (r#"{"group":"my group"}"#, "group: `my group` is no name of a log group: letters"),
            (r#"{"group":""}"#, "group: `` is no name of a log group"),
            (r#"{"stream":"a:b"}"#, "stream: `a:b` is no name of a log stream: 1 to 512"),
            (r#"{"stream":"{request.path}"}"#, "stream: byte 1: `request.path` cannot be in a name"),
            (r#"{"stream":"{xds.node.cluster}"}"#, "stream: Envoy has no xds.node.cluster; say it in `node`"),
            (r#"{"stream":"{{{{x"}"#, "stream: `{{x` is no name"),
            (r#"{"line":"{request.methd}"}"#, "line: byte 1: `request.methd` is no attribute"),
            (r#"{"line":{"a":{"b":"{"}}}"#, "line: a.b: byte 1"),
            (r#"{"line":7}"#, "line: write a text"),
            (r#"{"signing":"nobody"}"#, "unknown variant `nobody`, expected `envoy` or `module`"),
            (r#"{"signing":"module"}"#, "credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
            (r#"{"credentials":{"cluster":"x"}}"#, "credentials: only with \"signing\": \"module\""),
            (r#"{"signing":"module","credentials":{"cluster":"x"}}"#, "credentials: give `path`"),
            (r#"{"signing":"module","credentials":{"cluster":""}}"#, "credentials.cluster: name"),
            (r#"{"signing":"module","credentials":{"clustr":"x"}}"#, "unknown field `clustr`"),
            (r#"{"flush_after":"soon"}"#, "flush_after: `soon` is no duration"),
            (r#"{"request_timeout":"0s"}"#, "request_timeout: more than nothing"),
            (r#"{"buffer":"1MiB"}"#, "buffer: at least 4MiB"),
            (r#"{"buffer":"2GiB"}"#, "buffer: at least 4MiB and at most 1GiB"),
            (r#"{"when_full":"wait"}"#, "unknown variant `wait`"),
            (r#"{"in_flight":0}"#, "in_flight: from 1 to 64"),
        ] {
            let error = with(fields, &[]).unwrap_err();
            let reason = format!("configuration: {reason}");
            assert!(error.starts_with(&reason), "{fields}:\n{error}\n{reason}");
        }
    }

    #[test]
    fn what_is_no_configuration_at_all_says_what_one_is() {
        for json in ["", "region: x", "\u{12}\u{3}abc", "{", "{\"region\":\"eu-central-1\"}"] {
            let read = Configuration::read(json.as_bytes(), &environment(&[]), &node(), 1);
            let error = read.unwrap_err().to_string();
            let hinted = error.contains("JSON in a google.protobuf.StringValue");
            assert!(hinted || error.contains("EOF") || error.contains("missing field `cluster`"), "{error}");
        }
    }
}
