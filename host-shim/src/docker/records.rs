//! What the Engine API says of daemons, containers and events, as far as it is needed.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::assign::Candidate;
use super::instant::nanoseconds;
use crate::streams::Container;

/// The answer to `/info`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// The daemon's clock, RFC 3339.
    #[serde(deserialize_with = "null_as_default")]
    pub system_time: String,
    #[serde(deserialize_with = "null_as_default")]
    pub docker_root_dir: String,
}

/// An entry of `/containers/json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listed {
    pub id: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub state: String,
}

impl Listed {
    /// Whether its processes exist: a paused or restarting container's log goes on.
    pub fn is_running(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused" | "restarting")
    }

    /// Whether it has never run, and so has no log.
    pub fn is_new(&self) -> bool {
        self.state == "created"
    }
}

/// The answer to `/containers/{id}/json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Inspected {
    pub id: String,
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// The image's id.
    #[serde(deserialize_with = "null_as_default")]
    pub image: String,
    #[serde(deserialize_with = "null_as_default")]
    pub path: String,
    #[serde(deserialize_with = "null_as_default")]
    pub args: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub created: String,
    #[serde(deserialize_with = "null_as_default")]
    pub log_path: String,
    pub state: State,
    pub config: Config,
    pub host_config: HostConfig,
    #[serde(deserialize_with = "null_as_default")]
    pub network_settings: NetworkSettings,
}

/// Which networks a container is in, by name; what else is said of them is not needed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkSettings {
    #[serde(deserialize_with = "null_as_default")]
    pub networks: BTreeMap<String, IgnoredAny>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct State {
    #[serde(deserialize_with = "null_as_default")]
    pub running: bool,
    #[serde(deserialize_with = "null_as_default")]
    pub restarting: bool,
    #[serde(deserialize_with = "null_as_default")]
    pub started_at: String,
    #[serde(deserialize_with = "null_as_default")]
    pub finished_at: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    #[serde(deserialize_with = "null_as_default")]
    pub hostname: String,
    #[serde(deserialize_with = "null_as_default")]
    pub image: String,
    #[serde(deserialize_with = "null_as_default")]
    pub tty: bool,
    #[serde(deserialize_with = "null_as_default")]
    pub env: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    pub log_config: LogConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    #[serde(rename = "Type", deserialize_with = "null_as_default")]
    pub driver: String,
    #[serde(deserialize_with = "null_as_default")]
    pub config: BTreeMap<String, String>,
}

impl Inspected {
    pub fn name(&self) -> &str {
        self.name.strip_prefix('/').unwrap_or(&self.name)
    }

    /// Whether its processes exist. One that waits to be restarted Docker counts as running, too.
    pub fn is_running(&self) -> bool {
        self.state.running && !self.state.restarting
    }

    /// Whether it has ever been started.
    pub fn has_run(&self) -> bool {
        nanoseconds(&self.state.started_at).is_some()
    }

    /// When the last run ended, in nanoseconds; `None` if none ever did.
    pub fn finished(&self) -> Option<u64> {
        nanoseconds(&self.state.finished_at)
    }

    /// What it is known by when it is assigned.
    pub fn candidate(&self) -> Candidate<'_> {
        Candidate {
            id: &self.id,
            name: self.name(),
            labels: &self.config.labels,
            networks: self.network_settings.networks.keys().map(String::as_str).collect(),
        }
    }

    /// What the naming templates may see.
    pub fn container(&self, daemon_name: &str) -> Container {
        Container {
            id: self.id.clone(),
            name: self.name().to_owned(),
            image_name: self.config.image.clone(),
            image_id: self.image.clone(),
            hostname: self.config.hostname.clone(),
            daemon_name: daemon_name.to_owned(),
            entrypoint: self.path.clone(),
            args: self.args.clone(),
            env: self.config.env.clone(),
            labels: pairs(&self.config.labels),
            log_options: pairs(&self.host_config.log_config.config),
            created: self.created.clone(),
            log_path: self.log_path.clone(),
            event: String::new(),
        }
    }
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(String, String)> {
    map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A line of `/events`.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    #[serde(rename = "Action", default)]
    pub action: String,
    #[serde(rename = "Actor", default)]
    pub actor: Actor,
    /// When it happened by the daemon's clock, in nanoseconds.
    #[serde(rename = "timeNano", default)]
    pub time: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Actor {
    #[serde(rename = "ID", default)]
    pub id: String,
}

/// An error's body.
#[derive(Debug, Default, Deserialize)]
pub struct Message {
    #[serde(default)]
    pub message: String,
}

/// Go writes an empty list, map or string as `null` where it pleases.
fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_seen_as_the_templates_need_it() {
        let inspected: Inspected = serde_json::from_str(
            r#"{"Id":"1a","Name":"/web","Image":"sha256:2b","Path":"/bin/sh","Args":["-c","x"],
            "Created":"2026-11-01T00:00:00Z","LogPath":"/var/log","State":{"Running":true,"StartedAt":"a"},
            "Config":{"Hostname":"h","Image":"busybox:1","Tty":false,"Env":["A=b"],"Labels":{"z":"1","a":"2"}},
            "HostConfig":{"LogConfig":{"Type":"json-file","Config":{"max-size":"1m","max-file":"3"}}},"New":1}"#,
        )
        .unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            inspected.container("node"),
            Container {
                id: "1a".into(),
                name: "web".into(),
                image_name: "busybox:1".into(),
                image_id: "sha256:2b".into(),
                hostname: "h".into(),
                daemon_name: "node".into(),
                entrypoint: "/bin/sh".into(),
                args: vec!["-c".into(), "x".into()],
                env: vec!["A=b".into()],
                labels: vec![pair("a", "2"), pair("z", "1")],
                log_options: vec![pair("max-file", "3"), pair("max-size", "1m")],
                created: "2026-11-01T00:00:00Z".into(),
                log_path: "/var/log".into(),
                event: String::new(),
            }
        );
    }

    #[test]
    fn null_stands_for_nothing() {
        let inspected: Inspected = serde_json::from_str(
            r#"{"Id":"1a","Args":null,"Config":{"Env":null,"Labels":null},"HostConfig":{"LogConfig":{"Config":null}}}"#,
        )
        .unwrap();
        assert!(inspected.args.is_empty() && inspected.config.labels.is_empty());
    }
}
