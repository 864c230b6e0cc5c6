//! Credentials for AWS, found the way every AWS tool finds them.

mod container;
mod source;

pub use container::ContainerEndpoint;
pub use source::{CredentialsSource, NoPlace, Place};

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_config::imds::client::error::TokenError;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::task::JoinHandle;
use wasmtime_wasi::p2::Pollable;

use crate::causes::causes;

/// What a request is signed with. It has no `Debug`.
pub struct Identity {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
    /// Nanoseconds since 1970; none if they do not end.
    pub expires: Option<u64>,
}

/// Why there are no credentials; `failure` of `credentials` in the WIT says what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsFailure {
    Missing(String),
    Invalid(String),
    Unavailable(String),
}

type Found = Result<Identity, CredentialsFailure>;

/// A source of credentials for one instance.
#[wasmtime_wasi::async_trait]
pub trait Provider: Send + Sync {
    /// Finds credentials. With `renew`, those found before were refused.
    async fn find(&self, renew: bool) -> Result<Identity, CredentialsFailure>;
}

/// Credentials by one of AWS's ways.
pub struct AwsCredentials {
    provider: tokio::sync::OnceCell<SharedCredentialsProvider>,
    source: CredentialsSource,
    region: Region,
}

impl AwsCredentials {
    /// The default chain of the AWS SDKs: environment, profiles (also SSO, processes and roles), web identity,
    /// ECS and EKS, EC2. `region` is where roles are assumed.
    pub fn new(region: &str) -> AwsCredentials {
        AwsCredentials::of(CredentialsSource::Chain, region)
    }

    /// One source and no other.
    pub fn of(source: CredentialsSource, region: &str) -> AwsCredentials {
        let region = Region::new(region.to_owned());
        AwsCredentials { provider: tokio::sync::OnceCell::new(), source, region }
    }
}

#[wasmtime_wasi::async_trait]
impl Provider for AwsCredentials {
    async fn find(&self, _renew: bool) -> Found {
        let provider = self.provider.get_or_init(|| self.source.provider(&self.region)).await;
        // It keeps nothing: every call asks the source anew.
        let found = provider.provide_credentials().await.map_err(failure)?;
        let expires = found.expiry().and_then(|expires| expires.duration_since(UNIX_EPOCH).ok());
        Ok(Identity {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: found.secret_access_key().to_owned(),
            session_token: found.session_token().map(str::to_owned),
            expires: expires.map(|expires| u64::try_from(expires.as_nanos()).unwrap_or(u64::MAX)),
        })
    }
}

fn failure(error: CredentialsError) -> CredentialsFailure {
    match &error {
        CredentialsError::CredentialsNotLoaded(_) => CredentialsFailure::Missing(WAYS.to_owned()),
        CredentialsError::InvalidConfiguration(_) => CredentialsFailure::Invalid(causes(&error)),
        error if metadata_refused(error) => {
            CredentialsFailure::Missing(format!("{WAYS}; EC2's metadata service refuses to hand any out"))
        }
        error => CredentialsFailure::Unavailable(causes(error)),
    }
}

const WAYS: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or give this machine, task or pod a role";

/// Whether the last of the chain, EC2's metadata service, answered that it gives no session: turned off for
/// this machine, or out of a container's reach (its hop limit). Waiting does not mend that.
fn metadata_refused(error: &CredentialsError) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<TokenError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The Region that the environment, the profile or the EC2 machine names.
pub async fn default_region() -> Option<String> {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()).load();
    let config = tokio::time::timeout(REGION_WITHIN, config).await.ok()?;
    Some(config.region()?.as_ref().to_owned())
}

/// EC2's metadata answer at once, or there are none.
const REGION_WITHIN: Duration = Duration::from_secs(3);

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// A lookup under way; see `lookup` in the WIT.
pub struct Lookup {
    task: Option<JoinHandle<Found>>,
    found: Option<Found>,
}

impl Lookup {
    pub fn start(provider: &Arc<dyn Provider>, renew: bool) -> Lookup {
        let provider = Arc::clone(provider);
        let task = tokio::spawn(async move { provider.find(renew).await });
        Lookup { task: Some(task), found: None }
    }

    /// The answer, once there is one.
    pub fn take(&mut self) -> Option<Found> {
        self.found.take()
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        if let Some(task) = &mut self.task {
            let lost = |_| Err(CredentialsFailure::Unavailable("the lookup was given up".to_owned()));
            self.found = Some(task.await.unwrap_or_else(lost));
            self.task = None;
        }
    }
}
