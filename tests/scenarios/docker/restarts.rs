//! The program ends, by consent or by force, and goes on where it was.

use std::path::Path;
use std::time::Duration;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::events::{assert_both, assert_none_lost, assert_same, messages as of};
use cloudspout_tests::program::Program;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::{ARRIVAL, GROUP, SOURCES, run};

fn with_state(docker: &Docker, source: &str, strict: &Strict, state: &Path) -> Program {
    run(docker, source, &strict.url()).args(&["--state-dir", state.to_str().expect("UTF-8")])
}

#[test]
fn a_second_run_sends_only_what_is_new() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let once =
            || with_state(&docker, source, &strict, state.path()).arg("--once").finish().assert_code(0);
        docker.write("ended", &[], b"ended\n", b"with an error\n");
        let mut feed = docker.feed("writer", &[]);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        for round in 0..3 {
            let (out, err) = (lines(&format!("out {round}"), 2_000), lines(&format!("err {round}"), 100));
            feed.out(&out);
            feed.err(&err);
            stdout.extend(messages(&out, Way::JsonFile));
            stderr.extend(messages(&err, Way::JsonFile));
            // The last line written is in Docker's hands once `docker logs` knows it.
            wait_for_docker(&docker, "writer", stdout.len() + stderr.len());
            once();
        }
        once();
        let journal = strict.stop();
        journal.assert_well_formed();
        assert_both(source, &journal.stream(GROUP, "writer"), &stdout, &stderr);
        let ended = journal.stream(GROUP, "ended");
        assert_both(source, &ended, &["ended".to_owned()], &["with an error".to_owned()]);
        feed.end(&docker);
    }
}

#[test]
fn a_stop_and_start_while_lines_are_written_sends_each_once() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let mut feed = docker.feed("writer", &[]);
        let written = lines("stop and start", 30_000);
        let expected = messages(&written, Way::JsonFile);
        let part = written.len() / 6;
        for round in 0..6 {
            let before = strict.count("stored") as usize;
            let shipping = with_state(&docker, source, &strict, state.path()).start();
            let end = if round == 5 { written.len() } else { part * (round + 1) };
            feed.out(&written[part * round..end]);
            // At least something of this round has arrived when the signal comes; in the end, everything has.
            strict.wait_for_events(if round == 5 { expected.len() } else { before + 1 }, ARRIVAL);
            shipping.terminate().assert_code(0);
        }
        let journal = strict.stop();
        journal.assert_well_formed();
        assert_same(source, of(&journal.stream(GROUP, "writer")), &expected);
        feed.end(&docker);
    }
}

#[test]
fn a_kill_in_the_middle_loses_nothing_and_doubles_little() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::with_plan("put@*=slow:50");
        let state = tempfile::tempdir().expect("a temporary folder");
        let mut feed = docker.feed("writer", &[]);
        let written = lines("killed", 60_000);
        let expected = messages(&written, Way::JsonFile);
        let part = written.len() / 4;
        for round in 0..3 {
            let shipping = with_state(&docker, source, &strict, state.path()).start();
            feed.out(&written[part * round..part * (round + 1)]);
            let target = strict.count("stored") as usize + 2_000;
            strict.wait_for_events(target, ARRIVAL);
            shipping.kill();
        }
        feed.out(&written[part * 3..]);
        let shipping = with_state(&docker, source, &strict, state.path()).start();
        let last = expected.last().expect("lines");
        cloudspout_tests::process::eventually("the last line", ARRIVAL, || {
            std::thread::sleep(Duration::from_millis(100));
            strict.journal().stream(GROUP, "writer").iter().any(|event| event.message == *last).then_some(())
        });
        shipping.terminate().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        let doubled = assert_none_lost(source, of(&journal.stream(GROUP, "writer")), &expected);
        // Each kill may find one batch stored and unanswered, and one answered whose position is not kept yet.
        assert!(doubled <= 3 * 2 * 10_000, "{source}: {doubled} events came twice");
        feed.end(&docker);
    }
}

#[test]
fn a_half_written_line_is_not_cut_by_a_restart() {
    for source in SOURCES {
        let docker = Docker::exclusive();
        let strict = Strict::start();
        let state = tempfile::tempdir().expect("a temporary folder");
        let start = || with_state(&docker, source, &strict, state.path()).start();
        let mut feed = docker.feed("writer", &[]);
        let shipping = start();
        // Docker hands on two pieces of 16 KiB and keeps the rest until the newline.
        feed.out(format!("whole\n{}", "x".repeat(40_000)).as_bytes());
        strict.wait_for_events(1, ARRIVAL);
        wait_for_docker(&docker, "writer", 2);
        shipping.terminate().assert_code(0);
        let shipping = start();
        feed.out(b" and the rest\nlast\n");
        strict.wait_for_events(3, ARRIVAL);
        shipping.terminate().assert_code(0);
        let arrived = strict.stop().stream(GROUP, "writer");
        let long = format!("{} and the rest", "x".repeat(40_000));
        assert_same(source, of(&arrived), &["whole".to_owned(), long, "last".to_owned()]);
        feed.end(&docker);
    }
}

fn wait_for_docker(docker: &Docker, name: &str, lines: usize) {
    cloudspout_tests::process::eventually("Docker's own log", ARRIVAL, || {
        (docker.times(name).len() >= lines).then_some(())
    });
}
