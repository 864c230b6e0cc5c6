//! Faults that are planted on purpose are noticed.
//!
//! To plant another: add it to `Sabotage`, let it strike where the world carries out what the machine asks
//! (`world/machine.rs`) or hands in what comes back (`world/network.rs`), and name here a profile in which
//! it has a chance to do harm.

use cloudspout_simulation::{Profile, Sabotage, World};

/// A planted fault is noticed in one of so many worlds.
const SEEDS: u64 = 60;

/// A profile in which the fault strikes.
fn profile_for(sabotage: Sabotage) -> Profile {
    match sabotage {
        Sabotage::AcknowledgeEarly
        | Sabotage::AcknowledgeNever
        | Sabotage::AcknowledgeOtherSide
        | Sabotage::AcknowledgeTooFar
        | Sabotage::AcknowledgeBackwards
        | Sabotage::ResendAfterSuccess
        | Sabotage::DropBytes
        | Sabotage::RepeatBytes
        | Sabotage::ReverseEvents => Profile::Calm,
        Sabotage::ForgetIntoLine => Profile::Long,
        Sabotage::BelieveLostAnswers | Sabotage::Oversleep | Sabotage::Storm => Profile::Faults,
        Sabotage::OverlookRejections
        | Sabotage::ForgetLetters
        | Sabotage::ForgetMarkers
        | Sabotage::MarkTooFew => Profile::Refusals,
        Sabotage::DropUncounted => Profile::Overflow,
        // An event of several lines is torn.
        Sabotage::KeepBack => Profile::Multiline,
        Sabotage::ResumeTooLate | Sabotage::EndHalfLines => Profile::Restarts,
    }
}

#[test]
fn every_planted_fault_is_noticed() {
    let mut unnoticed = Vec::new();
    for sabotage in Sabotage::ALL {
        let profile = profile_for(sabotage);
        let noticed = (0..SEEDS).find_map(|seed| World::run_with(seed, profile, Some(sabotage), false).err());
        match noticed {
            Some((violation, _)) => println!("{sabotage}: {violation}"),
            None => unnoticed.push(sabotage),
        }
    }
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}

#[test]
fn a_violation_says_how_to_see_it_again() {
    let wrong = (0..SEEDS)
        .find_map(|seed| World::run_with(seed, Profile::Calm, Some(Sabotage::AcknowledgeTooFar), true).err());
    let (violation, trace) = wrong.expect("it is noticed");
    let command =
        format!("cargo run -p cloudspout-simulation --release -- --seed {} --profile calm", violation.seed);
    assert!(violation.to_string().contains(&command), "{violation}");
    assert!(trace.iter().any(|line| line.contains("acknowledges")), "{trace:?}");
}
