//! TLS with an authority of one's own, and proxies.

use cloudspout_tests::authority::{Authority, HOST};
use cloudspout_tests::peers::Proxy;
use cloudspout_tests::program::{Program, REGION};
use cloudspout_tests::strict::{Journal, Strict};
fn pipe() -> Program {
    let mut file = tempfile::tempfile().expect("a temporary file");
    std::io::Write::write_all(&mut file, b"a line\n").expect("the file takes it");
    std::io::Seek::rewind(&mut file).expect("a file can be rewound");
    Program::new("pipe").args(&["--group", "g", "--stream", "s", "--region", REGION]).input(file)
}

fn assert_arrived(journal: &Journal) {
    journal.assert_well_formed();
    let events = journal.stream("g", "s");
    assert_eq!(events.iter().map(|event| event.message.as_str()).collect::<Vec<_>>(), ["a line"]);
}

#[test]
fn an_authority_of_ones_own_is_trusted_by_ssl_cert_file() {
    let authority = Authority::make();
    let strict = Strict::with_tls(&authority.certificate());
    let program = pipe().args(&["--endpoint-url", &strict.url()]);
    program.env("SSL_CERT_FILE", &authority.root()).finish().assert_code(0);
    assert_arrived(&strict.stop());
}

#[test]
fn an_unknown_authority_is_refused_with_7() {
    let authority = Authority::make();
    let strict = Strict::with_tls(&authority.certificate());
    pipe().args(&["--endpoint-url", &strict.url()]).finish().assert_complaint(7, &["certificate"]);
    assert!(strict.stop().0.is_empty());
}

#[test]
fn the_regions_own_endpoint_is_reached_through_https_proxy() {
    let authority = Authority::make();
    let strict = Strict::with_tls(&authority.certificate());
    let proxy = Proxy::start(&strict.address());
    let program = pipe().env("SSL_CERT_FILE", &authority.root()).env("HTTPS_PROXY", &proxy.url());
    program.finish().assert_code(0);
    assert_arrived(&strict.stop());
    let connect = format!("CONNECT {HOST}:443");
    assert!(!proxy.requests().is_empty());
    assert!(proxy.requests().iter().all(|request| *request == connect), "{:?}", proxy.requests());
}

#[test]
fn an_endpoint_without_tls_is_reached_through_http_proxy() {
    let strict = Strict::start();
    let proxy = Proxy::start(&strict.address());
    let program = pipe().args(&["--endpoint-url", "http://logs.example"]);
    // curl and what follows it read the lower-case name alone: upper case can be set by a web server's clients.
    program.env("HTTP_PROXY", &proxy.url()).env("http_proxy", &proxy.url()).finish().assert_code(0);
    assert_arrived(&strict.stop());
    assert!(!proxy.requests().is_empty());
}

#[test]
fn no_proxy_goes_around_the_proxy() {
    let strict = Strict::start();
    let proxy = Proxy::start(&strict.address());
    let program = pipe().args(&["--endpoint-url", &strict.url()]).env("HTTP_PROXY", &proxy.url());
    program.env("http_proxy", &proxy.url()).env("NO_PROXY", "127.0.0.1").finish().assert_code(0);
    assert_arrived(&strict.stop());
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
}

#[test]
fn a_proxy_that_is_not_there_ends_with_7() {
    let program = pipe().env("HTTPS_PROXY", "http://127.0.0.1:9");
    program.finish().assert_complaint(7, &[]);
}
