//! What `--help` says.

use std::fmt::Write;

use super::code::Code;
use super::options::{Default, ENTRIES};

const HEAD: &str = "\
Ships standard input to Amazon CloudWatch Logs, and ends once all of it is accepted.

Usage: wasmtime run -S http,inherit-env cloudspout.wasm --group <NAME> --stream <NAME> [OPTIONS]

Options:
";

const TAIL: &str = "\
  -h, --help
          Print help
  -V, --version
          Print version

Credentials come from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
Host names for templates come from HOSTNAME.

Example:
  docker logs -f app 2>&1 | wasmtime run -S http,inherit-env cloudspout.wasm --group apps --stream app
";

/// The whole text.
pub fn help() -> String {
    let mut text = HEAD.to_owned();
    for entry in &ENTRIES {
        let _ = writeln!(text, "      {}", entry.usage());
        for line in entry.help.lines() {
            let _ = writeln!(text, "          {line}");
        }
        if !entry.variables.is_empty() {
            let _ = writeln!(text, "          [env: {}]", entry.variables.join(", "));
        }
        if let Default::Value(value) = entry.default {
            let _ = writeln!(text, "          [default: {value}]");
        }
    }
    text.push_str(TAIL);
    let _ = writeln!(text, "\n{}", Code::listed());
    text
}
