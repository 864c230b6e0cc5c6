//! Whom the endpoint believes: key pairs, with or without a session token.

use std::fmt;

use crate::clock::Timestamp;

/// Which requests count as signed.
#[derive(Clone, Debug)]
pub enum Keys {
    /// Only these, with their signatures computed and compared.
    Known(Vec<KeyPair>),
    /// Any key id: everything about the signature is checked but its value, which needs the secret.
    AnyId,
    /// Nothing is looked at.
    Unchecked,
}

impl Default for Keys {
    /// The pair that the documentation names, good for nothing but this endpoint.
    fn default() -> Keys {
        Keys::Known(vec![KeyPair::new(LOCAL_KEY_ID, LOCAL_SECRET)])
    }
}

/// An access key with its secret.
#[derive(Clone)]
pub struct KeyPair {
    id: String,
    secret: String,
    token: Option<String>,
    expires: Option<Timestamp>,
}

impl KeyPair {
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> KeyPair {
        KeyPair { id: id.into(), secret: secret.into(), token: None, expires: None }
    }

    /// Makes the pair a temporary one: requests must carry this session token.
    pub fn with_token(self, token: impl Into<String>) -> KeyPair {
        KeyPair { token: Some(token.into()), ..self }
    }

    /// From this moment on requests get `ExpiredTokenException`.
    pub fn expiring(self, at: Timestamp) -> KeyPair {
        KeyPair { expires: Some(at), ..self }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    pub(super) fn accepts_token(&self, given: Option<&str>) -> bool {
        self.token.as_deref() == given
    }

    pub(super) fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The key id accepted when no other is configured.
pub const LOCAL_KEY_ID: &str = "AKIDLOCAL";
/// Its secret, which protects nothing.
pub const LOCAL_SECRET: &str = "local-secret";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_shows_no_secret() {
        let pair = KeyPair::new("AKID", "hush").with_token("psst");
        let shown = format!("{pair:?}");
        assert!(!shown.contains("hush") && !shown.contains("psst"), "{shown}");
    }
}
