//! `cloudspout check FILE`: whether a configuration can be used, before it is.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use cloudspout_host::filtering::Filters;
use cloudspout_host::streams::{Container, Framing, Hub, KeepNothing, Opening, Phase, Positions};
use cloudspout_host::{
    AwsCredentials, Body, CredentialsFailure, Ec2, HttpClient, Means, Nothing, Options, Provider, RunError,
    Runtime, SendError, Transport, async_trait, positions,
};
use http_body_util::{BodyExt, Full};

use super::config::{CommandLine, Config};
use super::exit::Ending;
use super::logging::{LogFormat, Logging};
use super::ship::Run;

/// Checks a configuration file, and with `--online` what it needs of AWS.
///
/// It says of each tenant whether its options can be used. With `--online` it finds the credentials of each, and
/// sends two requests that change nothing: events and a log stream for a log group that does not exist. That
/// they are answered so shows that the endpoint is there, that it takes the credentials, and that they permit
/// logs:PutLogEvents and logs:CreateLogStream. (Whether they permit logs:CreateLogGroup nothing can show but
/// making one.)
#[derive(Debug, Args)]
pub struct Check {
    /// The file
    file: PathBuf,
    /// Try credentials, endpoint and permissions
    #[arg(long)]
    online: bool,
    #[command(flatten)]
    logging: Logging,
}

/// One who ships.
struct Shipper<'a> {
    name: &'a str,
    run: Run,
}

impl Check {
    pub fn log_format(&self) -> LogFormat {
        self.logging.format()
    }

    pub fn run(self) -> Result<(), Ending> {
        let config = Config::read(&self.file, &CommandLine::default()).map_err(Ending::settings)?;
        self.logging.start();
        let mut shippers = Vec::new();
        for tenant in &config.tenants {
            let wrong = |problem: String| Ending::settings(config.error(tenant, &problem));
            let run = tenant.settled().map_err(wrong)?;
            tenant.own.limits(run.options(Ec2::default()).buffer_bytes).map_err(wrong)?;
            shippers.push(Shipper { name: &tenant.own.name, run });
        }
        if config.tenants.is_empty() {
            shippers.extend(config.top.clone().settled()?.into_iter().map(|run| Shipper { name: "", run }));
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Ending::other)?;
        let result = runtime.block_on(async {
            let component = Runtime::new()?;
            let (mut worst, mut filters) = (Ok(()), None);
            for shipper in &shippers {
                match shipper.check(&component, &mut filters, self.online).await {
                    Ok(found) => println!("{}good: {found}", shipper.title()),
                    Err(ending) => {
                        println!("{}{ending}", shipper.title());
                        worst = worst.and(Err(ending));
                    }
                }
            }
            worst
        });
        runtime.shutdown_background();
        let bad = |ending: Ending| match config.tenants.len() {
            0 => ending,
            _ => ending.with_text("not every tenant is good"),
        };
        result.map_err(bad)
    }
}

impl Shipper<'_> {
    fn title(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("tenant {:?}: ", self.name) }
    }

    async fn check(
        &self,
        component: &Runtime,
        filters: &mut Option<Filters>,
        online: bool,
    ) -> Result<String, Ending> {
        let shipping = &self.run.shipping;
        let filter = shipping.filter.load(filters).await?;
        let machine = shipping.look_around().await;
        let region = machine.region.clone();
        let provider = Arc::new(shipping.credentials.provider(&region)?);
        let options =
            Options { fail_fast: false, dead_letters: false, filter: None, ..self.run.options(machine) };
        // The component looks at its options before all else; without logs it is done then.
        let hub = Hub::default();
        hub.set_phase(Phase::Finishing);
        component.run(hub, options.clone(), means(Arc::new(Nothing), Arc::new(Nothing))).await?;
        let mut found = format!("region {region}, log group {:?}", options.log_group_name);
        if let Some(prefix) = options.confine.as_deref() {
            let literal = options.log_group_name.split("{{").next().unwrap_or_default();
            let outside = !literal.starts_with(prefix)
                && (literal.len() == options.log_group_name.len() || !prefix.starts_with(literal));
            if outside {
                return Err(Ending::settings(format!(
                    "log group {:?} can never begin with {prefix:?} (confine)",
                    options.log_group_name
                )));
            }
        }
        if filter.is_some() {
            found.push_str(", with a filter");
        }
        if online {
            self.try_online(component, options, provider).await?;
            found.push_str("; credentials, endpoint, logs:PutLogEvents and logs:CreateLogStream tried");
        }
        Ok(found)
    }

    /// Has the component ship an event to a log group that does not exist, and looks at what the service says.
    async fn try_online(
        &self,
        component: &Runtime,
        options: Options,
        provider: Arc<AwsCredentials>,
    ) -> Result<(), Ending> {
        provider.find(false).await.map_err(|failure| {
            Ending::from(RunError::Failure(cloudspout_host::Failure::Credentials(match failure {
                CredentialsFailure::Missing(text)
                | CredentialsFailure::Invalid(text)
                | CredentialsFailure::Unavailable(text) => text,
            })))
        })?;
        let literal = options.log_group_name.split("{{").next().unwrap_or_default();
        let confine = options.confine.as_deref();
        let prefix = confine.filter(|prefix| !literal.starts_with(prefix)).unwrap_or(literal);
        let group = format!("{prefix}cloudspout-check-{:016x}", options.seed);
        let options = Options {
            log_group_name: group,
            log_stream_name: "cloudspout-check".to_owned(),
            create_group: false,
            create_stream: true,
            fail_fast: true,
            flush_after: 0,
            ..options
        };
        let http = HttpClient::new(positions::Store::in_memory()).map_err(Ending::other)?;
        let witness = Arc::new(Witness { http, found: Mutex::new(Vec::new()) });
        let hub = Hub::default();
        let writer = hub.open(
            Opening {
                framing: Framing::Lines,
                start: 0,
                taken: Positions::default(),
                lost: None,
                terminal: false,
                container: Container::default(),
            },
            Arc::new(KeepNothing),
        );
        writer.write(Bytes::from_static(b"cloudspout check\n"));
        writer.end();
        hub.set_phase(Phase::Finishing);
        let run = component.run(hub, options, means(provider, witness.clone()));
        let result = tokio::time::timeout(WITHIN, run).await;
        let found = witness.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let permitted = |action: &str| found.iter().any(|(name, code)| name == action && code == MISSING);
        match result {
            _ if permitted("PutLogEvents") && permitted("CreateLogStream") => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(())) => Ok(()),
            Err(_late) => Err(Ending::other(format!("no answer within {} s", WITHIN.as_secs()))),
        }
    }
}

const WITHIN: Duration = Duration::from_secs(60);
/// What the service says of a log group that does not exist to whoever is permitted.
const MISSING: &str = "ResourceNotFoundException";

fn means(credentials: Arc<dyn Provider>, transport: Arc<dyn Transport>) -> Means {
    Means { credentials, transport, reporter: Arc::new(Nothing), dead_letters: None, filter: None }
}

/// Passes requests on, and notes the answers' error codes.
struct Witness {
    http: HttpClient,
    found: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl Transport for Witness {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, SendError> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        let action = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
        let (head, body) = self.http.send(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&body);
        let code = head.headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok());
        let missing = code.is_some_and(|code| code.contains(MISSING)) || text.contains(MISSING);
        let code = if missing { MISSING.to_owned() } else { String::new() };
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push((action, code));
        let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
        Ok(http::Response::from_parts(head, body))
    }
}
