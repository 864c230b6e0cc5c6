//! Options that say where credentials come from.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args, Command};
use cloudspout_host::{AwsCredentials, ContainerEndpoint, CredentialsSource, NoPlace, Place};

use super::awslogs::Awslogs;
use super::exit::Ending;

/// Where credentials come from; without any of these, from where every AWS tool finds them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Credentials")]
pub struct CredentialsArgs {
    /// Profile of the shared configuration files, with all that it says: keys, role, SSO, process
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Role to assume, with the credentials that the other options say or that are found
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// External id that the role asks for
    #[arg(long, requires = "role_arn", value_name = "ID")]
    role_external_id: Option<String>,
    /// Name of the role's sessions, as CloudTrail shows it
    #[arg(long, requires = "role_arn", default_value = "cloudspout", value_name = "NAME")]
    role_session_name: String,
    /// File with the token that the role is assumed with, instead of credentials
    #[arg(long, requires = "role_arn", conflicts_with_all = OTHERS, value_name = "FILE")]
    web_identity_token_file: Option<PathBuf>,
    /// Endpoint that hands out credentials as ECS and EKS have it
    #[arg(long, conflicts_with = "profile", value_name = "URL")]
    credentials_endpoint: Option<String>,
    /// File with what that endpoint wants as authorization
    #[arg(long, requires = "credentials_endpoint", value_name = "FILE")]
    credentials_endpoint_token_file: Option<PathBuf>,
    /// Where the access key's id stands: env:NAME or file:PATH
    #[arg(long, requires = "secret_access_key_from", value_parser = PlaceParser, conflicts_with_all = ["profile", "credentials_endpoint"], value_name = "WHERE")]
    access_key_id_from: Option<Place>,
    /// Where its secret stands: env:NAME or file:PATH
    #[arg(long, requires = "access_key_id_from", value_parser = PlaceParser, value_name = "WHERE")]
    secret_access_key_from: Option<Place>,
    /// Where the session token of temporary keys stands: env:NAME or file:PATH
    #[arg(long, requires = "access_key_id_from", value_parser = PlaceParser, value_name = "WHERE")]
    session_token_from: Option<Place>,
    /// Whether the endpoint was given by Docker's option.
    #[arg(skip)]
    dockers_endpoint: bool,
}

/// Understands where a secret stands. What is none is not repeated, as it is for other options: it may be the
/// secret itself.
#[derive(Clone)]
struct PlaceParser;

impl TypedValueParser for PlaceParser {
    type Value = Place;

    fn parse_ref(
        &self,
        command: &Command,
        option: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Place, clap::Error> {
        let place = value.to_str().unwrap_or_default().parse();
        place.map_err(|NoPlace| {
            let option = format!("--{}", option.and_then(Arg::get_long).unwrap_or_default());
            let mut error = clap::Error::raw(ErrorKind::ValueValidation, format!("{option}: {NoPlace}\n"));
            error.insert(ContextKind::InvalidArg, ContextValue::String(option));
            error.with_cmd(command)
        })
    }
}

const ECS: &str = "http://169.254.170.2";
/// What stands for credentials already.
const OTHERS: [&str; 3] = ["profile", "credentials_endpoint", "access_key_id_from"];

impl CredentialsArgs {
    /// Has Docker's option stand for the endpoint: a path is one at ECS's own address.
    pub fn with(self, awslogs: &Awslogs) -> CredentialsArgs {
        let Some(endpoint) = &awslogs.awslogs_credentials_endpoint else { return self };
        let url = if endpoint.starts_with('/') { format!("{ECS}{endpoint}") } else { endpoint.clone() };
        CredentialsArgs { credentials_endpoint: Some(url), dockers_endpoint: true, ..self }
    }

    /// # Errors
    /// An endpoint that cannot be asked.
    pub fn provider(&self, region: &str) -> Result<AwsCredentials, Ending> {
        Ok(AwsCredentials::of(self.source()?, region))
    }

    /// # Errors
    /// As above.
    pub fn source(&self) -> Result<CredentialsSource, Ending> {
        let session_name = self.role_session_name.clone();
        if let (Some(token_file), Some(role)) = (&self.web_identity_token_file, &self.role_arn) {
            let (token_file, role) = (token_file.clone(), role.clone());
            return Ok(CredentialsSource::WebIdentity { token_file, role, session_name });
        }
        let first = match (&self.access_key_id_from, &self.secret_access_key_from) {
            (Some(id), Some(secret)) => CredentialsSource::Keys {
                access_key_id: id.clone(),
                secret_access_key: secret.clone(),
                session_token: self.session_token_from.clone(),
            },
            _ => match (&self.profile, &self.credentials_endpoint) {
                (Some(profile), _) => CredentialsSource::Profile(profile.clone()),
                (None, Some(url)) => {
                    let token_file = self.credentials_endpoint_token_file.clone();
                    let option = if self.dockers_endpoint { "--awslogs-" } else { "--" };
                    let wrong =
                        |problem| Ending::settings(format!("{option}credentials-endpoint: {problem}"));
                    let endpoint = ContainerEndpoint::new(url, token_file).map_err(wrong)?;
                    CredentialsSource::Container(endpoint)
                }
                (None, None) => CredentialsSource::Chain,
            },
        };
        Ok(match &self.role_arn {
            Some(role) => CredentialsSource::Role {
                role: role.clone(),
                external_id: self.role_external_id.clone(),
                session_name,
                with: Box::new(first),
            },
            None => first,
        })
    }
}
