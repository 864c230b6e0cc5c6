//! What EC2's metadata service says of the machine.

use std::time::Duration;

use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};

/// The machine, as EC2 knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ec2 {
    pub instance_id: String,
    pub region: String,
}

/// Asks the metadata service, by IMDSv2; `None` where there is none. It answers at once on EC2, and never
/// elsewhere.
pub async fn ec2() -> Option<Ec2> {
    let disabled =
        std::env::var("AWS_EC2_METADATA_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    if disabled {
        return None;
    }
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let client = imds::Client::builder()
        .configure(&ProviderConfig::default().with_http_client(http))
        .max_attempts(1)
        .build();
    let ask = async {
        let instance_id = client.get("/latest/meta-data/instance-id").await.ok()?;
        let region = client.get("/latest/meta-data/placement/region").await.ok()?;
        Some(Ec2 { instance_id: instance_id.into(), region: region.into() })
    };
    tokio::time::timeout(WITHIN, ask).await.ok()?
}

const WITHIN: Duration = Duration::from_secs(3);
