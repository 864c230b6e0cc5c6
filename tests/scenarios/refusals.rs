//! Bad input: one clear line on stderr, the documented exit code, no panic and no secret.

use std::io::{Read, Write};
use std::net::TcpListener;

use cloudspout_tests::peers::free_port;
use cloudspout_tests::program::{KEY_ID, Program, REGION, SECRET};
use cloudspout_tests::strict::Strict;
use serde_json::Value;

const DESTINATION: [&str; 4] = ["--group", "g", "--stream", "s"];

/// One line to ship.
fn line() -> std::process::Stdio {
    let mut file = tempfile::tempfile().expect("a temporary file");
    std::io::Write::write_all(&mut file, b"a line\n").expect("the file takes it");
    std::io::Seek::rewind(&mut file).expect("a file can be rewound");
    file.into()
}

fn pipe(url: &str) -> Program {
    Program::new("pipe").args(&DESTINATION).to(url).input(line())
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [&["--no-such-option"][..], &["--group"], &["--group", "g", "--stream", "s", "surplus"]]
    {
        Program::new("pipe").args(arguments).finish().assert_code(2);
    }
    Program::new("no-such-command").finish().assert_code(2);
    Program::new("run").args(&["--source", "nowhere"]).finish().assert_code(2);
}

#[test]
fn help_and_version_end_with_0() {
    for command in ["--help", "--version", "help"] {
        assert!(!Program::bare(command).finish().assert_code(0).stdout.is_empty(), "{command}");
    }
    for command in ["run", "pipe", "local"] {
        let help = Program::bare(command).arg("--help").finish().assert_code(0).stdout;
        assert!(help.contains("--"), "{command} --help says: {help}");
    }
}

#[test]
fn a_region_that_cannot_be_one_ends_with_3() {
    let strict = Strict::start();
    for region in ["Frankfurt", "eu central 1", "eu-central-1/x", "eu-central-1.evil.example#"] {
        let program = Program::new("pipe").args(&DESTINATION).args(&["--endpoint-url", &strict.url()]);
        program.args(&["--region", region]).input(line()).finish().assert_complaint(3, &["egion"]);
    }
    assert_eq!(strict.count("requests"), 0);
}

#[test]
fn a_missing_region_ends_with_3() {
    let program = Program::new("pipe").args(&DESTINATION).args(&["--endpoint-url", "http://127.0.0.1:1"]);
    program.input(line()).finish().assert_complaint(3, &["egion", "AWS_REGION"]);
}

#[test]
fn the_region_of_another_signature_is_told() {
    let strict = Strict::start();
    let program = Program::new("pipe").args(&DESTINATION).args(&["--region", "us-east-1"]);
    let outcome = program.args(&["--endpoint-url", &strict.url()]).input(line()).finish();
    assert!(matches!(outcome.code, Some(3 | 5)), "{outcome:?}");
    assert!(outcome.stderr.contains(REGION), "the region the service wants is not told:\n{}", outcome.stderr);
}

#[test]
fn an_endpoint_address_that_is_none_ends_with_3() {
    for url in ["127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://a b/"] {
        pipe(url).finish().assert_complaint(3, &["endpoint"]);
    }
}

#[test]
fn a_bad_template_ends_with_3_and_says_where() {
    let strict = Strict::start();
    for template in ["{{.Name", "{{.NoSuchField}}", "{{end}}", "{{noSuchFunction 1}}"] {
        for option in ["--group", "--stream"] {
            let other = if option == "--group" { "--stream" } else { "--group" };
            let program = Program::new("pipe").args(&[option, template, other, "x"]).to(&strict.url());
            program.input(line()).finish().assert_complaint(3, &["template", &option[2..]]);
        }
    }
    assert_eq!(strict.count("requests"), 0);
}

#[test]
fn missing_credentials_end_with_5() {
    let strict = Strict::start();
    let program = Program::bare("pipe").args(&DESTINATION).to(&strict.url()).input(line());
    program.finish().assert_complaint(5, &["credentials"]);
    assert_eq!(strict.count("requests"), 0);
}

#[test]
fn a_metadata_service_that_refuses_ends_with_5() {
    let strict = Strict::start();
    let outcome = Program::bare("pipe")
        .args(&DESTINATION)
        .to(&strict.url())
        .input(line())
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &refusing_metadata())
        .finish();
    assert!(!outcome.stderr.contains("SdkBody"), "structures are printed:\n{}", outcome.stderr);
    outcome.assert_complaint(5, &["credentials", "metadata"]);
}

/// The URL of a metadata service that is turned off: it forbids whatever it is asked.
fn refusing_metadata() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut asking in listener.incoming().flatten() {
            let _ = asking.read(&mut [0; 4096]);
            let _ =
                asking.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    url
}

#[test]
fn refused_credentials_end_with_5() {
    let strict = Strict::start();
    let bare = || Program::bare("pipe").args(&DESTINATION).to(&strict.url()).input(line());
    let wrong_secret =
        bare().env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", "wrong/of+the-tests");
    let outcome = wrong_secret.finish();
    assert!(!outcome.stderr.contains("wrong/of+the-tests"));
    outcome.assert_complaint(5, &[]);
    let unknown_key = bare().env("AWS_ACCESS_KEY_ID", "AKIDUNKNOWN").env("AWS_SECRET_ACCESS_KEY", SECRET);
    unknown_key.finish().assert_complaint(5, &[]);
}

#[test]
fn refused_permission_ends_with_6_and_names_what_is_missing() {
    let cases = [
        ("group@*=denied put@*=denied", "logs:"),
        ("stream@*=denied", "logs:CreateLogStream"),
        ("put@*=denied", "logs:PutLogEvents"),
    ];
    for (plan, permission) in cases {
        pipe(&Strict::with_plan(plan).url()).finish().assert_complaint(6, &[permission]);
    }
}

#[test]
fn an_endpoint_that_is_not_cloudwatch_ends_with_7() {
    let strict = Strict::with_plan("any@*=not-aws");
    pipe(&strict.url()).finish().assert_complaint(7, &[&strict.address()]);
}

#[test]
fn an_endpoint_that_nobody_listens_on_ends_with_7() {
    let url = format!("http://127.0.0.1:{}", free_port());
    pipe(&url).finish().assert_complaint(7, &["127.0.0.1"]);
    pipe("http://no-such-host.invalid").finish().assert_complaint(7, &["no-such-host.invalid"]);
}

#[test]
fn an_endpoint_that_does_not_speak_tls_ends_with_7() {
    let strict = Strict::start();
    pipe(&strict.url().replace("http:", "https:")).finish().assert_complaint(7, &[&strict.address()]);
}

#[test]
fn a_port_that_is_taken_is_told_by_local() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = Program::new("local").args(&[
        "--listen",
        &address,
        "--data-dir",
        folder.path().to_str().expect("UTF-8"),
    ]);
    program.finish().assert_complaint(3, &[&address, "in use"]);
}

#[test]
fn a_bad_fault_plan_is_told_by_local() {
    let outcome =
        Program::new("local").args(&["--listen", "127.0.0.1:0", "--fault", "no such fault"]).finish();
    assert!(matches!(outcome.code, Some(2 | 3)), "{outcome:?}");
}

#[test]
fn every_line_on_stderr_is_json_where_that_is_asked_for() {
    let throttled = Strict::with_plan("put@1=throttle put@2=error put@3=reset-after");
    let denied = Strict::with_plan("put@*=denied");
    let no_endpoint = format!("http://127.0.0.1:{}", free_port());
    for (url, code, lines) in
        [(throttled.url(), 0, 3), (denied.url(), 6, 1), (no_endpoint, 7, 1), ("x".to_owned(), 3, 1)]
    {
        let outcome =
            pipe(&url).args(&["--log-format", "json", "--log-level", "debug"]).finish().assert_code(code);
        assert!(outcome.stderr.lines().count() >= lines, "{url}: {}", outcome.stderr);
        for line in outcome.stderr.lines() {
            let line: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{url}: {error}: {line}"));
            for member in ["timestamp", "level", "message"] {
                assert!(line[member].is_string(), "{url}: no {member}: {line}");
            }
        }
    }
}
