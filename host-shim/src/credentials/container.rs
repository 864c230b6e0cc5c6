//! Credentials from an endpoint such as ECS and EKS give each task and pod.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use reqwest::Url;
use serde::Deserialize;

use crate::causes::causes;
use crate::http::tls;

/// An endpoint that hands out credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerEndpoint {
    url: Url,
    /// What is sent as `Authorization`, read each time.
    token_file: Option<PathBuf>,
}

/// What it answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

impl ContainerEndpoint {
    /// # Errors
    /// The URL is none, or would have secrets cross a network in the clear: http is for this machine and for
    /// the addresses of ECS and EKS.
    pub fn new(url: &str, token_file: Option<PathBuf>) -> Result<ContainerEndpoint, String> {
        let url: Url = url.parse().map_err(|error| format!("{url:?} is no URL: {error}"))?;
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let near = host == "localhost"
            || address
                .is_some_and(|address| address.is_loopback() || NEAR.contains(&address.to_string().as_str()));
        match url.scheme() {
            "https" => {}
            "http" if near => {}
            _ => return Err(format!("{url}: use https, or http to this machine, ECS or EKS")),
        }
        Ok(ContainerEndpoint { url, token_file })
    }

    async fn ask(&self) -> Result<Credentials, CredentialsError> {
        let mut request = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(CredentialsError::provider_error)?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(CredentialsError::provider_error)?
            .get(self.url.clone());
        if let Some(path) = &self.token_file {
            let token = tokio::fs::read_to_string(path).await.map_err(|error| {
                CredentialsError::invalid_configuration(format!("{}: {error}", path.display()))
            })?;
            request = request.header(http::header::AUTHORIZATION, token.trim());
        }
        let broken = |error: reqwest::Error| CredentialsError::provider_error(causes(&error));
        let response = request.send().await.map_err(broken)?;
        if !response.status().is_success() {
            let problem = format!("{} answered {}", self.url, response.status());
            return Err(CredentialsError::provider_error(problem));
        }
        // An error of the parser would repeat a piece of the answer.
        let answer: Answer =
            serde_json::from_slice(&response.bytes().await.map_err(broken)?).map_err(|_secret| {
                CredentialsError::provider_error(format!("{} does not answer as ECS does", self.url))
            })?;
        let expires = answer.expiration.and_then(|text| DateTime::from_str(&text, Format::DateTime).ok());
        let expires = expires.and_then(|time| SystemTime::try_from(time).ok());
        Ok(Credentials::new(
            answer.access_key_id,
            answer.secret_access_key,
            answer.token,
            expires,
            "container",
        ))
    }
}

impl ProvideCredentials for ContainerEndpoint {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.ask())
    }
}

/// ECS, and EKS over IPv4 and IPv6.
const NEAR: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_cross_no_network_in_the_clear() {
        for url in [
            "https://a.example/creds",
            "http://127.0.0.1:51679/x",
            "http://localhost",
            "http://[::1]/",
            "http://169.254.170.2/v2/x",
            "http://[fd00:ec2::23]/v1/credentials",
        ] {
            assert!(ContainerEndpoint::new(url, None).is_ok(), "{url}");
        }
        for url in ["http://a.example/creds", "http://10.0.0.1/", "ftp://127.0.0.1/", "creds", ""] {
            assert!(ContainerEndpoint::new(url, None).is_err(), "{url}");
        }
    }
}
