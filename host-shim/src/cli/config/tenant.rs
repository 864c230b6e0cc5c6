//! What is said of a tenant, beside `run`'s options.

use clap::Args;
use cloudspout_host::Bounds;
use cloudspout_host::tenants::{Limits, Patterns, Selection};

use crate::cli::size;

/// A tenant: who it is, what is its own, and what it may take.
#[derive(Clone, Debug, Args)]
pub struct TenantArgs {
    /// What it is called in logs and metrics
    #[arg(long)]
    pub name: String,
    /// Containers with a label: KEY, or KEY=PATTERN
    #[arg(long, value_name = "LABEL", action = clap::ArgAction::Append)]
    match_label: Vec<String>,
    /// Containers of a name
    #[arg(long, value_name = "PATTERN", action = clap::ArgAction::Append)]
    match_name: Vec<String>,
    /// Containers in a network
    #[arg(long, value_name = "PATTERN", action = clap::ArgAction::Append)]
    match_network: Vec<String>,
    /// Containers of a project of Docker Compose
    #[arg(long, value_name = "PATTERN", action = clap::ArgAction::Append)]
    match_compose_project: Vec<String>,
    /// Whether containers are its own that match no tenant
    #[arg(long)]
    pub default: bool,
    /// Memory of its instance; else twice its buffer and 64 MiB
    #[arg(long, value_parser = size::bytes, value_name = "SIZE")]
    max_memory: Option<u64>,
    /// Its share of the processors when there is not enough for all, to that of others
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "WEIGHT")]
    cpu_weight: u32,
    /// Requests that it may send a second
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), value_name = "NUMBER")]
    max_requests: Option<u32>,
    /// Bytes that it may send a second; 64KiB or more
    #[arg(long, value_parser = size::bytes, value_name = "SIZE")]
    max_bytes: Option<u64>,
    /// Containers of its own that are followed at a time
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), value_name = "NUMBER")]
    max_containers: Option<u32>,
}

impl TenantArgs {
    /// Whether it makes sense, beyond each value by itself.
    pub fn check(&self) -> Result<(), String> {
        let name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(name) {
            return Err("its name may have letters, digits, and - _ . up to 64 of them".to_owned());
        }
        if self.selection()?.is_empty() && !self.default {
            return Err("no container can be its own: say match-label, match-name, match-network, \
                        match-compose-project, or default = true"
                .to_owned());
        }
        if self.max_bytes.is_some_and(|bytes| bytes < LEAST_BYTES) {
            return Err("max-bytes: less than 64KiB a second cannot carry a batch in time".to_owned());
        }
        Ok(())
    }

    pub fn selection(&self) -> Result<Selection, String> {
        let patterns = Patterns {
            labels: &self.match_label,
            names: &self.match_name,
            networks: &self.match_network,
            compose_projects: &self.match_compose_project,
        };
        Selection::parse(&patterns).map_err(|error| error.to_string())
    }

    /// # Errors
    /// Its memory does not hold its buffer.
    pub fn limits(&self, buffer: u64) -> Result<Limits, String> {
        let memory = self.max_memory.unwrap_or(buffer.saturating_mul(2).saturating_add(BESIDE));
        if memory < buffer.saturating_add(BESIDE / 2) {
            return Err(format!(
                "max-memory: {} MiB do not hold its buffer of {} MiB and what the instance itself takes, 32 MiB",
                memory >> 20,
                buffer >> 20
            ));
        }
        Ok(Limits {
            bounds: Bounds { memory: usize::try_from(memory).ok(), weight: self.cpu_weight },
            requests: self.max_requests.map(f64::from),
            bytes: self.max_bytes.map(|bytes| bytes as f64),
            containers: self.max_containers.and_then(|containers| usize::try_from(containers).ok()),
        })
    }
}

/// What an instance takes beside its buffer, in bytes.
const BESIDE: u64 = 64 << 20;
const LEAST_BYTES: u64 = 64 << 10;
