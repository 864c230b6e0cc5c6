//! Routes, filters and environment as the documentation of logspout and logspout-cloudwatch has them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::sleep;
use std::time::Duration;

use cloudspout_tests::docker::{ARRIVAL, Docker, SOURCES};
use cloudspout_tests::program::{Outcome, Program, REGION};
use cloudspout_tests::strict::Strict;

use crate::{Arrived, host, id};

/// Ships what containers have logged by these routes, with these variables; the endpoint is loopback's.
fn once(docker: &Docker, route: &str, variables: &[(&str, &str)]) -> (Arrived, Outcome) {
    let strict = Strict::start();
    let outcome = routed(docker, &strict, route, variables).arg("--once").finish();
    (Arrived::of(&strict.stop()), outcome)
}

fn routed(docker: &Docker, strict: &Strict, route: &str, variables: &[(&str, &str)]) -> Program {
    let program = docker.program().arg(route).env("AWS_ENDPOINT_URL_LOGS", &strict.url());
    variables.iter().fold(program, |program, (name, value)| program.env(name, value))
}

fn of_region(options: &str) -> String {
    format!("cloudwatch://{REGION}{options}")
}

#[test]
fn the_documented_route_names_as_documented() {
    let docker = Docker::any();
    docker.write("echo3", &[], b"plain\n", b"");
    docker.write("tty", &["-t"], b"terminal\n", b"");
    let env = [
        "-e",
        "LOGSPOUT_GROUP={{.Env.APP_NAME}}-{{.Env.STAGE_NAME}}",
        "-e",
        "APP_NAME=shop",
        "-e",
        "STAGE_NAME=dev",
    ];
    docker.write("by-env", &env, b"by-env\n", b"");
    let labels = [
        "-e",
        "LOGSPOUT_STREAM={{.Lbl \"com.mycompany.logstream\"}}",
        "--label",
        "com.mycompany.logstream=mine",
    ];
    docker.write("by-label", &labels, b"by-label\n", b"");
    docker.write("ignored", &["-e", "LOGSPOUT=ignore"], b"ignored\n", b"");
    let host = host();
    let (arrived, outcome) = once(&docker, &of_region("?DELAY=8&NOEC2&DEBUG=1"), &[]);
    let outcome = outcome.assert_code(0);
    arrived.assert(&[
        ("plain", &format!("{host}|echo3")),
        ("by-env", "shop-dev|by-env"),
        ("by-label", &format!("{host}|mine")),
    ]);
    assert!(outcome.stderr.contains("goes to log group shop-dev"), "DEBUG says more:\n{}", outcome.stderr);
    // Container over route over host.
    let variables =
        [("LOGSPOUT_GROUP", "of-host"), ("LOGSPOUT_STREAM", "of-host-{{.Name}}"), ("ALLOW_TTY", "true")];
    let (arrived, _) = once(&docker, &of_region("?NOEC2&LOGSPOUT_GROUP=of-route"), &variables);
    arrived.assert(&[
        ("plain", "of-route|of-host-echo3"),
        ("terminal", "of-route|of-host-tty"),
        ("by-env", "shop-dev|of-host-by-env"),
        ("by-label", "of-route|mine"),
    ]);
}

#[test]
fn filters_choose_containers_and_outputs() {
    let docker = Docker::any();
    docker.write("shop_db", &["--label", "a=xyz", "--label", "b=any"], b"db\n", b"db err\n");
    docker.write("shop_app", &["--label", "a=xyz", "--label", "b=other"], b"app\n", b"app err\n");
    docker.write("rails", &["--label", "backend=Rails"], b"rails\n", b"");
    let (host, db) = (host(), id(&docker, "shop_db")[..12].to_owned());
    let place = |name: &str| format!("{host}|{name}");
    let (app, shop_db, rails) = (place("shop_app"), place("shop_db"), place("rails"));
    let all_of_db = [("db", shop_db.as_str()), ("db err", shop_db.as_str())];
    for (options, variables, expected) in [
        ("filter.name=*_db", &[][..], &all_of_db[..]),
        (&format!("filter.id={db}"), &[], &all_of_db),
        ("filter.labels=a:x*%2Cb:*y", &[], &all_of_db),
        ("filter.name=*_db&filter.sources=stderr", &[], &[("db err", shop_db.as_str())]),
        (
            "filter.sources=stdout%2Cstderr",
            &[("EXCLUDE_LABELS", "a:xyz;nope:1")],
            &[("rails", rails.as_str())],
        ),
        (
            "filter.sources=stdout",
            &[("EXCLUDE_LABEL", "backend:rails")],
            &[("db", shop_db.as_str()), ("app", app.as_str())],
        ),
    ] {
        let (arrived, outcome) = once(&docker, &of_region(&format!("?NOEC2&{options}")), variables);
        outcome.assert_code(0);
        arrived.assert(expected);
    }
}

#[test]
fn several_routes_ship_beside_each_other_and_keep_positions_of_their_own() {
    for source in SOURCES {
        let docker = Docker::any();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let state = state.path().to_str().expect("UTF-8");
        let one = of_region("?NOEC2&DELAY=1&filter.sources=stdout&LOGSPOUT_GROUP=out");
        let two = of_region("?NOEC2&DELAY=1&filter.name=*_db&LOGSPOUT_GROUP=db");
        let program = || {
            let program = routed(&docker, &strict, &format!("{one},{two}"), &[]);
            program.args(&["--state-dir", state, "--source", source])
        };
        let mut db = docker.feed("shop_db", &[]);
        let mut app = docker.feed("shop_app", &[]);
        let shipping = program().start();
        db.out(b"db 1\n");
        db.err(b"db err\n");
        app.out(b"app 1\n");
        app.err(b"nobody wants this\n");
        strict.wait_for_events(4, ARRIVAL);
        shipping.terminate().assert_code(0);
        db.out(b"db 2\n");
        app.out(b"app 2\n");
        let shipping = program().start();
        strict.wait_for_events(7, ARRIVAL);
        shipping.terminate().assert_code(0);
        let journal = strict.stop();
        let messages = |group: &str, stream: &str| -> Vec<String> {
            let events = journal.stream(group, stream);
            events.into_iter().map(|event| event.message).collect()
        };
        assert_eq!(messages("out", "shop_db"), ["db 1", "db 2"], "{source}");
        assert_eq!(messages("out", "shop_app"), ["app 1", "app 2"], "{source}");
        let mut both = messages("db", "shop_db");
        both.sort();
        assert_eq!(both, ["db 1", "db 2", "db err"], "{source}");
        db.end(&docker);
        app.end(&docker);
    }
}

#[test]
fn what_was_logged_before_can_be_left_out_or_cut() {
    for source in SOURCES {
        for (variables, before) in [
            (&[("BACKLOG", "false")][..], &[][..]),
            (&[("TAIL", "2")], &["old 3", "old 4"]),
            (&[("TAIL", "99")], &["old 1", "old 2", "old 3", "old 4"]),
            (&[("TAIL", "all"), ("BACKLOG", "true")], &["old 1", "old 2", "old 3", "old 4"]),
        ] {
            let docker = Docker::any();
            let strict = Strict::start();
            let mut feed = docker.feed("web", &[]);
            feed.out(b"old 1\nold 2\nold 3\nold 4\n");
            // Docker has written it down.
            std::thread::sleep(std::time::Duration::from_secs(2));
            let route = of_region("?NOEC2&DELAY=1&LOGSPOUT_GROUP=g");
            let shipping = routed(&docker, &strict, &route, variables).args(&["--source", source]).start();
            std::thread::sleep(std::time::Duration::from_secs(2));
            feed.out(b"new\n");
            strict.wait_for_events(before.len() + 1, ARRIVAL);
            shipping.terminate().assert_code(0);
            let events = strict.stop().stream("g", "web");
            let messages: Vec<_> = events.iter().map(|event| event.message.as_str()).collect();
            assert_eq!(messages, [before, &["new"]].concat(), "{source} {variables:?}");
            feed.end(&docker);
        }
    }
}

#[test]
fn region_and_instance_are_those_of_the_ec2_machine_unless_that_is_turned_off() {
    let docker = Docker::any();
    docker.write("web", &[], b"hello\n", b"");
    let metadata = metadata_service();
    let of_ec2 = |noec2: &[(&str, &str)]| {
        let mut variables = vec![
            ("AWS_EC2_METADATA_DISABLED", "false"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.as_str()),
            ("LOGSPOUT_GROUP", "{{.Region}}"),
            ("LOGSPOUT_STREAM", "{{.InstanceID}}-{{.Name}}"),
        ];
        variables.extend(noec2);
        once(&docker, "cloudwatch://auto", &variables)
    };
    let (arrived, outcome) = of_ec2(&[]);
    outcome.assert_code(0);
    arrived.assert(&[("hello", &format!("{REGION}|i-0123456789abcdef0-web"))]);
    let (arrived, _) = of_ec2(&[("NOEC2", "1"), ("AWS_REGION", REGION)]);
    arrived.assert(&[("hello", &format!("{REGION}|-web"))]);
}

/// The URL of a metadata service that speaks IMDSv2: no answer without its token.
fn metadata_service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut asking in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut chunk = [0; 4096];
                loop {
                    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                        match asking.read(&mut chunk) {
                            Ok(0) | Err(_) => return,
                            Ok(count) => request.extend_from_slice(&chunk[..count]),
                        }
                    }
                    let text = String::from_utf8_lossy(&request).into_owned();
                    request.clear();
                    let with_token = text.to_lowercase().contains("x-aws-ec2-metadata-token: the-token");
                    let (status, body) = match text.lines().next().unwrap_or_default() {
                        line if line.starts_with("PUT /latest/api/token") => ("200 OK", "the-token"),
                        line if with_token && line.contains("/instance-id") => {
                            ("200 OK", "i-0123456789abcdef0")
                        }
                        line if with_token && line.contains("/placement/region") => ("200 OK", REGION),
                        _ => ("401 Unauthorized", ""),
                    };
                    let answer = format!(
                        "HTTP/1.1 {status}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    if asking.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn what_is_no_route_ends_with_2_and_says_which() {
    for (route, words) in [
        ("syslog+tls://logs.papertrailapp.com:55555", "syslog+tls"),
        ("us-east-1", "us-east-1"),
        ("cloudwatch://us-east-1?filter.name=[", "filter.name=["),
        ("cloudwatch://us-east-1?filter.sources=stdin", "stdin"),
        ("cloudwatch://us-east-1,raw://10.0.0.1:5000", "raw"),
    ] {
        Program::new("run").arg(route).finish().assert_complaint(2, &[words]);
    }
    let program = Program::new("run").arg("cloudwatch://us-east-1").env("TAIL", "some");
    program.finish().assert_complaint(2, &["TAIL"]);
}

#[test]
fn the_socket_is_found_where_logspout_has_it() {
    let docker = Docker::any();
    docker.write("app", &[], b"line\n", b"");
    let strict = Strict::start();
    // Of what is outside, only the socket is seen, and only in that place.
    let socket = docker.host().replace("unix://", "");
    let place = "mount -t tmpfs none /media && touch /media/socket && mount --bind \"$0\" /media/socket && \
                 mount -t tmpfs none /tmp && touch /tmp/docker.sock && mount --bind /media/socket /tmp/docker.sock && \
                 mount -t tmpfs none /run && exec \"$@\"";
    let inside = ["unshare", "--mount", "sh", "-c", place, &socket];
    let program = Program::new("run").args(&["--once", "--source", "api", &of_region("?NOEC2")]);
    let program = program.env("AWS_ENDPOINT_URL_LOGS", &strict.url());
    program.through(&inside).finish().assert_code(0);
    Arrived::of(&strict.stop()).assert(&[("line", &format!("{}|app", host()))]);
    // Whoever has no route is not looked for there.
    let program = Program::new("run").args(&["--once", "--source", "api"]).to("http://127.0.0.1:9");
    program.through(&inside).finish().assert_code(4);
}

#[test]
fn routes_come_from_the_environment_where_none_is_given() {
    let docker = Docker::any();
    docker.write("shop_db", &[], b"db\n", b"");
    docker.write("shop_app", &[], b"app\n", b"");
    let strict = Strict::start();
    let routes =
        format!("{},{}", of_region("?filter.name=*_db&LOGSPOUT_GROUP=dbs"), of_region("?filter.name=*_app"));
    let program = docker.program().arg("--once").env("ROUTE_URIS", &routes).env("NOEC2", "1");
    program.env("AWS_ENDPOINT_URL_LOGS", &strict.url()).finish().assert_code(0);
    Arrived::of(&strict.stop()).assert(&[("db", "dbs|shop_db"), ("app", &format!("{}|shop_app", host()))]);
}

#[test]
fn delay_is_the_time_between_batches() {
    let docker = Docker::any();
    let mut app = docker.feed("app", &[]);
    let strict = Strict::start();
    let shipping = routed(&docker, &strict, &of_region("?NOEC2&DELAY=3"), &[]).start();
    for _ in 0..40 {
        app.out(b"tick\n");
        sleep(Duration::from_millis(200));
    }
    app.end(&docker);
    strict.wait_for_events(40, ARRIVAL);
    shipping.terminate().assert_code(0);
    let journal = strict.stop();
    let batches: Vec<_> =
        journal.0.iter().map(|request| request.stored.len()).filter(|stored| *stored > 0).collect();
    // Eight seconds and more are three batches, of three seconds each, and what a busy machine makes of them.
    assert!((2..=4).contains(&batches.len()), "{batches:?}");
}
