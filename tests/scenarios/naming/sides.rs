//! Standard output and standard error apart, or only one of them.

use cloudspout_tests::docker::{ARRIVAL, Docker, SOURCES};
use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::once;

#[test]
fn standard_error_can_go_to_a_group_and_a_stream_of_its_own() {
    let docker = Docker::any();
    docker.write("both", &[], b"out 1\nout 2\n", b"err 1\n");
    let (arrived, outcome) = once(&docker, &["--group", "g", "--stderr-stream", "{{.Name}}/stderr"]);
    outcome.assert_code(0);
    arrived.assert(&[("out 1", "g|both"), ("out 2", "g|both"), ("err 1", "g|both/stderr")]);
    let (arrived, _) = once(&docker, &["--group", "g", "--stderr-group", "errors"]);
    arrived.assert(&[("out 1", "g|both"), ("out 2", "g|both"), ("err 1", "errors|both")]);
}

#[test]
fn one_of_the_outputs_can_be_left_out() {
    let docker = Docker::any();
    docker.write("both", &[], b"out\n", b"err\n");
    for (only, message) in [("stdout", "out"), ("stderr", "err")] {
        let (arrived, outcome) = once(&docker, &["--group", "g", "--only", only]);
        outcome.assert_code(0);
        arrived.assert(&[(message, "g|both")]);
    }
}

#[test]
fn sides_that_go_apart_survive_a_kill_without_a_loss() {
    for source in SOURCES {
        let docker = Docker::any();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let state = state.path().to_str().expect("UTF-8");
        let program = || {
            let options = ["--group", "g", "--stream", "out", "--stderr-stream", "err", "--state-dir", state];
            docker
                .program()
                .args(&options)
                .args(&["--source", source, "--flush-after", "300ms"])
                .to(&strict.url())
        };
        let mut feed = docker.feed("both", &[]);
        let (first, second) = (lines("first", 2_000), lines("second", 2_000));
        let (first_err, second_err) = (lines("first err", 300), lines("second err", 300));
        let shipping = program().start();
        feed.out(&first);
        feed.err(&first_err);
        let whole = |bytes: &[u8]| messages(bytes, Way::JsonFile);
        strict.wait_for_events(whole(&first).len() + whole(&first_err).len(), ARRIVAL);
        // Positions are stored a moment later.
        std::thread::sleep(std::time::Duration::from_secs(2));
        shipping.kill();
        feed.out(&second);
        feed.err(&second_err);
        let shipping = program().start();
        let all = |parts: [&[u8]; 2]| parts.map(whole).concat();
        let (out, err) = (all([&first, &second]), all([&first_err, &second_err]));
        strict.settle(out.len() + err.len(), ARRIVAL);
        shipping.terminate().assert_code(0);
        let journal = strict.stop();
        assert_same(&format!("{source}, stdout"), of(&journal.stream("g", "out")), &out);
        assert_same(&format!("{source}, stderr"), of(&journal.stream("g", "err")), &err);
        feed.end(&docker);
    }
}
