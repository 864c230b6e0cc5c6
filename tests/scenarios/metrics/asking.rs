//! Those who ask: where they may, and what they cannot do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use cloudspout_tests::docker::{ARRIVAL, Docker};
use cloudspout_tests::load;
use cloudspout_tests::metrics::{SHOW, Shown};
use cloudspout_tests::program::Program;
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

#[test]
fn an_address_that_cannot_be_listened_on_is_refused_at_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let pipe = ["--group", "g", "--stream", "s"];
    let program = |address: &str| {
        Program::new("pipe").args(&pipe).args(&["--metrics", address]).to("http://127.0.0.1:9")
    };
    program(&port).finish().assert_complaint(3, &["--metrics", &format!("127.0.0.1:{port}"), "in use"]);
    program("192.0.2.1:80").finish().assert_complaint(3, &["--metrics", "192.0.2.1:80"]);
    let outcome = program("nonsense").finish().assert_code(2);
    assert!(outcome.stderr.contains("127.0.0.1:9464"), "{}", outcome.stderr);
}

#[test]
fn slow_clients_hold_up_neither_delivery_nor_others_who_ask() {
    let docker = Docker::any();
    let strict = Strict::start();
    let shipping = docker.shipping("auto", &strict.url()).args(&SHOW).start();
    let shown = Shown::following(&shipping);
    let connect = |words: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", shown.port)).expect("it listens");
        stream.write_all(words.as_bytes()).expect("it reads");
        stream
    };
    // More than there is room for: half a head, or a whole one without reading the answer.
    let mut half: Vec<_> = (0..50).map(|_| connect("GET /metrics HTTP/1.1\r\nhost: sl")).collect();
    let whole = "GET /metrics HTTP/1.1\r\nhost: slow\r\n\r\n";
    let unread: Vec<_> = (0..10).map(|_| connect(&whole.repeat(500))).collect();
    docker.write("web", &[], &lines("line", 200), b"");
    strict.wait_for_events(200, ARRIVAL);
    let began = Instant::now();
    assert_eq!(shown.page("/livez").0, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());

    // With all places taken, somebody comes in once the slow ones have been given up.
    half.extend((0..50).map(|_| connect("GET /me")));
    assert_eq!(shown.page("/healthz").0, 200);
    let mut given_up = half.swap_remove(0);
    given_up.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut rest = Vec::new();
    given_up.read_to_end(&mut rest).expect("it is closed by the other side");
    drop((half, unread));

    // A head that is too long is refused rather than kept.
    let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let answer = load::exchange(shown.port, &long);
    assert!(answer.is_none_or(|(status, _)| status == 431), "a megabyte of head is taken");
    shipping.terminate().assert_code(0);
}

#[test]
fn pages_that_are_not_there_say_which_are() {
    let strict = Strict::start();
    let (input, output) = std::io::pipe().expect("a pipe");
    let program = Program::new("pipe").args(&["--group", "g", "--stream", "s"]).args(&SHOW);
    let shipping = program.to(&strict.url()).input(std::process::Stdio::from(input)).start();
    let shown = Shown::of(&shipping);
    let (status, body) = shown.page("/");
    assert!(status == 404 && body.contains("/metrics"), "{status}: {body}");
    assert_eq!(load::post(shown.port, "/metrics").expect("an answer").0, 405);
    drop(output);
    shipping.wait(ARRIVAL).assert_code(0);
}
