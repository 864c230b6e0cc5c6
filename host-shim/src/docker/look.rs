//! Which containers there are, without following any.

use super::engine::EngineError;
use super::{Config, Shared};
use crate::positions::Store;
use crate::streams::{Container, Hub};

/// A container as it is found.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What the naming templates may see of it.
    pub container: Container,
    /// Why it would not be followed, if so.
    pub left_out: Option<&'static str>,
}

/// The containers of a daemon, running or not, the oldest first.
///
/// # Errors
/// The daemon cannot be asked.
pub async fn look(config: Config) -> Result<Vec<Seen>, EngineError> {
    let shared = Shared::connect(config, Hub::default(), Store::in_memory()).await?;
    let mut seen = Vec::new();
    for listed in shared.engine.containers().await? {
        let found = match shared.engine.inspect(&listed.id).await {
            Ok(found) => found,
            Err(EngineError::Gone(_)) => continue,
            Err(problem) => return Err(problem),
        };
        let left_out = shared.leaves_out(&found);
        seen.push(Seen { container: found.container(&shared.daemon_name), left_out });
    }
    seen.sort_by(|one, other| one.container.created.cmp(&other.container.created));
    Ok(seen)
}
