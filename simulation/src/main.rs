//! `cloudspout-simulation`: lives through the worlds of many seeds, and says what went wrong in which.

use std::process::ExitCode;

use cloudspout_simulation::{Profile, Sabotage, Summary, World};

const USAGE: &str =
    "cloudspout-simulation [--seeds A..B | --seed N] [--profile NAME] [--sabotage NAME] [--trace]";

struct Wish {
    seeds: std::ops::Range<u64>,
    profiles: Vec<Profile>,
    sabotage: Option<Sabotage>,
    trace: bool,
    /// Worlds that go wrong, at most, before it ends.
    most: u64,
}

fn main() -> ExitCode {
    let wish = match wish_of(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let begin = std::time::Instant::now();
    let mut wrong = 0;
    let mut all = Summary::default();
    for profile in &wish.profiles {
        let mut summary = Summary::default();
        for seed in wish.seeds.clone() {
            match World::run_with(seed, *profile, wish.sabotage, wish.trace) {
                Ok(of_one) => summary.add(&of_one),
                Err((violation, trace)) => {
                    for line in trace {
                        println!("{line}");
                    }
                    println!("{violation}");
                    wrong += 1;
                }
            }
            if wrong >= wish.most {
                return ExitCode::FAILURE;
            }
        }
        println!("{profile}: {summary}");
        all.add(&summary);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let worlds = all.worlds + wrong;
    println!(
        "{worlds} worlds in {seconds:.1} s, {:.0} a second; {wrong} went wrong",
        worlds as f64 / seconds
    );
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn wish_of(arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut wish =
        Wish { seeds: 0..100, profiles: Profile::ALL.to_vec(), sabotage: None, trace: false, most: 5 };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
        match argument.as_str() {
            "--seed" => {
                let seed = number(&value()?)?;
                wish.seeds = seed..seed + 1;
            }
            "--seeds" => {
                let range = value()?;
                let (from, to) = range.split_once("..").ok_or("--seeds wants A..B")?;
                wish.seeds = number(from)?..number(to)?;
            }
            "--profile" => wish.profiles = vec![value()?.parse()?],
            "--sabotage" => wish.sabotage = Some(value()?.parse()?),
            "--most" => wish.most = number(&value()?)?,
            "--trace" => wish.trace = true,
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(wish)
}
