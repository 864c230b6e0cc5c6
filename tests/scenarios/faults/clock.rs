//! The clock of this machine, and the endpoint's, stepped by an hour either way.

use cloudspout_tests::clock::Clock;
use cloudspout_tests::docker::{ARRIVAL, Docker, GROUP, SOURCES};
use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::with_state;

const HOUR: i64 = 3_600;

#[test]
fn clocks_that_are_stepped_change_neither_events_nor_their_times() {
    for source in SOURCES {
        let docker = Docker::any();
        let strict = Strict::start();
        let clock = Clock::new();
        let state = tempfile::tempdir().expect("a temporary folder");
        let start = || clock.drives(with_state(&docker, source, &strict, state.path())).start();
        let mut feed = docker.feed("writer", &[]);
        let mut shipping = start();
        let mut expected = Vec::new();
        let steps: [(&str, &dyn Fn()); 6] = [
            ("right", &|| ()),
            ("ahead", &|| clock.step_to(HOUR)),
            ("behind", &|| clock.step_to(-HOUR)),
            ("the endpoint behind as well", &|| strict.skew(-HOUR)),
            ("the endpoint ahead", &|| strict.skew(HOUR)),
            ("right again", &|| (clock.step_to(0), strict.skew(0)).1),
        ];
        for (number, (what, step)) in steps.into_iter().enumerate() {
            step();
            for restarted in [false, true] {
                if restarted {
                    shipping.terminate().assert_code(0);
                    shipping = start();
                }
                let text = lines(&format!("{number} {what} {restarted}"), 500);
                feed.out(&text);
                expected.extend(messages(&text, Way::JsonFile));
                strict.wait_for_events(expected.len(), ARRIVAL);
            }
        }
        let said = shipping.terminate().assert_code(0);
        let journal = strict.stop();
        let arrived = journal.stream(GROUP, "writer");
        assert_same(source, of(&arrived), &expected);
        let times = docker.times("writer");
        assert!(arrived.iter().map(|event| event.time).eq(times), "{source}: other times than Docker's");
        let refused = journal.0.iter().filter(|request| request.refusal.is_some()).count();
        assert!(refused >= 5, "{source}: {refused} refusals; was the clock stepped at all?\n{}", said.stderr);
        feed.end(&docker);
    }
}
