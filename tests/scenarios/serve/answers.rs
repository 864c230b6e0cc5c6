//! What senders are told.

use cloudspout_tests::authority::Authority;
use cloudspout_tests::program::Program;
use cloudspout_tests::senders::{request, request_trusting};
use cloudspout_tests::strict::Strict;

use crate::{GROUP, program, serve};

/// Method, path, headers and body of a request; status and words of the answer.
type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a [u8], u64, &'a str);

fn error(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    body["error"].as_str().expect("an error").to_owned()
}

#[test]
fn what_cannot_be_taken_is_told_with_the_reason_and_leaves_nothing() {
    let strict = Strict::start();
    let serving = serve(&strict.url(), &["--max-body", "10KiB"]);
    let long = vec![b'a'; 11 << 10];
    let bomb = {
        // 11 KiB of zeros.
        let mut python = cloudspout_tests::process::python("python");
        python.args(["-c", "import gzip,sys; sys.stdout.buffer.write(gzip.compress(bytes(11 << 10)))"]);
        cloudspout_tests::process::must("python", &mut python, cloudspout_tests::program::PATIENCE)
    };
    let good = b"{\"n\":1}";
    let wrong = b"{\"n\":1}\n{\"n\":2}\nplain\n";
    let cases: [Case; 10] = [
        ("POST", "/events", &[], wrong, 400, "line 3, column 1"),
        ("POST", "/events", &["Content-Encoding:gzip"], good, 400, "not in the gzip format"),
        ("POST", "/events", &[], &long, 413, "--max-body"),
        ("POST", "/events", &["Content-Encoding:gzip"], &bomb, 413, "--max-body"),
        ("POST", "/events", &["Content-Encoding:br"], good, 415, "Content-Encoding"),
        ("POST", "/events", &["Content-Type:application/msgpack"], good, 415, "application/x-ndjson"),
        ("POST", "/v1/logs", &["Content-Type:text/plain"], good, 415, "application/x-protobuf"),
        ("POST", "/elsewhere", &[], good, 404, "/events"),
        ("GET", "/events", &[], b"", 405, "POST"),
        ("POST", "/events", &[], b"[1]", 400, "expected an object"),
    ];
    for (method, path, headers, body, status, words) in cases {
        let answer = request(method, &serving.url(path), headers, body);
        assert_eq!(answer.status, status, "{method} {path} {headers:?}: {answer:?}");
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        let text = body["error"].as_str().or(body["message"].as_str()).expect("words");
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(request("HEAD", &serving.url("/events"), &[], b"").status, 200);
    assert_eq!(request("GET", &serving.url("/healthz"), &[], b"").status, 200);
    assert_eq!(serving.counts()["answers"]["unreadable"], 3);
    serving.terminate().assert_code(0);
    assert!(strict.stop().streams(GROUP).is_empty());
}

#[test]
fn only_those_with_a_token_may_send_and_it_names_them() {
    let strict = Strict::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "# who may send\nshop 0123456789abcdef-shop\nbilling 0123456789abcdef-bill\n")
        .expect("a file");
    let serving = serve(&strict.url(), &["--token-file", tokens.to_str().expect("UTF-8")]);
    for headers in [&[][..], &["Authorization:Bearer 0123456789abcdef-sho"], &["Authorization:Basic eDp5"]] {
        let answer = serving.post("/events", headers, b"{\"n\":0}");
        assert_eq!(answer.status, 401, "{headers:?}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{answer:?}");
        assert!(error(&answer.body).contains("Bearer"));
    }
    for (header, body) in [
        ("Authorization:Bearer 0123456789abcdef-shop", "{\"n\":1}"),
        // billing:0123456789abcdef-bill
        ("Authorization:Basic YmlsbGluZzowMTIzNDU2Nzg5YWJjZGVmLWJpbGw=", "{\"n\":2}"),
    ] {
        assert_eq!(serving.post("/events", &[header], body.as_bytes()).status, 200, "{header}");
    }
    let outcome = serving.terminate().assert_code(0);
    assert!(!outcome.stderr.contains("0123456789abcdef"), "a token is told:\n{}", outcome.stderr);
    let streams = strict.stop().streams(GROUP);
    assert_eq!(streams.keys().collect::<Vec<_>>(), ["billing", "shop"]);
    assert_eq!(streams["shop"][0].message, "{\"n\":1}");
}

#[test]
fn https_is_offered_with_a_certificate() {
    let (strict, authority) = (Strict::start(), Authority::make());
    let certificate = authority.certificate();
    let certificate = certificate.to_str().expect("UTF-8");
    let serving = serve(&strict.url(), &["--tls-cert", certificate, "--tls-key", certificate]);
    let url = serving.url("/events");
    assert!(url.starts_with("https://"), "{url}");
    let answer = request_trusting(&authority.root(), "POST", &url, b"{\"n\":1}");
    assert_eq!(answer.status, 200, "{answer:?}");
    serving.terminate().assert_code(0);
}

#[test]
fn events_that_are_refused_for_good_are_counted_in_the_answer() {
    let strict = Strict::start();
    let serving = serve(&strict.url(), &[]);
    let old = b"{\"n\":1,\"timestamp\":1}";
    let both = [&old[..], b"{\"n\":2}"].concat();
    let answer = serving.post("/events", &[], &both);
    assert_eq!(answer.status, 200, "{answer:?}");
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!((&body["accepted"], &body["refused"]), (&1.into(), &1.into()), "{body}");
    let answer = serving.post("/events", &[], old);
    assert_eq!(answer.status, 422, "{answer:?}");
    serving.terminate().assert_code(0);
    assert_eq!(strict.stop().streams(GROUP).values().map(Vec::len).sum::<usize>(), 1);
}

#[test]
fn what_cannot_be_used_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "shop not-long\n").expect("a file");
    let tokens = tokens.to_str().expect("UTF-8");
    let url = "http://127.0.0.1:9";
    let start = |options: &[&str]| program(url).args(options).finish();
    start(&["--listen", "0.0.0.0:0"]).assert_complaint(3, &["0.0.0.0", "--allow-remote"]);
    start(&["--token-file", tokens]).assert_complaint(3, &["line 1", "shorter than 16"]);
    start(&["--token-file", "/nowhere"]).assert_complaint(3, &["/nowhere", "No such file"]);
    start(&["--tls-cert", tokens, "--tls-key", tokens]).assert_complaint(3, &["TLS", "no certificate"]);
    start(&["--when-full", "drop-oldest"]).assert_complaint(3, &["--when-full", "503"]);
    start(&["--max-body", "1GiB"]).assert_complaint(3, &["--max-waiting"]);
    let whole = start(&["--stream", "{{json .Event}}", "--listen", "127.0.0.1:0"]).assert_code(3);
    assert!(whole.stderr.contains("takes .Event as a whole"), "{}", whole.stderr);
    Program::bare("serve").args(&["--tls-cert", "x"]).finish().assert_code(2);
}
