//! What Docker's log tags see: the fields and methods of its `logger.Info`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Machine, environment, lookup, pairs};
use crate::lines::{Clock, Pattern};
use crate::naming::Container;
use crate::template::value::{Signature, Struct, Type};
use crate::template::{Time, Value};

/// A container as a log tag sees it.
#[derive(Debug)]
pub(super) struct Info {
    pub container: Arc<Container>,
    pub machine: Arc<Machine>,
}

/// Its fields, in Docker's order.
pub(super) const FIELDS: [&str; 12] = [
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
];

impl Struct for Info {
    fn name(&self) -> &'static str {
        "logger.Info"
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        FIELDS.iter().filter_map(|name| Some((*name, self.field(name)?))).collect()
    }

    fn field(&self, name: &str) -> Option<Value> {
        field(&self.container, name)
    }

    fn method(&self, name: &str) -> Option<Signature> {
        method(name)
    }

    fn call(&self, name: &str, _arguments: &[Value]) -> Result<Value, String> {
        call(&self.container, &self.machine, name)
    }
}

pub(super) fn field(container: &Container, name: &str) -> Option<Value> {
    Some(match name {
        "Config" => pairs(&container.log_options),
        "ContainerID" => container.id.as_str().into(),
        // The field has the slash that Docker's API has; only the method takes it away.
        "ContainerName" => format!("/{}", container.name).into(),
        "ContainerEntrypoint" => container.entrypoint.as_str().into(),
        "ContainerArgs" => Value::strings(&container.args),
        "ContainerImageID" => container.image_id.as_str().into(),
        "ContainerImageName" => container.image_name.as_str().into(),
        "ContainerCreated" => Value::object(created(container)),
        "ContainerEnv" => Value::strings(&container.env),
        "ContainerLabels" => pairs(&container.labels),
        "LogPath" => container.log_path.as_str().into(),
        "DaemonName" => container.daemon_name.as_str().into(),
        _ => return None,
    })
}

pub(super) fn method(name: &str) -> Option<Signature> {
    match name {
        "ID" | "FullID" | "Name" | "ImageID" | "ImageFullID" | "ImageName" | "Hostname" | "Command" => {
            Some(Signature::of(&[]))
        }
        "ExtraAttributes" => Some(Signature::of(&[Type::Function("func(string) string")])),
        _ => None,
    }
}

pub(super) fn call(container: &Container, machine: &Machine, name: &str) -> Result<Value, String> {
    Ok(match name {
        "ID" => container.short_id().into(),
        "FullID" => container.id.as_str().into(),
        "Name" => container.name.as_str().into(),
        "ImageID" => short(&container.image_id).into(),
        "ImageFullID" => container.image_id.as_str().into(),
        "ImageName" => container.image_name.as_str().into(),
        "Hostname" if machine.host_name.is_empty() => {
            return Err("logger: can not resolve hostname: no name".to_owned());
        }
        "Hostname" => machine.host_name.as_str().into(),
        "Command" => {
            let words = std::iter::once(&container.entrypoint).chain(&container.args);
            words.map(String::as_str).collect::<Vec<_>>().join(" ").into()
        }
        "ExtraAttributes" => Value::string_map(extra_attributes(container)?),
        _ => Value::Nil,
    })
}

/// When the container was made; Go's zero where that is not known.
fn created(container: &Container) -> Time {
    let found = Clock::default().read(container.created.as_bytes());
    found.map_or(Time::ZERO, |(moment, _)| {
        let seconds = i64::try_from(moment.nanos() / 1_000_000_000).unwrap_or(i64::MAX);
        Time::new(seconds, (moment.nanos() % 1_000_000_000) as u32)
    })
}

/// An id without the name of its digest, cut to what people see.
fn short(id: &str) -> &str {
    let id = id.split_once(':').map_or(id, |(_, digest)| digest);
    id.get(..12).unwrap_or(id)
}

/// The labels and variables that the log driver's options `labels`, `labels-regex`, `env` and `env-regex` name.
fn extra_attributes(container: &Container) -> Result<BTreeMap<&str, &str>, String> {
    let labels = container.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let variables = environment(container).collect();
    let mut extra = named(container, labels, b"labels", b"labels-regex")?;
    extra.extend(named(container, variables, b"env", b"env-regex")?);
    Ok(extra)
}

/// Those that a log option lists, or that the pattern of another is found in.
fn named<'a>(
    container: &'a Container,
    mut all: BTreeMap<&'a str, &'a str>,
    list: &[u8],
    regex: &[u8],
) -> Result<BTreeMap<&'a str, &'a str>, String> {
    let option = |name| lookup(&container.log_options, name).filter(|value| !value.is_empty());
    let listed: Vec<_> = option(list).unwrap_or_default().split(',').collect();
    let pattern = option(regex).map(Pattern::parse).transpose().map_err(|error| error.to_string())?;
    all.retain(|key, _| {
        listed.contains(key) || pattern.as_ref().is_some_and(|pattern| pattern.is_in(key.as_bytes()))
    });
    Ok(all)
}
