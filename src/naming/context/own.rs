//! What templates see unless they are to mean what they mean elsewhere: Docker's fields and logspout's.
//!
//! `.ID` and `.Name` are Docker's methods, which give what people read; `.Lbl` of a label that is not there
//! is empty, so that one template serves containers with the label and without.

use std::sync::Arc;

use super::{Machine, docker, logspout, lookup, text};
use crate::naming::Container;
use crate::naming::event::{EVENT, event_value};
use crate::template::Value;
use crate::template::value::{Signature, Struct, Type};

/// A container as a template sees it.
#[derive(Debug)]
pub(super) struct Info {
    pub container: Arc<Container>,
    pub machine: Arc<Machine>,
}

/// logspout's fields, and the event's.
const FURTHER_FIELDS: [&str; 7] = ["Host", "Env", "Labels", "LoggerHost", "InstanceID", "Region", EVENT];

impl Struct for Info {
    fn name(&self) -> &'static str {
        "logger.Info"
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let names = docker::FIELDS.iter().chain(&FURTHER_FIELDS);
        names.filter_map(|name| Some((*name, self.field(name)?))).collect()
    }

    fn field(&self, name: &str) -> Option<Value> {
        if name == EVENT {
            return Some(event_value(&self.container.event));
        }
        docker::field(&self.container, name).or_else(|| logspout::field(&self.container, &self.machine, name))
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Lbl" | "Label" => Some(Signature::of(&[Type::String])),
            name => docker::method(name),
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        match name {
            "Lbl" | "Label" => Ok(lookup(&self.container.labels, text(arguments)).unwrap_or_default().into()),
            name => docker::call(&self.container, &self.machine, name),
        }
    }
}
