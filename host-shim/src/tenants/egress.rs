//! What a tenant's instance may send, and how much: requests to its endpoint, to do what it is there for, within
//! its log groups and its rates. Whatever else it tries never leaves.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::sync::Semaphore;

use super::confinement::Confinement;
use super::rate::Rates;
use super::said::Said;
use crate::Options;
use crate::metrics::Panel;
use crate::transport::{Body, SendError, Transport};

// Where the service is stands in one file for the component and for whoever watches it.
#[allow(dead_code, reason = "the component uses all of it")]
#[path = "../../../src/cloudwatch/endpoint.rs"]
mod endpoint;

use endpoint::{Endpoint, Region};

/// A transport that lets pass what one tenant may send.
pub struct Egress {
    transport: Arc<dyn Transport>,
    endpoints: Vec<Endpoint>,
    confinement: Option<Confinement>,
    rates: Rates,
    /// Requests under way: more than the component ever has.
    under_way: Semaphore,
    said: Arc<Said>,
    panel: Arc<Panel>,
}

/// What shipping needs done.
const ACTIONS: [&str; 4] = ["PutLogEvents", "CreateLogStream", "CreateLogGroup", "PutRetentionPolicy"];
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const VERSION: &str = "Logs_20140328.";
const JSON: &str = "application/x-amz-json-1.1";
/// The longest body: a full batch in which each byte is escaped, in bytes.
const LONGEST: usize = 8 << 20;
/// The component has 64 at most.
const MOST_UNDER_WAY: usize = 72;

impl Egress {
    /// # Errors
    /// The endpoint, or the Region, is none.
    pub fn new(
        transport: Arc<dyn Transport>,
        options: &Options,
        confinement: Option<Confinement>,
        rates: Rates,
        said: Arc<Said>,
        panel: Arc<Panel>,
    ) -> Result<Egress, String> {
        let of_region = |region: &String| Region::parse(region).and_then(|region| Endpoint::of(&region));
        let own: Vec<_> = match &options.endpoint {
            Some(url) => vec![Endpoint::parse(url)],
            None => [&options.region].into_iter().chain(&options.allow_regions).map(of_region).collect(),
        };
        let chosen = options.allow_endpoints.iter().map(|url| Endpoint::parse(url));
        let endpoints: Result<_, _> = own.into_iter().chain(chosen).collect();
        let endpoints = endpoints.map_err(|error| error.to_string())?;
        let under_way = Semaphore::new(MOST_UNDER_WAY);
        Ok(Egress { transport, endpoints, confinement, rates, under_way, said, panel })
    }

    /// Whether a request may leave, by its head; the action.
    fn judge(&self, head: &http::request::Parts) -> Result<&'static str, String> {
        let uri = &head.uri;
        let (scheme, authority) = (uri.scheme_str(), uri.authority().map(|authority| authority.as_str()));
        let goes_to = |endpoint: &&Endpoint| {
            let wanted = if endpoint.is_tls() { "https" } else { "http" };
            scheme == Some(wanted) && authority == Some(endpoint.authority())
        };
        let Some(endpoint) = self.endpoints.iter().find(goes_to) else {
            let asked = format!("{}://{}", scheme.unwrap_or("?"), authority.unwrap_or("?"));
            return Err(format!("a request to {}, which is not its endpoint", shortened(&asked)));
        };
        if head.method != Method::POST
            || uri.path() != endpoint.path()
            || uri.query().is_some()
            || only(&head.headers, &CONTENT_TYPE) != Some(JSON)
        {
            return Err("a request that is none of CloudWatch Logs".to_owned());
        }
        let target = only(&head.headers, &TARGET).unwrap_or_default();
        let action = target.strip_prefix(VERSION).unwrap_or_default();
        let known = ACTIONS.iter().find(|known| **known == action).copied();
        known.ok_or_else(|| format!("the action {:?}", shortened(target)))
    }
}

#[wasmtime_wasi::async_trait]
impl Transport for Egress {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, SendError> {
        let (head, body) = request.into_parts();
        let refuse = |what: String| {
            self.panel.refuse();
            self.said.warn("refused", &format!("{what} was refused: the tenant is not allowed it"));
            SendError::Denied
        };
        self.judge(&head).map_err(refuse)?;
        // It is never closed.
        let _permit = self.under_way.acquire().await;
        let body = match Limited::new(body, LONGEST).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(refuse("a body that is longer than any batch".to_owned()));
            }
            Err(error) => return Err(SendError::Broken(error.to_string())),
        };
        if let Some(confinement) = &self.confinement {
            let encoding = head.headers.get(CONTENT_ENCODING).map(|encoding| encoding.as_bytes());
            confinement.check(encoding, &body).map_err(refuse)?;
        }
        if !self.rates.admit(body.len()).await {
            self.panel.hold_back();
            self.said
                .info("slowed", "requests wait: the tenant's limit of requests or bytes a second is reached");
            return Err(SendError::HeldBack);
        }
        let body = Full::<Bytes>::new(body).map_err(|never| match never {}).boxed_unsync();
        self.transport.send(Request::from_parts(head, body)).await
    }
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A stranger's words, short enough to be told.
pub fn shortened(words: &str) -> String {
    words.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::metrics::{Board, Owner};
    use crate::tenants::rate::Rate;

    /// Keeps what arrives.
    #[derive(Default)]
    struct Beyond(Mutex<Vec<String>>);

    #[wasmtime_wasi::async_trait]
    impl Transport for Beyond {
        async fn send(&self, request: Request<Body>) -> Result<Response<Body>, SendError> {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let line = format!("{} {}", head.uri, String::from_utf8_lossy(&body));
            self.0.lock().unwrap().push(line);
            Ok(Response::new(Full::default().map_err(|never| match never {}).boxed_unsync()))
        }
    }

    fn panel() -> Arc<Panel> {
        Board::default().panel(Owner::Program)
    }

    fn egress(beyond: &Arc<Beyond>, endpoint: Option<&str>) -> Egress {
        let confinement = Some(Confinement::new("/tenants/acme/"));
        let beyond: Arc<dyn Transport> = beyond.clone();
        let options = Options { endpoint: endpoint.map(str::to_owned), ..options() };
        Egress::new(beyond, &options, confinement, Rates::default(), Arc::new(Said::new("acme")), panel())
            .unwrap()
    }

    fn options() -> Options {
        Options { region: "eu-central-1".to_owned(), ..Options::default() }
    }

    fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::<Bytes>::new(body.to_owned().into()).map_err(|never| match never {});
        request.body(body.boxed_unsync()).unwrap()
    }

    const OWN: &str = "https://logs.eu-central-1.amazonaws.com/";
    const PUT: (&str, &str) = ("x-amz-target", "Logs_20140328.PutLogEvents");
    const TYPE: (&str, &str) = ("content-type", JSON);
    const BODY: &str = r#"{"logGroupName":"/tenants/acme/web","logStreamName":"s","logEvents":[]}"#;

    #[tokio::test]
    async fn nothing_leaves_but_what_the_tenant_is_there_for() {
        let beyond = Arc::new(Beyond::default());
        let egress = egress(&beyond, None);
        egress.send(request("POST", OWN, &[PUT, TYPE], BODY)).await.unwrap();
        assert_eq!(beyond.0.lock().unwrap().as_slice(), [format!("{OWN} {BODY}")]);
        let other = |url: &str| request("POST", url, &[PUT, TYPE], BODY);
        let refused = [
            other("http://logs.eu-central-1.amazonaws.com/"),
            other("https://logs.eu-west-1.amazonaws.com/"),
            other("https://logs.eu-central-1.amazonaws.com:8443/"),
            other("https://logs.eu-central-1.amazonaws.com.evil.example/"),
            other("https://169.254.169.254/"),
            other("https://logs.eu-central-1.amazonaws.com/other"),
            other("https://logs.eu-central-1.amazonaws.com/?a=b"),
            request("GET", OWN, &[PUT, TYPE], BODY),
            request("POST", OWN, &[PUT], BODY),
            request("POST", OWN, &[TYPE], BODY),
            request("POST", OWN, &[PUT, PUT, TYPE], BODY),
            request("POST", OWN, &[("x-amz-target", "Logs_20140328.DeleteLogGroup"), TYPE], BODY),
            request("POST", OWN, &[("x-amz-target", "Logs_20140328.GetLogEvents"), TYPE], BODY),
            request("POST", OWN, &[("x-amz-target", "AmazonSSM.GetParameter"), TYPE], BODY),
            request("POST", OWN, &[PUT, TYPE], r#"{"logGroupName":"/tenants/other/web"}"#),
            request("POST", OWN, &[PUT, TYPE], &"x".repeat(LONGEST + 1)),
        ];
        for request in refused {
            let told = format!("{} {} {:?}", request.method(), request.uri(), request.headers());
            assert_eq!(egress.send(request).await.err(), Some(SendError::Denied), "{told}");
        }
        assert_eq!(beyond.0.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_endpoint_that_is_named_is_the_only_one() {
        let beyond = Arc::new(Beyond::default());
        let egress = egress(&beyond, Some("http://127.0.0.1:4586"));
        egress.send(request("POST", "http://127.0.0.1:4586/", &[PUT, TYPE], BODY)).await.unwrap();
        for url in [OWN, "http://127.0.0.1:4587/", "http://127.0.0.1/", "http://localhost:4586/"] {
            let answer = egress.send(request("POST", url, &[PUT, TYPE], BODY)).await;
            assert_eq!(answer.err(), Some(SendError::Denied), "{url}");
        }
    }

    #[tokio::test]
    async fn what_its_containers_may_choose_may_leave() {
        let beyond = Arc::new(Beyond::default());
        let transport: Arc<dyn Transport> = beyond.clone();
        let options = Options {
            allow_regions: vec!["us-east-1".to_owned()],
            allow_endpoints: vec!["https://vpce.example".to_owned()],
            ..options()
        };
        let said = Arc::new(Said::new("acme"));
        let egress = Egress::new(transport, &options, None, Rates::default(), said, panel()).unwrap();
        for url in [OWN, "https://logs.us-east-1.amazonaws.com/", "https://vpce.example/"] {
            egress.send(request("POST", url, &[PUT, TYPE], BODY)).await.unwrap();
        }
        let other = request("POST", "https://logs.us-east-2.amazonaws.com/", &[PUT, TYPE], BODY);
        assert_eq!(egress.send(other).await.err(), Some(SendError::Denied));
    }

    #[tokio::test]
    async fn what_is_too_fast_waits() {
        let beyond: Arc<dyn Transport> = Arc::new(Beyond::default());
        let rates = Rates { requests: Some(Rate::new(20.0)), bytes: None };
        let said = Arc::new(Said::new("acme"));
        let egress = Egress::new(beyond, &options(), None, rates, said, panel()).unwrap();
        let began = std::time::Instant::now();
        for _ in 0..26 {
            egress.send(request("POST", OWN, &[PUT, TYPE], BODY)).await.unwrap();
        }
        assert!(began.elapsed().as_millis() >= 200, "{:?}", began.elapsed());
    }
}
