//! What the environment says.

use crate::shipper::CredentialsError;
use crate::sigv4::Credentials;

/// Variables by name. It has no `Debug`: a secret may be among them.
#[derive(Clone)]
pub struct Environment(Vec<(String, String)>);

impl Environment {
    pub fn new(variables: Vec<(String, String)>) -> Environment {
        Environment(variables)
    }

    /// A variable's value, unless that is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// The credentials that the environment holds. `how` tells people how what they set comes here.
///
/// # Errors
/// It holds none, or one half of them.
pub fn credentials(environment: &Environment, how: &str) -> Result<Credentials, CredentialsError> {
    let missing = |what: &str| Err(CredentialsError::Missing(format!("set {what}, and {how}")));
    match (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => {
            let token = environment.get("AWS_SESSION_TOKEN").map(str::to_owned);
            Ok(Credentials::new(id.to_owned(), secret.to_owned(), token, None))
        }
        (None, Some(_)) => missing("AWS_ACCESS_KEY_ID"),
        (Some(_), None) => missing("AWS_SECRET_ACCESS_KEY"),
        (None, None) => missing("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_need_an_id_and_a_secret() {
        const ID: &str = "AWS_ACCESS_KEY_ID";
        const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
        for (variables, missing) in [
            (vec![(ID, "id"), (SECRET, "secret")], None),
            (vec![(ID, "id"), (SECRET, "secret"), ("AWS_SESSION_TOKEN", "")], None),
            (vec![(ID, "id")], Some("set AWS_SECRET_ACCESS_KEY,")),
            (vec![(ID, ""), (SECRET, "secret")], Some("set AWS_ACCESS_KEY_ID,")),
            (vec![], Some("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,")),
        ] {
            let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let found = credentials(&Environment::new(owned.collect()), "hand it on").err();
            match (found, missing) {
                (None, None) => {}
                (Some(CredentialsError::Missing(text)), Some(begin)) => {
                    assert!(text.starts_with(begin) && text.ends_with("hand it on"), "{text}");
                }
                (found, _) => panic!("{variables:?}: {found:?}"),
            }
        }
    }
}
