//! Many worlds hold every promise; how many depends on whether the build is fast.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloudspout_simulation::{Profile, World};

/// Seeds of worlds in which something goes wrong if a mistake that was once made is made again.
const ONCE_WRONG: &[(u64, Profile)] = &[
    // What was acknowledged of a silent side was taken back once that side had something of its own.
    (5, Profile::Calm),
    (6, Profile::Faults),
    (0, Profile::Isolation),
    // The machine ran in circles while credentials were about to end.
    (11, Profile::Faults),
    // Frames of a terminal's log were counted by how they were cut.
    (22, Profile::Restarts),
    (0, Profile::Flood),
    // A line that had ended with its container was sent again as the beginning of a longer one.
    (594, Profile::Restarts),
    // A clock that was stepped back made the machine wait until it had caught up.
    (84, Profile::Clock),
    // Two refusals for a wrong clock corrected it twice.
    (193, Profile::Clock),
];

/// Of each profile so many worlds; those with much to read take many times as long.
const FAST: u64 = if cfg!(debug_assertions) { 30 } else { 600 };
const MIDDLE: u64 = if cfg!(debug_assertions) { 10 } else { 150 };
const SLOW: u64 = if cfg!(debug_assertions) { 1 } else { 20 };
/// A slow machine lives through fewer, of every profile.
const WITHIN: Duration = Duration::from_secs(60);

fn live(seed: u64, profile: Profile) {
    if let Err(violation) = World::run(seed, profile) {
        panic!("{violation}");
    }
}

fn worlds_of(profile: Profile) -> u64 {
    match profile {
        Profile::Long | Profile::Flood | Profile::Overflow => SLOW,
        Profile::Restarts | Profile::Parallel | Profile::Multiline | Profile::Mixed => MIDDLE,
        Profile::Calm
        | Profile::Faults
        | Profile::Refusals
        | Profile::Clock
        | Profile::Isolation
        | Profile::Stops => FAST,
    }
}

#[test]
fn every_promise_holds_in_many_worlds() {
    let begin = Instant::now();
    let lived = AtomicU64::new(0);
    let next = AtomicU64::new(0);
    // All profiles side by side, so that one that takes long leaves time for the others.
    let live_on = || {
        while let hundredth @ 0..100 = next.fetch_add(1, Ordering::Relaxed) {
            for profile in Profile::ALL {
                let worlds = worlds_of(profile);
                for seed in worlds * hundredth / 100..worlds * (hundredth + 1) / 100 {
                    if begin.elapsed() < WITHIN {
                        live(seed, profile);
                        lived.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(live_on);
        }
    });
    println!("{} worlds in {} s", lived.into_inner(), begin.elapsed().as_secs());
}

#[test]
fn what_once_went_wrong_does_not_again() {
    for (seed, profile) in ONCE_WRONG {
        live(*seed, *profile);
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    for profile in Profile::ALL {
        for seed in 0..3 {
            let run = || World::run(seed, profile).map_err(|violation| violation.to_string());
            assert_eq!(run(), run(), "seed {seed}, profile {profile}");
        }
    }
    assert_ne!(World::run(1, Profile::Calm).unwrap().course, World::run(2, Profile::Calm).unwrap().course);
}

#[test]
fn the_trouble_happens() {
    let mut all = cloudspout_simulation::Summary::default();
    let profiles = [Profile::Faults, Profile::Restarts, Profile::Refusals, Profile::Clock, Profile::Overflow];
    for profile in profiles {
        for seed in 0..10 {
            all.add(&World::run(seed, profile).unwrap());
        }
    }
    assert!(
        all.doubled > 50 && all.refused > 50 && all.kills > 10 && all.resumes > 20 && all.troubles > 100,
        "{all}"
    );
    assert!(all.dropped > 50 && all.marked > 10 && all.kept > 2, "{all}");
}
