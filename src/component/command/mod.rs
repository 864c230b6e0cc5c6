//! The world `command`: a program of its own, for hosts that have WASI and nothing of ours.

mod bindings;
mod process;
mod standard_input;

use std::io::Write;

use wasi::cli::environment;
use wasi::clocks::monotonic_clock;

use bindings::exports::wasi::cli::run::Guest;
use bindings::wasi::cli::exit::exit_with_code;

use super::run::{self, End};
use crate::command::{Code, Environment, Said, help, parse};
use crate::shipper::Failure;
use process::Process;

struct Component;

impl Guest for Component {
    fn run() -> Result<(), ()> {
        match command() {
            Code::Accepted => Ok(()),
            code => {
                exit_with_code(code as u8);
                Err(())
            }
        }
    }
}

bindings::export!(Component with_types_in bindings);

/// Does what the arguments say.
fn command() -> Code {
    // The host may or may not name the program; options begin with a hyphen.
    let arguments: Vec<_> = environment::get_arguments().into_iter().skip(1).collect();
    let environment = Environment::new(environment::get_environment());
    let seed = run::now().nanos() ^ monotonic_clock::now().rotate_left(32);
    match parse(&arguments, &environment, seed) {
        Ok(Said::Help) => print(&help()),
        Ok(Said::Version) => print(concat!("cloudspout ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Said::Ship(command)) => {
            let mut process = Process::new(environment, &command);
            let result = run::run(&mut process, &command.options);
            process.sum_up();
            match (result, process.problem()) {
                (Ok(()), None) => Code::Accepted,
                (Ok(()), Some(problem)) => complain(Code::Other, problem),
                (Err(End::Settings(error)), _) => complain(Code::Settings, &error.to_string()),
                (Err(End::Failure(failure)), _) => complain(code_of(&failure), &failure.to_string()),
            }
        }
        Err(error) => complain(Code::Usage, &error.to_string()),
    }
}

fn code_of(failure: &Failure) -> Code {
    match failure {
        Failure::Settings(_) => Code::Settings,
        Failure::Credentials(_) => Code::Credentials,
        Failure::Denied(_) => Code::Denied,
        Failure::Endpoint(_) => Code::Endpoint,
        Failure::DeadLetters(_) => Code::Other,
        Failure::Filter(_) => Code::Filter,
        Failure::Rejected(_) => Code::Rejected,
        Failure::Unfinished(_) => Code::Unfinished,
    }
}

fn print(text: &str) -> Code {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Code::Accepted,
        Err(_) => Code::Other,
    }
}

fn complain(code: Code, text: &str) -> Code {
    say(text);
    code
}

/// Says something on standard error. Where nobody listens, there is nobody to tell.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "cloudspout: {text}");
}
