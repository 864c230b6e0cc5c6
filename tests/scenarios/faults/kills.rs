//! `kill -9`, again and again, at moments that nobody chose.

use std::collections::BTreeSet;
use std::ops::Range;
use std::thread;
use std::time::Duration;

use cloudspout_tests::docker::{ARRIVAL, Docker, GROUP};
use cloudspout_tests::events::{assert_none_lost, messages as of};
use cloudspout_tests::process::eventually;
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::{Journal, Strict};
use cloudspout_tests::text::{Dice, lines};

use crate::{with_state, write_slowly};

const KILLS: usize = 20;
const LINES: usize = 200_000;

fn check(source: &str, seed: u64) {
    let docker = Docker::any();
    let strict = Strict::with_plan("put@*=slow:20");
    let state = tempfile::tempdir().expect("a temporary folder");
    let written = lines("killed", LINES);
    let mut feed = docker.feed("writer", &[]);
    // Requests, by the life of the program that sent them.
    let mut lives: Vec<Range<usize>> = Vec::new();
    let mut end_life = || {
        // What was under way at the kill still arrives.
        eventually("the endpoint at rest", ARRIVAL, || (strict.count("busy") == 0).then_some(()));
        let begin = lives.last().map_or(0, |life| life.end);
        lives.push(begin..strict.count("requests") as usize);
    };
    thread::scope(|scope| {
        let feed = &mut feed;
        let written = &written;
        scope.spawn(move || write_slowly(feed, written, 200, Duration::from_millis(30)));
        let mut dice = Dice::new(seed);
        for _ in 0..KILLS {
            let before = strict.count("stored") as usize;
            let shipping = with_state(&docker, source, &strict, state.path()).start();
            // Some of them before anything has arrived, some while it arrives.
            let more = if dice.below(4) == 0 { 0 } else { 1 + dice.below(12_000) };
            strict.settle(LINES.min(before + more), ARRIVAL);
            thread::sleep(Duration::from_millis(dice.below(150) as u64));
            shipping.kill();
            end_life();
        }
    });
    feed.end(&docker);
    with_state(&docker, source, &strict, state.path()).arg("--once").finish().assert_code(0);
    end_life();

    let journal = strict.stop();
    journal.assert_well_formed();
    let arrived = journal.stream(GROUP, "writer");
    let doubled = assert_none_lost(source, of(&arrived), &messages(&written, Way::JsonFile));
    eprintln!("{source}: {doubled} of {LINES} events came twice after {KILLS} kills");
    assert_one_batch_a_kill(source, &journal, &lives);
}

/// What a life sends again was stored in lives before it, and no more than one batch of it: the one whose answer, or
/// whose position, the kill took away.
fn assert_one_batch_a_kill(source: &str, journal: &Journal, lives: &[Range<usize>]) {
    let events = |request: usize| journal.0[request].stored.iter().map(|event| event.message.as_str());
    let most = journal.0.iter().map(|request| request.stored.len()).max().unwrap_or(0);
    let mut before = BTreeSet::new();
    for (number, life) in lives.iter().enumerate() {
        let sent: Vec<&str> = life.clone().flat_map(events).collect();
        let again = sent.iter().filter(|message| before.contains(*message)).count();
        assert!(again <= most, "{source}: life {number} sent {again} events again, a batch has {most}");
        let count = sent.len();
        let distinct: BTreeSet<&str> = sent.into_iter().collect();
        assert_eq!(distinct.len(), count, "{source}: life {number} sent events twice by itself");
        before.extend(distinct);
    }
}

#[test]
fn twenty_kills_lose_nothing_and_double_one_batch_each_from_files() {
    check("files", 20);
}

#[test]
fn twenty_kills_lose_nothing_and_double_one_batch_each_by_the_api() {
    check("api", 21);
}
