//! Where credentials come from if the module signs: its environment, or an endpoint as ECS and EKS have.

use std::fmt;

use cloudspout::command::{Environment, credentials};
use cloudspout::lines::Clock;
use cloudspout::shipper::CredentialsError;
use cloudspout::sigv4::Credentials;
use serde::Deserialize;

/// The variables that a container on ECS finds, and that name the endpoint's path and how to ask it.
const PATH: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
/// The host of ECS's endpoint. <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>
const ECS: &str = "169.254.170.2";
/// How variables come here.
const HAND_ON: &str = "hand them on by vm_config.environment_variables";

/// Where credentials come from.
pub enum Source {
    Environment(Environment),
    Endpoint(CredentialsEndpoint),
}

/// An endpoint that is asked by HTTP, through a cluster of Envoy's.
pub struct CredentialsEndpoint {
    pub cluster: String,
    pub authority: String,
    pub path: String,
    /// The header that it wants, if it wants one; a secret.
    pub authorization: Option<String>,
}

/// What the endpoint answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

impl Source {
    /// # Errors
    /// The environment holds none, or one half of them.
    pub fn environment(environment: &Environment) -> Result<Source, String> {
        match credentials(environment, HAND_ON) {
            Ok(_) => Ok(Source::Environment(environment.clone())),
            Err(
                CredentialsError::Missing(text)
                | CredentialsError::Invalid(text)
                | CredentialsError::Unavailable(text),
            ) => Err(text),
        }
    }

    /// # Errors
    /// Nobody says what its path is, or it is none.
    pub fn endpoint(
        cluster: String,
        authority: Option<String>,
        path: Option<String>,
        environment: &Environment,
    ) -> Result<Source, String> {
        let path = path.or_else(|| environment.get(PATH).map(str::to_owned));
        let path = path.ok_or_else(|| format!("give `path`, or set {PATH} and {HAND_ON}"))?;
        if !path.starts_with('/') {
            return Err(format!("path `{path}` does not begin with /"));
        }
        Ok(Source::Endpoint(CredentialsEndpoint {
            cluster,
            authority: authority.unwrap_or_else(|| ECS.to_owned()),
            path,
            authorization: environment.get(TOKEN).map(str::to_owned),
        }))
    }
}

/// The credentials of the environment.
///
/// # Errors
/// It holds none.
pub fn of_environment(environment: &Environment) -> Result<Credentials, CredentialsError> {
    credentials(environment, HAND_ON)
}

/// The credentials that an endpoint answered with. No error repeats any of the answer: it holds a secret.
///
/// # Errors
/// It did not answer, or not with credentials.
pub fn of_answer(status: Option<u16>, body: &[u8]) -> Result<Credentials, CredentialsError> {
    let unavailable =
        |text: String| Err(CredentialsError::Unavailable(format!("the credentials endpoint {text}")));
    match status {
        Some(200) => {}
        Some(status) => return unavailable(format!("answers with status {status}")),
        None => return unavailable("does not answer".to_owned()),
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return unavailable("answers with something else than credentials".to_owned());
    };
    let expires = match answer.expiration.as_deref().map(|text| Clock::default().read(text.as_bytes())) {
        None => None,
        Some(Some((moment, _))) => Some(moment),
        Some(None) => return unavailable("says no time at which its credentials end".to_owned()),
    };
    Ok(Credentials::new(answer.access_key_id, answer.secret_access_key, answer.token, expires))
}

/// What there is to know of it without knowing a secret.
impl fmt::Debug for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Environment(_) => out.write_str("Environment"),
            Source::Endpoint(endpoint) => write!(out, "Endpoint({})", endpoint.cluster),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudspout::time::Timestamp;

    #[test]
    fn an_endpoint_answers_with_credentials_that_end() {
        let body = br#"{"RoleArn":"r","AccessKeyId":"id","SecretAccessKey":"s","Token":"t","Expiration":"2027-01-15T08:00:05Z"}"#;
        let found = of_answer(Some(200), body).ok().unwrap();
        assert_eq!(found.expires(), Some(Timestamp::from_millis(1_800_000_005_000)));
        let lasting = br#"{"AccessKeyId":"id","SecretAccessKey":"s"}"#;
        assert_eq!(of_answer(Some(200), lasting).ok().unwrap().expires(), None);
    }

    #[test]
    fn an_endpoint_that_has_none_is_told_without_its_words() {
        for (status, body, reason) in [
            (None, "", "does not answer"),
            (Some(404), "secret", "answers with status 404"),
            (Some(200), "secret", "something else than credentials"),
            (Some(200), r#"{"AccessKeyId":"secret"}"#, "something else than credentials"),
            (
                Some(200),
                r#"{"AccessKeyId":"i","SecretAccessKey":"secret","Expiration":"soon"}"#,
                "no time at which",
            ),
        ] {
            let error = format!("{:?}", of_answer(status, body.as_bytes()).err().unwrap());
            assert!(error.contains(reason) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn what_ecs_sets_is_enough() {
        let environment = Environment::new(vec![
            (PATH.to_owned(), "/v2/credentials/x".to_owned()),
            (TOKEN.to_owned(), "word".to_owned()),
        ]);
        let source = Source::endpoint("ecs".into(), None, None, &environment).unwrap();
        assert!(!format!("{source:?}").contains("word"));
        let Source::Endpoint(endpoint) = source else { panic!() };
        assert_eq!((endpoint.authority.as_str(), endpoint.path.as_str()), (ECS, "/v2/credentials/x"));
        assert_eq!(endpoint.authorization.as_deref(), Some("word"));
        let error = Source::endpoint("ecs".into(), None, Some("x".into()), &environment).unwrap_err();
        assert!(error.contains("does not begin with /"), "{error}");
    }
}
