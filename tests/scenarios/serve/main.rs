//! `cloudspout serve`: what is acknowledged is in CloudWatch, whatever happens; what is not is sent again.

mod answers;
mod delivery;
mod kinds;
mod names;

use cloudspout_tests::program::Program;
pub use cloudspout_tests::senders::Serving;

const GROUP: &str = "/tests/serve";

/// `cloudspout serve` that ships to an endpoint.
fn program(url: &str) -> Program {
    Program::new("serve").args(&["--group", GROUP]).to(url)
}

fn serve(url: &str, options: &[&str]) -> Serving {
    Serving::start(program(url).args(options))
}
