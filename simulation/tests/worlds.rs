//! Many worlds hold every promise; how many depends on whether the build is fast.

use std::time::{Duration, Instant};

use cloudspout_simulation::{Profile, World};

/// Seeds of worlds in which something once went wrong.
const ONCE_WRONG: &[(u64, Profile)] = &[
    // What was acknowledged of a silent side was taken back once that side had something of its own.
    (5, Profile::Calm),
    (10, Profile::Calm),
    (9, Profile::Faults),
    (6, Profile::Clock),
    (4, Profile::Isolation),
    // The machine ran in circles while credentials were about to end.
    (11, Profile::Faults),
    (13, Profile::Faults),
    // Frames of a terminal's log were counted by how they were cut.
    (9, Profile::Flood),
    (0, Profile::Long),
    (54, Profile::Long),
    (23, Profile::Restarts),
    (53, Profile::Restarts),
    (5, Profile::Stops),
    // A line that had ended with its container was sent again as the beginning of a longer one.
    (32, Profile::Long),
];

/// Of each profile so many worlds; those with much to read take a hundred times as long.
const FAST: u64 = if cfg!(debug_assertions) { 30 } else { 400 };
const SLOW: u64 = if cfg!(debug_assertions) { 2 } else { 40 };
/// A slow machine lives through fewer.
const WITHIN: Duration = Duration::from_secs(60);

fn live(seed: u64, profile: Profile) {
    if let Err(violation) = World::run(seed, profile) {
        panic!("{violation}");
    }
}

#[test]
fn every_promise_holds_in_many_worlds() {
    let begin = Instant::now();
    for profile in Profile::ALL {
        let worlds = match profile {
            Profile::Long | Profile::Flood | Profile::Restarts | Profile::Parallel | Profile::Mixed => SLOW,
            _ => FAST,
        };
        for seed in 0..worlds {
            if begin.elapsed() > WITHIN {
                break;
            }
            live(seed, profile);
        }
    }
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
    for profile in [Profile::Faults, Profile::Restarts, Profile::Refusals, Profile::Clock] {
        for seed in 0..10 {
            all.add(&World::run(seed, profile).unwrap());
        }
    }
    assert!(
        all.doubled > 50 && all.refused > 50 && all.kills > 10 && all.resumes > 20 && all.troubles > 100,
        "{all}"
    );
}
