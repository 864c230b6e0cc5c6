//! Runs the endpoint by itself: `serve ADDRESS [--data DIR] [--sync] [--fault PLAN] [--region NAME] [--print] [--discard] [--any-key] [--no-verify]`.

use cloudspout_local::{Config, Endpoint, Keys, LOCAL_KEY_ID, LOCAL_SECRET, PrintMode, Sync, Work};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let mut config = Config::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--data" => config.data_dir = Some(value()?.into()),
            "--fault" => config.faults = value()?.parse()?,
            "--sync" => config.sync = Sync::EachCall,
            "--region" => config.region = Some(value()?),
            "--print" => config.print = PrintMode::Events,
            "--discard" => config.work = Work::Discard,
            "--any-key" => config.keys = Keys::AnyId,
            "--no-verify" => config.keys = Keys::Unchecked,
            address => config.listen = address.parse()?,
        }
    }
    let endpoint = Endpoint::bind(config).await?;
    eprintln!("http://{} with {LOCAL_KEY_ID} / {LOCAL_SECRET}", endpoint.address());
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    endpoint.serve(interrupted).await?;
    Ok(())
}
