//! What a naming template sees of a container: as Docker's log tags do, as logspout's, or all of both.

mod docker;
mod logspout;
mod own;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{Container, Mode};
use crate::template::{FunctionSet, Value};

/// Where the program runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub host_name: String,
    /// The AWS Region that logs go to.
    pub region: String,
    /// The id of the EC2 instance; empty elsewhere.
    pub instance_id: String,
}

impl Mode {
    /// The container, as this mode's templates see it.
    pub(super) fn context(self, container: &Arc<Container>, machine: &Arc<Machine>) -> Value {
        let (container, machine) = (Arc::clone(container), Arc::clone(machine));
        match self {
            Mode::Own => Value::pointer(own::Info { container, machine }),
            Mode::Awslogs => Value::pointer(docker::Info { container, machine }),
            Mode::Logspout => Value::pointer(logspout::RenderContext { container, machine }),
        }
    }

    /// The functions that its templates may call.
    pub(super) fn functions(self) -> FunctionSet {
        match self {
            Mode::Own | Mode::Awslogs => FunctionSet::Docker,
            Mode::Logspout => FunctionSet::Go,
        }
    }
}

/// The environment as keys and values; an entry without `=` has none.
fn environment(container: &Container) -> impl Iterator<Item = (&str, &str)> {
    container.env.iter().filter_map(|pair| pair.split_once('='))
}

fn pairs(pairs: &[(String, String)]) -> Value {
    Value::string_map(pairs.iter().map(|(key, value)| (key, value)))
}

fn lookup<'a>(pairs: &'a [(String, String)], key: &[u8]) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known.as_bytes() == key).map(|(_, value)| value.as_str())
}

/// The bytes of an argument that is a string.
fn text(arguments: &[Value]) -> &[u8] {
    match arguments.first() {
        Some(Value::String(text)) => text,
        _ => b"",
    }
}
