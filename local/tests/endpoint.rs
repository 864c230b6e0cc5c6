//! The endpoint over real connections: raw requests, signed here by hand.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use cloudspout_local::{
    Config, Control, Endpoint, KeyPair, Keys, LOCAL_KEY_ID, LOCAL_SECRET, LocalError, Work,
};
use ring::{digest, hmac};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[tokio::test]
async fn what_is_put_can_be_read_back() {
    let world = World::new(Config::default()).await;
    let created = world.call("CreateLogGroup", &json!({"logGroupName": "group"})).await;
    assert_eq!((created.status, created.body.as_str()), (200, ""));
    assert_eq!(created.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(created.header("x-amzn-requestid").len(), 36);
    assert!(created.header("date").ends_with(" GMT"));
    world.call("CreateLogStream", &stream()).await;
    let put = world.put(&["one", "two"]).await;
    assert_eq!((put.status, put.json().get("rejectedLogEventsInfo")), (200, None));
    assert_eq!(world.messages().await, ["one", "two"]);
    let again = world.call("CreateLogStream", &stream()).await;
    assert_eq!(again.status, 400);
    assert_eq!(
        again.body,
        r#"{"__type":"ResourceAlreadyExistsException","message":"The specified log stream already exists"}"#
    );
}

#[tokio::test]
async fn what_is_no_call_of_the_service_is_refused_like_there() {
    let world = World::ready(Config::default()).await;
    let unknown = world.call("StartQuery", &json!({})).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (400, "UnknownOperationException"));
    for request in [
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "POST /v1/logs HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-amz-target: Logs_20140328.PutLogEvents\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-amz-target: Logs_20140328.PutLogEvents\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n",
    ] {
        let answer = exchange(world.address, request.as_bytes()).await.unwrap();
        assert_eq!((answer.status, answer.body.trim()), (404, "<UnknownOperationException/>"));
    }
}

#[tokio::test]
async fn only_signed_requests_of_known_keys_get_through() {
    let config = Config {
        region: Some("us-east-1".to_owned()),
        keys: Keys::Known(vec![
            KeyPair::new(LOCAL_KEY_ID, LOCAL_SECRET),
            KeyPair::new("ASIATEMP", "other").with_token("session"),
        ]),
        ..Config::default()
    };
    let world = World::new(config).await;
    let good = Signer::default();
    for (signer, code) in [
        (good.clone(), ""),
        (Signer { secret: "wrong", ..good.clone() }, "InvalidSignatureException"),
        (Signer { key_id: "AKIDOTHER", ..good.clone() }, "UnrecognizedClientException"),
        (Signer { region: "eu-west-1", ..good.clone() }, "InvalidSignatureException"),
        (Signer { late: 400, ..good.clone() }, "InvalidSignatureException"),
        (Signer { late: -400, ..good.clone() }, "InvalidSignatureException"),
        (Signer { key_id: "ASIATEMP", secret: "other", token: Some("session"), ..good.clone() }, ""),
        (Signer { key_id: "ASIATEMP", secret: "other", ..good.clone() }, "UnrecognizedClientException"),
    ] {
        let request = signer.request(world.address, "DescribeLogGroups", b"{}", &[]);
        let answer = exchange(world.address, &request).await.unwrap();
        assert_eq!(answer.code(), code, "{}", answer.body);
    }
    let bare = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-amz-target: Logs_20140328.DescribeLogGroups\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 2\r\n\r\n{}";
    let answer = exchange(world.address, bare.as_bytes()).await.unwrap();
    assert_eq!(answer.code(), "MissingAuthenticationTokenException");
}

#[tokio::test]
async fn compressed_bodies_are_signed_as_they_are_sent() {
    use std::io::Write;
    let world = World::ready(Config::default()).await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(put_input(&["packed"]).to_string().as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    let headers = [("content-encoding", "gzip"), ("x-amzn-logs-format", "json/emf")];
    let request = Signer::default().request(world.address, "PutLogEvents", &body, &headers);
    assert_eq!(exchange(world.address, &request).await.unwrap().status, 200);
    assert_eq!(world.messages().await, ["packed"]);
    let stats = world.control.stats();
    assert_eq!((stats.gzip_requests, stats.formats["json/emf"]), (1, 1));
    assert_eq!((stats.events_accepted, stats.bytes_accepted), (1, 6));
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused_and_the_connection_answers() {
    let world = World::ready(Config { body_limit: 1000, ..Config::default() }).await;
    let answer = world.put(&[&"x".repeat(1000)]).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "RequestEntityTooLarge"));
    assert_eq!(world.put(&["x"]).await.status, 200);
}

#[tokio::test]
async fn faults_answer_in_the_service_s_place() {
    let world = World::ready(Config::default()).await;
    world.faults(
        "throttle:1@retry-after=2s; 503:1; not-cloudwatch:1; garbage:1; redirect:1; missing-group:1; 413:1",
    );
    let throttled = world.put(&["x"]).await;
    assert_eq!((throttled.status, throttled.code().as_str()), (400, "ThrottlingException"));
    assert_eq!(throttled.header("x-amz-retry-after"), "2000");
    let page = world.put(&["x"]).await;
    assert_eq!((page.status, page.header("content-type")), (503, "text/html"));
    assert!(world.put(&["x"]).await.body.starts_with("<html>"));
    assert!(serde_json::from_str::<Value>(&world.put(&["x"]).await.body).is_err());
    let elsewhere = world.put(&["x"]).await;
    assert_eq!((elsewhere.status, elsewhere.header("location")), (307, "http://127.0.0.1:9/"));
    assert_eq!(world.put(&["x"]).await.code(), "ResourceNotFoundException");
    assert_eq!(world.put(&["x"]).await.status, 413);
    assert!(world.messages().await.is_empty());
    assert_eq!(world.put(&["x"]).await.status, 200);
    assert_eq!(world.control.stats().faults["503:1"], 1);
}

#[tokio::test]
async fn a_connection_can_be_cut_before_and_after_the_events_are_kept() {
    let world = World::ready(Config::default()).await;
    for (plan, kept) in [("reset-before:1", 0), ("reset-after:1", 1), ("half:1", 2)] {
        world.faults(plan);
        let request = Signer::default().request(
            world.address,
            "PutLogEvents",
            put_input(&["x"]).to_string().as_bytes(),
            &[],
        );
        assert!(exchange(world.address, &request).await.is_err(), "{plan}");
        assert_eq!(world.messages().await.len(), kept, "{plan}");
    }
}

#[tokio::test]
async fn a_skewed_clock_shows_in_the_date_and_refuses_the_right_time() {
    let world = World::ready(Config::default()).await;
    world.faults("skew:+1h");
    let answer = world.put(&["x"]).await;
    assert_eq!(answer.code(), "InvalidSignatureException");
    assert!(answer.body.contains("Signature expired: "), "{}", answer.body);
    let ahead = Signer { late: 3600, ..Signer::default() };
    let request = ahead.request(world.address, "DescribeLogGroups", b"{}", &[]);
    assert_eq!(exchange(world.address, &request).await.unwrap().status, 200);
}

#[tokio::test]
async fn faults_and_counts_are_reached_on_the_same_port() {
    let world = World::ready(Config::default()).await;
    let set = world.control_path("POST", "faults", "denied:1@group=other", "").await;
    assert_eq!(set.json()["plan"], "denied:1@group=other");
    assert_eq!(world.put(&["x"]).await.status, 200);
    let faults = world.control_path("GET", "faults", "", "").await;
    assert_eq!(faults.json()["rules"][0], json!({"rule": "denied:1@group=other", "seen": 0, "struck": 0}));
    let wrong = world.control_path("POST", "faults", "denid", "").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["error"].as_str().unwrap().starts_with("fault `denid`: no fault is named denid"));
    assert_eq!(world.control_path("DELETE", "faults", "", "").await.json()["plan"], "");
    let stats = world.control_path("GET", "stats", "", "").await.json();
    assert_eq!(stats["operations"]["PutLogEvents"], 1);
    assert_eq!(stats["stored"]["streams"], 1);
    let browser = world.control_path("POST", "faults", "hang", "origin: http://example.com\r\n").await;
    assert_eq!(browser.status, 403);
    assert_eq!(world.control_path("GET", "nothing", "", "").await.status, 404);
}

#[tokio::test]
async fn a_data_directory_outlives_the_endpoint() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { data_dir: Some(directory.path().to_owned()), ..Config::default() };
    let world = World::ready(config.clone()).await;
    world.put(&["kept"]).await;
    let busy = Endpoint::bind(config.clone()).await;
    assert!(matches!(busy, Err(LocalError::Store { .. })), "{busy:?}");
    world.end().await;
    let world = World::new(config).await;
    assert_eq!(world.messages().await, ["kept"]);
}

#[tokio::test]
async fn discarding_answers_anything() {
    let world = World::new(Config { work: Work::Discard, ..Config::default() }).await;
    let request = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nbytes";
    let answer = exchange(world.address, request.as_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    assert_eq!(world.control.stats().body_bytes, 5);
}

#[tokio::test]
async fn other_addresses_than_loopback_are_refused() {
    let config = Config { listen: SocketAddr::from(([0, 0, 0, 0], 0)), ..Config::default() };
    assert!(matches!(Endpoint::bind(config).await, Err(LocalError::NotLoopback(_))));
}

/// A running endpoint.
struct World {
    address: SocketAddr,
    control: Control,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), LocalError>>,
}

impl World {
    async fn new(config: Config) -> World {
        let endpoint = Endpoint::bind(config).await.unwrap();
        let (address, control) = (endpoint.address(), endpoint.control());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(endpoint.serve(async {
            let _ = stopped.await;
        }));
        World { address, control, stop, running }
    }

    /// With the group and the stream that the other helpers use.
    async fn ready(config: Config) -> World {
        let world = World::new(config).await;
        world.call("CreateLogGroup", &json!({"logGroupName": "group"})).await;
        world.call("CreateLogStream", &stream()).await;
        world
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }

    fn faults(&self, plan: &str) {
        self.control.set_faults(plan.parse().unwrap());
    }

    async fn put(&self, messages: &[&str]) -> Answer {
        self.call("PutLogEvents", &put_input(messages)).await
    }

    async fn messages(&self) -> Vec<String> {
        let page = self.call("GetLogEvents", &stream()).await.json();
        let events = page["events"].as_array().unwrap().iter();
        events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    async fn call(&self, operation: &str, input: &Value) -> Answer {
        let body = input.to_string();
        let request = Signer::default().request(self.address, operation, body.as_bytes(), &[]);
        exchange(self.address, &request).await.unwrap()
    }

    async fn control_path(&self, method: &str, path: &str, body: &str, header: &str) -> Answer {
        let request = format!(
            "{method} /_local/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        exchange(self.address, request.as_bytes()).await.unwrap()
    }
}

fn stream() -> Value {
    json!({"logGroupName": "group", "logStreamName": "stream"})
}

fn put_input(messages: &[&str]) -> Value {
    let timestamp = u64::try_from(now_millis()).unwrap();
    let events: Vec<Value> =
        messages.iter().map(|message| json!({"timestamp": timestamp, "message": message})).collect();
    json!({"logGroupName": "group", "logStreamName": "stream", "logEvents": events})
}

fn now_millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

/// Signs as the specification says, in its own few lines.
#[derive(Clone)]
struct Signer {
    key_id: &'static str,
    secret: &'static str,
    region: &'static str,
    token: Option<&'static str>,
    /// Seconds that the signer's clock is ahead.
    late: i64,
}

impl Default for Signer {
    fn default() -> Signer {
        Signer { key_id: LOCAL_KEY_ID, secret: LOCAL_SECRET, region: "us-east-1", token: None, late: 0 }
    }
}

impl Signer {
    fn request(&self, address: SocketAddr, operation: &str, body: &[u8], extra: &[(&str, &str)]) -> Vec<u8> {
        let at = i64::try_from(now_millis() / 1000).unwrap() + self.late;
        let time = UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(at).unwrap());
        let date = compact(&httpdate::fmt_http_date(time));
        let day = &date[..8];
        let mut headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("host".to_owned(), address.to_string()),
            ("x-amz-date".to_owned(), date.clone()),
            ("x-amz-target".to_owned(), format!("Logs_20140328.{operation}")),
        ];
        headers.extend(self.token.map(|token| ("x-amz-security-token".to_owned(), token.to_owned())));
        headers.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let signed = names.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/\n\n{lines}\n{signed}\n{}", sha256(body));
        let scope = format!("{day}/{}/logs/aws4_request", self.region);
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [day, self.region, "logs", "aws4_request", &text] {
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
            key = mac.as_ref().to_vec();
        }
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "POST / HTTP/1.1\r\n{lines}authorization: AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            self.key_id,
            hex(&key),
            body.len()
        );
        [head.as_bytes(), body].concat()
    }
}

/// `Sat, 21 Nov 2026 09:30:00 GMT` as `20261121T093000Z`.
fn compact(http_date: &str) -> String {
    let parts: Vec<&str> = http_date.split([' ', ':']).collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|month| *month == parts[2]).unwrap() + 1;
    format!("{}{month:02}{}T{}{}{}Z", parts[3], parts[1], parts[4], parts[5], parts[6])
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A whole answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The error's code, or nothing.
    fn code(&self) -> String {
        let value: Value = serde_json::from_str(&self.body).unwrap_or_default();
        value["__type"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request that asks to close, and reads until the end; an answer cut short is an error.
async fn exchange(address: SocketAddr, request: &[u8]) -> Result<Answer, String> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no whole head")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
