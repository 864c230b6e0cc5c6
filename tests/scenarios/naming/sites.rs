//! Containers that choose, by their labels, where on AWS their logs go and what becomes of them.

use cloudspout_tests::docker::{ARRIVAL, Docker};
use cloudspout_tests::process::eventually;
use cloudspout_tests::program::{Program, REGION};
use cloudspout_tests::strict::Strict;
use tempfile::tempdir;

use crate::{Arrived, once};

const ELSEWHERE: &str = "us-west-2";

/// The labels by which a container chooses an endpoint, and its Region.
fn labels(endpoint: &str) -> [String; 2] {
    [format!("awslogs.region={ELSEWHERE}"), format!("awslogs.endpoint={endpoint}")]
}

#[test]
fn a_container_chooses_region_and_endpoint_where_it_may() {
    let docker = Docker::any();
    let (here, there) = (Strict::start(), Strict::of_region(ELSEWHERE));
    let [region, endpoint] = labels(&there.url());
    docker.write("plain", &[], b"here\n", b"");
    docker.write("moved", &["--label", &region, "--label", &endpoint], b"there\n", b"there too\n");
    let program = docker.program().args(&["--once", "--allow-overrides", "labels", "--group", "{{.Region}}"]);
    program.args(&["--allow-endpoint", &there.url()]).to(&here.url()).finish().assert_code(0);
    Arrived::of(&here.stop()).assert(&[("here", &format!("{REGION}|plain"))]);
    let place = format!("{ELSEWHERE}|moved");
    Arrived::of(&there.stop()).assert(&[("there", &place), ("there too", &place)]);
}

#[test]
fn what_a_container_may_not_choose_is_passed_over_and_said() {
    let docker = Docker::any();
    let [region, endpoint] = labels("http://127.0.0.1:9");
    let credentials = "awslogs.credentials-endpoint=/creds";
    docker.write("app", &["--label", &region, "--label", &endpoint, "--label", credentials], b"line\n", b"");
    let options = ["--allow-overrides", "labels", "--group", "g", "--allow-region", "eu-west-1"];
    let (arrived, outcome) = once(&docker, &options);
    let outcome = outcome.assert_code(0);
    arrived.assert(&[("line", "g|app")]);
    for words in [
        "its label awslogs.region is passed over: us-west-2 is none that --allow-region lets containers choose",
        "its label awslogs.endpoint is passed over: only the operator can choose that",
        "its label awslogs.credentials-endpoint is passed over: only the operator can choose that",
    ] {
        assert!(outcome.stderr.contains(words), "{words} is not in:\n{}", outcome.stderr);
    }
}

#[test]
fn a_container_that_is_let_go_elsewhere_loses_and_repeats_nothing() {
    let docker = Docker::any();
    let state = tempdir().expect("a folder");
    let state = ["--state-dir", state.path().to_str().expect("UTF-8")];
    let (here, there) = (Strict::start(), Strict::of_region(ELSEWHERE));
    let [region, endpoint] = labels(&there.url());
    let mut app = docker.feed("app", &["--label", &region, "--label", &endpoint]);
    let run = |further: &[&str]| {
        let program = docker.program().args(&["--once", "--group", "g"]).args(&state).args(further);
        program.to(&here.url()).finish().assert_code(0);
    };
    let kept = |lines: usize| {
        eventually("the line is kept", ARRIVAL, || (docker.kept("app").len() == lines).then_some(()));
    };
    app.out(b"early\n");
    kept(1);
    run(&[]);
    app.out(b"late\n");
    kept(2);
    run(&["--allow-overrides", "labels", "--allow-endpoint", &there.url()]);
    run(&[]);
    app.end(&docker);
    Arrived::of(&here.stop()).assert(&[("early", "g|app")]);
    Arrived::of(&there.stop()).assert(&[("late", "g|app")]);
}

#[test]
fn names_tells_of_a_region_and_of_what_is_passed_over() {
    let docker = Docker::any();
    docker.write("app", &["--label", "awslogs.region=us-west-2", "--label", "awslogs.mode=fast"], b"", b"");
    let told = Program::bare("names")
        .args(&["--docker-host", &docker.host(), "--region", REGION, "--allow-overrides", "labels"])
        .finish()
        .assert_code(0);
    for words in
        ["Region      us-west-2, at https://logs.us-west-2.amazonaws.com/", "awslogs.mode is passed over"]
    {
        assert!(told.stdout.contains(words), "{words} is not in:\n{}", told.stdout);
    }
}
