//! What logspout-cloudwatch's templates see: the fields of its `RenderContext`, and `Lbl`.

use std::sync::Arc;

use super::{Machine, environment, lookup, pairs, text};
use crate::naming::Container;
use crate::template::Value;
use crate::template::value::{Signature, Struct, Type};

/// A container as logspout's templates see it.
#[derive(Debug)]
pub(super) struct RenderContext {
    pub container: Arc<Container>,
    pub machine: Arc<Machine>,
}

const FIELDS: [&str; 8] = ["Host", "Env", "Labels", "Name", "ID", "LoggerHost", "InstanceID", "Region"];

impl Struct for RenderContext {
    fn name(&self) -> &'static str {
        "cloudwatch.RenderContext"
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        FIELDS.iter().filter_map(|name| Some((*name, self.field(name)?))).collect()
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Name" => Some(self.container.name.as_str().into()),
            "ID" => Some(self.container.id.as_str().into()),
            name => field(&self.container, &self.machine, name),
        }
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Lbl").then(|| Signature::of(&[Type::String]))
    }

    fn call(&self, _name: &str, arguments: &[Value]) -> Result<Value, String> {
        let key = text(arguments);
        let label = lookup(&self.container.labels, key);
        label
            .map(Value::from)
            .ok_or_else(|| format!("ERROR reading container label {}", String::from_utf8_lossy(key)))
    }
}

/// The fields that Docker's log tags have under no other name.
pub(super) fn field(container: &Container, machine: &Machine, name: &str) -> Option<Value> {
    Some(match name {
        "Host" => container.hostname.as_str().into(),
        "Env" => Value::string_map(environment(container)),
        "Labels" => pairs(&container.labels),
        "LoggerHost" => machine.host_name.as_str().into(),
        "InstanceID" => machine.instance_id.as_str().into(),
        "Region" => machine.region.as_str().into(),
        _ => return None,
    })
}
