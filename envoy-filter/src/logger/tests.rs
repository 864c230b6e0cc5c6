//! The logger over an imitation of Envoy.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cloudspout::command::Environment;
use cloudspout::time::Millis;

use super::*;

/// What Envoy was asked, and what it answers.
#[derive(Default)]
struct Told {
    calls: RefCell<Vec<Made>>,
    said: RefCell<Vec<(Severity, String)>>,
    stats: RefCell<BTreeMap<&'static str, i64>>,
    now: Cell<u64>,
    /// Whether it has no such cluster.
    refuses: Cell<bool>,
}

/// A call that was made.
#[derive(Clone, Debug)]
struct Made {
    cluster: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Clone, Default)]
struct Imitation(Rc<Told>);

impl Attributes for Imitation {
    fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
        match path {
            b"xds\0node\0id" => Some(b"edge-1".to_vec()),
            b"request\0path" => Some(b"/x".to_vec()),
            _ => None,
        }
    }
}

impl Envoy for Imitation {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000) + Millis(self.0.now.get())
    }

    fn call(&self, call: &HttpCall<'_>) -> Result<CallId, String> {
        if self.0.refuses.get() {
            return Err("Envoy has no cluster `logs`".to_owned());
        }
        let mut calls = self.0.calls.borrow_mut();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        calls.push(Made {
            cluster: call.cluster.to_owned(),
            headers: call.headers.iter().map(owned).collect(),
            body: String::from_utf8_lossy(call.body.unwrap_or_default()).into_owned(),
        });
        Ok(CallId(calls.len() as u32))
    }

    fn tell(&self, severity: Severity, text: &str) {
        self.0.said.borrow_mut().push((severity, text.to_owned()));
    }

    fn add(&self, stat: usize, change: i64) {
        *self.0.stats.borrow_mut().entry(STATS[stat].name).or_default() += change;
    }
}

impl Imitation {
    fn pass(&self, millis: u64) {
        self.0.now.set(self.0.now.get() + millis);
    }

    fn calls(&self) -> Vec<Made> {
        self.0.calls.borrow().clone()
    }

    fn stat(&self, name: &str) -> i64 {
        let stats = self.0.stats.borrow();
        stats.get(format!("cloudspout.{name}").as_str()).copied().unwrap_or_default()
    }
}

impl Made {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn action(&self) -> &str {
        self.header("x-amz-target").unwrap_or_default().trim_start_matches("Logs_20140328.")
    }
}

fn logger(fields: &str, variables: &[(&str, &str)]) -> (Logger<Imitation>, Imitation) {
    let envoy = Imitation::default();
    let json = format!(
        r#"{{"region":"eu-central-1","cluster":"logs","group":"g","line":"{{request.path}}"{fields}}}"#
    );
    let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = Environment::new(owned.collect());
    let configuration = Configuration::read(json.as_bytes(), &environment, &envoy, 1).unwrap();
    let settings = configuration.settings(&envoy).unwrap();
    (Logger::new(envoy.clone(), configuration, settings), envoy)
}

fn status(status: &'static str) -> impl Fn(&str) -> Option<String> {
    move |name| (name == ":status").then(|| status.to_owned())
}

#[test]
fn a_request_is_logged_and_leaves_at_a_tick() {
    let (mut logger, envoy) = logger("", &[]);
    logger.log();
    logger.log();
    envoy.pass(5_000);
    assert!(envoy.calls().is_empty(), "no request waits for a log");
    logger.tick();
    let calls = envoy.calls();
    assert_eq!((calls.len(), calls[0].cluster.as_str(), calls[0].action()), (1, "logs", "PutLogEvents"));
    assert_eq!(calls[0].header(":authority"), Some("logs.eu-central-1.amazonaws.com"));
    assert_eq!((calls[0].header(":method"), calls[0].header(":path")), (Some("POST"), Some("/")));
    assert_eq!(calls[0].header("authorization"), None, "Envoy signs");
    assert_eq!(calls[0].body.matches("\"message\":\"/x\"").count(), 2);
    assert!(calls[0].body.contains("\"logStreamName\":\"edge-1\""));
    assert_eq!((envoy.stat("events_logged"), envoy.stat("events_pending")), (2, 2));
    logger.answered(CallId(1), status("200"), b"{}".to_vec());
    assert_eq!((envoy.stat("events_accepted"), envoy.stat("events_pending")), (2, 0));
}

#[test]
fn what_is_missing_is_made_and_what_fails_is_sent_again() {
    let (mut logger, envoy) = logger(r#","flush_after":"0s""#, &[]);
    logger.log();
    logger.tick();
    let missing = br#"{"__type":"ResourceNotFoundException"}"#;
    logger.answered(CallId(1), status("400"), missing.to_vec());
    logger.answered(CallId(2), status("400"), missing.to_vec());
    logger.answered(CallId(3), status("200"), Vec::new());
    logger.answered(CallId(4), status("200"), Vec::new());
    logger.answered(CallId(5), status("503"), b"no healthy upstream".to_vec());
    envoy.pass(60_000);
    logger.tick();
    logger.answered(CallId(6), status("200"), b"{}".to_vec());
    let actions: Vec<_> = envoy.calls().iter().map(|call| call.action().to_owned()).collect();
    let put = "PutLogEvents";
    assert_eq!(actions, [put, "CreateLogStream", "CreateLogGroup", "CreateLogStream", put, put]);
    assert_eq!((envoy.stat("events_accepted"), envoy.stat("requests_retried")), (1, 2));
    assert_eq!(envoy.stat("events_possibly_doubled"), 0);
}

#[test]
fn a_cluster_that_envoy_does_not_have_is_told_and_tried_again() {
    let (mut logger, envoy) = logger(r#","flush_after":"0s""#, &[]);
    envoy.0.refuses.set(true);
    logger.log();
    logger.tick();
    let said = envoy.0.said.borrow().clone();
    assert!(said.iter().any(|(_, text)| text.contains("Envoy has no cluster `logs`")), "{said:?}");
    envoy.0.refuses.set(false);
    envoy.pass(60_000);
    logger.tick();
    assert_eq!(envoy.calls().len(), 1);
}

#[test]
fn the_module_signs_with_what_its_environment_holds() {
    let variables = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let (mut logger, envoy) = logger(r#","signing":"module","flush_after":"0s""#, &variables);
    logger.log();
    logger.tick();
    let calls = envoy.calls();
    let authorization = calls[0].header("authorization").expect("a signature");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"), "{authorization}");
}

#[test]
fn credentials_of_an_endpoint_are_asked_for_and_renewed_before_they_end() {
    let fields = r#","signing":"module","credentials":{"cluster":"ecs","path":"/v2/x"},"flush_after":"0s""#;
    let (mut logger, envoy) = logger(fields, &[("AWS_CONTAINER_AUTHORIZATION_TOKEN", "word")]);
    logger.log();
    logger.tick();
    let asked = envoy.calls().remove(0);
    assert_eq!((asked.cluster.as_str(), asked.header(":path")), ("ecs", Some("/v2/x")));
    assert_eq!(
        (asked.header(":authority"), asked.header("authorization")),
        (Some("169.254.170.2"), Some("word"))
    );
    // Two minutes from the imitation's beginning.
    let answer =
        br#"{"AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t","Expiration":"2027-01-15T08:02:00Z"}"#;
    logger.answered(CallId(1), status("200"), answer.to_vec());
    assert_eq!(envoy.calls()[1].header("x-amz-security-token"), Some("t"));
    logger.answered(CallId(2), status("200"), b"{}".to_vec());
    envoy.pass(100_000);
    logger.log();
    logger.tick();
    let calls = envoy.calls();
    let clusters: Vec<_> = calls.iter().map(|call| call.cluster.as_str()).collect();
    assert_eq!(clusters, ["ecs", "logs", "ecs", "logs"], "what there is serves until there is better");
    let answer = String::from_utf8_lossy(answer).replace("ASIA1", "ASIA2").replace("08:02", "09:02");
    logger.answered(CallId(3), status("200"), answer.into_bytes());
    logger.answered(CallId(4), status("200"), b"{}".to_vec());
    logger.log();
    envoy.pass(100);
    logger.tick();
    assert!(envoy.calls().last().unwrap().header("authorization").unwrap().contains("ASIA2"));
}

#[test]
fn a_credentials_endpoint_that_fails_is_told_and_asked_again() {
    let fields = r#","signing":"module","credentials":{"cluster":"ecs","path":"/v2/x"},"flush_after":"0s""#;
    let (mut logger, envoy) = logger(fields, &[]);
    logger.log();
    logger.tick();
    logger.answered(CallId(1), status("500"), b"secret".to_vec());
    let said = envoy.0.said.borrow().last().cloned().expect("it is told");
    assert!(said.1.contains("answers with status 500") && !said.1.contains("secret"), "{said:?}");
    envoy.pass(60_000);
    logger.tick();
    assert_eq!(envoy.calls().len(), 2);
}

#[test]
fn what_is_left_is_sent_before_it_goes() {
    let (mut logger, envoy) = logger("", &[]);
    assert!(!logger.is_drained());
    logger.log();
    assert!(!logger.drain(), "Envoy has to wait");
    assert_eq!(envoy.calls().len(), 1);
    logger.tick();
    assert!(logger.is_draining());
    logger.answered(CallId(1), status("200"), b"{}".to_vec());
    assert!(logger.is_drained());

    let (mut idle, _) = self::logger("", &[]);
    assert!(idle.drain(), "there is nothing to wait for");
}

#[test]
fn what_cannot_be_sent_in_time_is_told() {
    let (mut logger, envoy) = logger(r#","drain_timeout":"2s""#, &[]);
    logger.log();
    logger.drain();
    envoy.pass(1_900);
    logger.tick();
    assert!(!logger.is_drained());
    envoy.pass(200);
    logger.tick();
    assert!(logger.is_drained());
    let said = envoy.0.said.borrow().last().cloned().expect("it is told");
    assert_eq!(said, (Severity::Error, "ended with 1 events read and not delivered".to_owned()));
    assert_eq!(envoy.stat("events_pending"), 1);
}

#[test]
fn people_read_the_names_of_fields() {
    let (mut logger, envoy) = logger(r#","flush_after":"0s","create_stream":false"#, &[]);
    for answer in ["<html>", r#"{"__type":"ResourceNotFoundException"}"#] {
        logger.log();
        envoy.pass(100_000);
        logger.tick();
        let call = CallId(envoy.calls().len() as u32);
        let answered = if answer.starts_with('<') { "200" } else { "400" };
        logger.answered(call, status(answered), answer.as_bytes().to_vec());
    }
    let said = envoy.0.said.borrow().clone();
    assert!(said.iter().any(|(_, text)| text.contains("check `endpoint`, `region`")), "{said:?}");
    assert!(said.iter().any(|(_, text)| text.contains("`create_stream` is off")), "{said:?}");
    assert!(!said.iter().any(|(_, text)| text.contains("--")), "{said:?}");
}
