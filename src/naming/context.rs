//! What a naming template sees: the fields and methods of Docker's log tags, and those of logspout.

use std::sync::Arc;

use super::Container;
use super::event::{EVENT, event_value};
use crate::template::Value;
use crate::template::value::{Signature, Struct, Type};

/// A container as a template sees it.
#[derive(Debug)]
pub struct Context {
    container: Arc<Container>,
    machine: Arc<Machine>,
}

/// Where the program runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub host_name: String,
    /// The AWS Region that logs go to.
    pub region: String,
}

impl Context {
    pub fn of(container: Arc<Container>, machine: &Arc<Machine>) -> Value {
        Value::pointer(Context { container, machine: Arc::clone(machine) })
    }

    fn env(&self) -> impl Iterator<Item = (&str, &str)> {
        self.container.env.iter().filter_map(|pair| pair.split_once('='))
    }

    fn labels(&self) -> Value {
        Value::string_map(self.container.labels.iter().map(|(key, value)| (key, value)))
    }
}

/// The fields; the first half are Docker's, the second logspout's.
const FIELDS: [&str; 17] = [
    "Config",
    "ContainerID",
    "ContainerName",
    "ContainerEntrypoint",
    "ContainerArgs",
    "ContainerImageID",
    "ContainerImageName",
    "ContainerCreated",
    "ContainerEnv",
    "ContainerLabels",
    "LogPath",
    "DaemonName",
    "Host",
    "Env",
    "Labels",
    "LoggerHost",
    "Region",
];

impl Struct for Context {
    fn name(&self) -> &'static str {
        "logger.Info"
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        FIELDS.iter().filter_map(|name| Some((*name, self.field(name)?))).collect()
    }

    fn field(&self, name: &str) -> Option<Value> {
        let Container { id, name: container_name, image_name, image_id, hostname, .. } = &*self.container;
        let container = &*self.container;
        Some(match name {
            "Config" => Value::string_map(container.log_options.iter().map(|(key, value)| (key, value))),
            "ContainerID" => id.as_str().into(),
            // Docker's own field has the slash that its API has; only its method takes it away.
            "ContainerName" => format!("/{container_name}").into(),
            "ContainerEntrypoint" => container.entrypoint.as_str().into(),
            "ContainerArgs" => Value::strings(&container.args),
            "ContainerImageID" => image_id.as_str().into(),
            "ContainerImageName" => image_name.as_str().into(),
            "ContainerCreated" => container.created.as_str().into(),
            "ContainerEnv" => Value::strings(&container.env),
            "ContainerLabels" | "Labels" => self.labels(),
            EVENT => event_value(&container.event),
            "LogPath" => container.log_path.as_str().into(),
            "DaemonName" => container.daemon_name.as_str().into(),
            "Host" => hostname.as_str().into(),
            "Env" => Value::string_map(self.env()),
            "LoggerHost" => self.machine.host_name.as_str().into(),
            "Region" => self.machine.region.as_str().into(),
            _ => return None,
        })
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "ID" | "FullID" | "Name" | "ImageID" | "ImageFullID" | "ImageName" | "Hostname" | "Command" => {
                Some(Signature::of(&[]))
            }
            "Lbl" | "Label" => Some(Signature::of(&[Type::String])),
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let container = &*self.container;
        let image_id = container.image_id.as_str();
        Ok(match name {
            "ID" => container.short_id().into(),
            "FullID" => container.id.as_str().into(),
            "Name" => container.name.as_str().into(),
            "ImageID" => {
                image_id.strip_prefix("sha256:").and_then(|id| id.get(..12)).unwrap_or(image_id).into()
            }
            "ImageFullID" => image_id.into(),
            "ImageName" => container.image_name.as_str().into(),
            "Hostname" => self.machine.host_name.as_str().into(),
            "Command" => {
                let words = std::iter::once(&container.entrypoint).chain(&container.args);
                words.map(String::as_str).collect::<Vec<_>>().join(" ").into()
            }
            "Lbl" | "Label" => match arguments.first() {
                Some(Value::String(key)) => {
                    let label = container.labels.iter().find(|(label, _)| label.as_bytes() == &**key);
                    label.map_or("", |(_, value)| value).into()
                }
                _ => "".into(),
            },
            _ => Value::Nil,
        })
    }
}
