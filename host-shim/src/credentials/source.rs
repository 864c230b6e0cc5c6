//! Which of AWS's ways to credentials is taken.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

use super::container::ContainerEndpoint;
use super::http_client;

/// A way to credentials. It holds no secret: where one stands, it says where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsSource {
    /// What the AWS SDKs do by default: environment, profiles, web identity, ECS and EKS, EC2.
    Chain,
    /// A profile of the shared configuration files, with all that it may say.
    Profile(String),
    /// An endpoint as ECS and EKS have it.
    Container(ContainerEndpoint),
    /// Access keys that stand elsewhere.
    Keys { access_key_id: Place, secret_access_key: Place, session_token: Option<Place> },
    /// A role, assumed with a token in a file.
    WebIdentity { token_file: PathBuf, role: String, session_name: String },
    /// A role, assumed with credentials of another source.
    Role { role: String, external_id: Option<String>, session_name: String, with: Box<CredentialsSource> },
}

/// Where a secret stands: `env:NAME` or `file:PATH`. It is read each time it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Environment(String),
    File(PathBuf),
}

/// A place that is none. What was written is not repeated: it may be the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Place, NoPlace> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Place::Environment(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Place::File(PathBuf::from(path))),
            _ => Err(NoPlace),
        }
    }
}

impl Place {
    /// What stands there, without white space around it.
    fn read(&self) -> Result<String, CredentialsError> {
        let text = match self {
            Place::Environment(name) => std::env::var(name).map_err(|_| "it is not set".to_owned()),
            Place::File(path) => std::fs::read_to_string(path).map_err(|error| error.to_string()),
        };
        let text = text.map_err(|problem| CredentialsError::invalid_configuration(self.problem(&problem)))?;
        match text.trim() {
            "" => Err(CredentialsError::invalid_configuration(self.problem("it is empty"))),
            text => Ok(text.to_owned()),
        }
    }

    fn problem(&self, problem: &str) -> String {
        match self {
            Place::Environment(name) => format!("environment variable {name}: {problem}"),
            Place::File(path) => format!("{}: {problem}", path.display()),
        }
    }
}

impl CredentialsSource {
    /// The provider; `region` is where roles are assumed.
    pub(super) async fn provider(&self, region: &Region) -> SharedCredentialsProvider {
        let config =
            ProviderConfig::default().with_http_client(http_client()).with_region(Some(region.clone()));
        match self {
            CredentialsSource::Chain => SharedCredentialsProvider::new(
                DefaultCredentialsChain::builder().region(region.clone()).configure(config).build().await,
            ),
            CredentialsSource::Profile(name) => SharedCredentialsProvider::new(
                ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build(),
            ),
            CredentialsSource::Container(endpoint) => SharedCredentialsProvider::new(endpoint.clone()),
            CredentialsSource::Keys { access_key_id, secret_access_key, session_token } => {
                SharedCredentialsProvider::new(Keys {
                    access_key_id: access_key_id.clone(),
                    secret_access_key: secret_access_key.clone(),
                    session_token: session_token.clone(),
                })
            }
            CredentialsSource::WebIdentity { token_file, role, session_name } => {
                let identity = StaticConfiguration {
                    web_identity_token_file: token_file.clone(),
                    role_arn: role.clone(),
                    session_name: session_name.clone(),
                };
                SharedCredentialsProvider::new(
                    WebIdentityTokenCredentialsProvider::builder()
                        .configure(&config)
                        .static_configuration(identity)
                        .build(),
                )
            }
            CredentialsSource::Role { role, external_id, session_name, with } => {
                let with = Box::pin(with.provider(region)).await;
                let config = aws_config::defaults(BehaviorVersion::latest())
                    .http_client(http_client())
                    .region(region.clone())
                    .credentials_provider(with)
                    .load()
                    .await;
                let mut role =
                    AssumeRoleProvider::builder(role).configure(&config).session_name(session_name);
                if let Some(external_id) = external_id {
                    role = role.external_id(external_id);
                }
                SharedCredentialsProvider::new(role.build().await)
            }
        }
    }
}

/// Access keys that stand elsewhere, and may be changed there.
#[derive(Debug)]
struct Keys {
    access_key_id: Place,
    secret_access_key: Place,
    session_token: Option<Place>,
}

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let found = || {
            let token = self.session_token.as_ref().map(Place::read).transpose()?;
            // Temporary keys do not say when they end: they are looked at again before long.
            let expires = token.as_ref().map(|_| std::time::SystemTime::now() + LOOK_AGAIN_AFTER);
            let (id, secret) = (self.access_key_id.read()?, self.secret_access_key.read()?);
            Ok(Credentials::new(id, secret, token, expires, "keys"))
        };
        future::ProvideCredentials::ready(found())
    }
}

const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(15 * 60);

impl fmt::Display for NoPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("say where it stands: env:NAME or file:PATH")
    }
}

impl std::error::Error for NoPlace {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_not_a_secret() {
        assert_eq!("env:A".parse(), Ok(Place::Environment("A".to_owned())));
        assert_eq!("file:/run/a:b".parse(), Ok(Place::File(PathBuf::from("/run/a:b"))));
        for text in ["wJalrXUtnFEMI", "env:", "file:", "", "http://a"] {
            assert_eq!(text.parse::<Place>(), Err(NoPlace));
        }
        assert!(!"wJalrXUtnFEMI".parse::<Place>().unwrap_err().to_string().contains("wJalr"));
    }

    #[tokio::test]
    async fn keys_are_read_each_time() {
        let folder = std::env::temp_dir().join(format!("cloudspout-keys-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let file = |name: &str| Place::File(folder.join(name));
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        let keys = Keys { access_key_id: file("id"), secret_access_key: file("secret"), session_token: None };
        write("id", "AKID1\n");
        let missing = keys.provide_credentials().await.unwrap_err();
        assert!(crate::causes(&missing).contains("secret"), "{}", crate::causes(&missing));
        write("secret", "one\n");
        assert_eq!(keys.provide_credentials().await.unwrap().secret_access_key(), "one");
        write("secret", "two");
        assert_eq!(keys.provide_credentials().await.unwrap().secret_access_key(), "two");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
