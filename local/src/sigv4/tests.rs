//! Signatures against the published vectors of AWS, and every way a request can be signed wrongly.

use http::Request;

use super::*;

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW: &str = "20150830T123600Z";

/// One vector of the suite: request line, headers in the order signed, body, and the signature it must get.
struct Vector {
    name: &'static str,
    request: (&'static str, &'static str),
    headers: &'static [(&'static str, &'static str)],
    signed: &'static str,
    body: &'static str,
    signature: &'static str,
}

const HOST: (&str, &str) = ("host", "example.amazonaws.com");
const DATE: (&str, &str) = ("x-amz-date", NOW);

const VECTORS: &[Vector] = &[
    Vector {
        name: "get-vanilla",
        request: ("GET", "/"),
        headers: &[HOST, DATE],
        signed: "host;x-amz-date",
        body: "",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    Vector {
        name: "get-vanilla-query-order-key-case",
        request: ("GET", "/?Param2=value2&Param1=value1"),
        headers: &[HOST, DATE],
        signed: "host;x-amz-date",
        body: "",
        signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    },
    Vector {
        name: "get-header-value-trim",
        request: ("GET", "/"),
        headers: &[HOST, ("my-header1", " value1"), ("my-header2", " \"a   b   c\""), DATE],
        signed: "host;my-header1;my-header2;x-amz-date",
        body: "",
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    },
    Vector {
        name: "get-unreserved",
        request: ("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        headers: &[HOST, DATE],
        signed: "host;x-amz-date",
        body: "",
        signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    },
    Vector {
        name: "post-vanilla",
        request: ("POST", "/"),
        headers: &[HOST, DATE],
        signed: "host;x-amz-date",
        body: "",
        signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    },
    Vector {
        name: "post-x-www-form-urlencoded",
        request: ("POST", "/"),
        headers: &[
            ("content-length", "13"),
            ("content-type", "application/x-www-form-urlencoded"),
            HOST,
            ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
            DATE,
        ],
        signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        body: "Param1=value1",
        signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    },
];

#[test]
fn published_vectors_are_accepted_and_nothing_near_them() {
    for vector in VECTORS {
        assert_eq!(verdict(vector, vector.signature), Ok(()), "{}", vector.name);
        let mut other = vector.signature.to_owned();
        other.replace_range(0..1, if other.starts_with('0') { "1" } else { "0" });
        assert_eq!(verdict(vector, &other), Err(mismatch()), "{}", vector.name);
    }
}

fn verdict(vector: &Vector, signature: &str) -> Result<(), Refusal> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={ID}/20150830/us-east-1/service/aws4_request, SignedHeaders={}, Signature={signature}",
        vector.signed
    );
    let (method, uri) = vector.request;
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in vector.headers {
        request = request.header(*name, *value);
    }
    let request = request.header("authorization", authorization).body(()).unwrap();
    let verifier = Verifier {
        keys: Keys::Known(vec![KeyPair::new(ID, SECRET)]),
        service: "service",
        region: Some("us-east-1".to_owned()),
    };
    verifier.verify(&request.into_parts().0, vector.body.as_bytes(), at(NOW)).map(|_| ())
}

#[test]
fn a_signature_is_good_for_five_minutes_either_way() {
    for (now, expected) in [
        ("20150830T123100Z", None),
        ("20150830T124100Z", None),
        (
            "20150830T124102Z",
            Some(
                "Signature expired: 20150830T123600Z is now earlier than 20150830T123602Z (20150830T124102Z - 5 min.)",
            ),
        ),
        (
            "20150830T123059Z",
            Some(
                "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)",
            ),
        ),
    ] {
        let refused = check_window(at(NOW), at(now)).err();
        assert_eq!(refused.and_then(|refusal| refusal.message).as_deref(), expected, "{now}");
    }
}

#[test]
fn each_way_to_sign_wrongly_has_its_own_error() {
    type Change = fn(&mut Signed);
    let cases: &[(&str, Change, &str, &str)] = &[
        ("nothing changed", |_| {}, "", ""),
        (
            "no header",
            |signed| signed.authorization = None,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        (
            "other key",
            |signed| signed.id = "AKIDOTHER",
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        ("other secret", |signed| signed.secret = "no", "InvalidSignatureException", "does not match"),
        (
            "other service",
            |signed| signed.service = "monitoring",
            "InvalidSignatureException",
            "scoped to correct service: 'logs'",
        ),
        (
            "other region",
            |signed| signed.region = "eu-west-1",
            "InvalidSignatureException",
            "scoped to a valid region",
        ),
        (
            "other day",
            |signed| signed.day = "20150829",
            "InvalidSignatureException",
            "'20150829' != '20150830'",
        ),
        (
            "host unsigned",
            |signed| signed.signed = "x-amz-date",
            "InvalidSignatureException",
            "'Host' or ':authority' must be",
        ),
        (
            "date unsigned",
            |signed| signed.signed = "host",
            "InvalidSignatureException",
            "'x-amz-date' must be a 'SignedHeader'",
        ),
        ("body changed", |signed| signed.body_sent = "{ }", "InvalidSignatureException", "does not match"),
        ("token nobody gave", |signed| signed.token = Some("t"), "UnrecognizedClientException", "invalid"),
        (
            "token expected",
            |signed| signed.pair = KeyPair::new(ID, SECRET).with_token("t"),
            "UnrecognizedClientException",
            "invalid",
        ),
        (
            "right token",
            |signed| {
                signed.pair = KeyPair::new(ID, SECRET).with_token("t");
                signed.token = Some("t");
            },
            "",
            "",
        ),
        (
            "wrong token",
            |signed| {
                signed.pair = KeyPair::new(ID, SECRET).with_token("t");
                signed.token = Some("u");
            },
            "UnrecognizedClientException",
            "invalid",
        ),
        (
            "old token",
            |signed| {
                signed.pair = KeyPair::new(ID, SECRET).with_token("t").expiring(at(NOW));
                signed.token = Some("t");
            },
            "ExpiredTokenException",
            "expired",
        ),
    ];
    for (name, change, code, words) in cases {
        let mut signed = Signed::new();
        change(&mut signed);
        match signed.verdict() {
            Ok(_) => assert_eq!(*code, "", "{name}"),
            Err(refusal) => {
                assert_eq!(refusal.code, *code, "{name}: {refusal:?}");
                assert!(refusal.message.unwrap().contains(words), "{name}");
            }
        }
    }
}

#[test]
fn a_digest_of_something_else_is_no_digest() {
    for (claimed, fits) in [
        ("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", true),
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false),
        ("UNSIGNED-PAYLOAD", false),
    ] {
        let mut signed = Signed::new();
        signed.digest = Some(claimed);
        assert_eq!(signed.verdict().is_ok(), fits, "{claimed}");
    }
}

#[test]
fn what_is_logged_of_a_request_holds_no_session_token() {
    let text = readable(b"POST\n/\n\nhost:x\nx-amz-security-token:psst\n\nhost\ndigest");
    assert_eq!(text, "POST\n/\n\nhost:x\nx-amz-security-token:(hidden)\n\nhost\ndigest");
}

#[test]
fn any_id_checks_the_shape_only() {
    let mut signed = Signed::new();
    signed.keys = Some(Keys::AnyId);
    signed.secret = "whatever";
    assert_eq!(signed.verdict(), Ok(Some("us-east-1".to_owned())));
    signed.id = "not an id";
    assert_eq!(signed.verdict().unwrap_err().code, "UnrecognizedClientException");
}

/// A request signed with the functions under test, so that one part can be wrong at a time.
struct Signed {
    id: &'static str,
    secret: &'static str,
    day: &'static str,
    region: &'static str,
    service: &'static str,
    signed: &'static str,
    token: Option<&'static str>,
    digest: Option<&'static str>,
    body_sent: &'static str,
    authorization: Option<()>,
    pair: KeyPair,
    keys: Option<Keys>,
}

impl Signed {
    fn new() -> Signed {
        Signed {
            id: ID,
            secret: SECRET,
            day: "20150830",
            region: "us-east-1",
            service: "logs",
            signed: "host;x-amz-date",
            token: None,
            digest: None,
            body_sent: "{}",
            authorization: Some(()),
            pair: KeyPair::new(ID, SECRET),
            keys: None,
        }
    }

    fn verdict(&self) -> Result<Option<String>, Refusal> {
        let mut request = Request::builder()
            .method("POST")
            .uri("/")
            .header("host", "logs.us-east-1.amazonaws.com")
            .header("x-amz-date", NOW);
        let mut signed: Vec<&str> = self.signed.split(';').collect();
        if let Some(token) = self.token {
            request = request.header("x-amz-security-token", token);
            signed.push("x-amz-security-token");
        }
        if let Some(claimed) = self.digest {
            request = request.header("x-amz-content-sha256", claimed);
            signed.push("x-amz-content-sha256");
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let scope = format!("{}/{}/{}/aws4_request", self.day, self.region, self.service);
        let digest = hex(sha256(b"{}").as_ref());
        let canonical = canonical_request("POST", "/", "", &parts.headers, &signed, &digest);
        let text = string_to_sign(at(NOW), &scope, &canonical);
        let key = signing_key(self.secret, self.day, self.region, self.service);
        let signature = hex(hmac::sign(&key, text.as_bytes()).as_ref());
        if self.authorization.is_some() {
            let header = format!(
                "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
                self.id,
                signed.join(";")
            );
            parts.headers.insert("authorization", header.parse().unwrap());
        }
        let verifier = Verifier {
            keys: self.keys.clone().unwrap_or(Keys::Known(vec![self.pair.clone()])),
            service: "logs",
            region: Some("us-east-1".to_owned()),
        };
        verifier.verify(&parts, self.body_sent.as_bytes(), at(NOW))
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_compact(text).unwrap()
}
