//! `cloudspout run --config FILE` with tenants: an instance each, one reader of Docker for all.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cloudspout_host::docker;
use cloudspout_host::filtering::{Filter, Filters};
use cloudspout_host::metrics::Board;
use cloudspout_host::tenants::{Common, Ended, Overlap, Pauses, Tenant, Tenants};
use cloudspout_host::{AwsCredentials, Ec2, HttpClient, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::config::{CommandLine, Config, ConfigError, ProgramKeys};
use super::exit::Ending;
use super::lanes::open_dead_letters;
use super::ship::{OverlapArg, open_store, raise_file_limit};
use super::signals::Signals;

/// Runs what a file says.
pub fn run(path: &Path) -> Result<(), Ending> {
    let line = CommandLine::of_this_process();
    let config = Config::read(path, &line).map_err(Ending::settings)?;
    if config.tenants.is_empty() {
        return config.top.run_alone();
    }
    config.top.shipping.logging.clone().start();
    raise_file_limit();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // Instances take turns on the processors; the thread more is for what the host has to do.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors + 1)
        .enable_all()
        .build()
        .map_err(Ending::other)?;
    let result = runtime.block_on(async {
        let room = room_for(config.tenants.len());
        let component = Runtime::shared(room, processors)?;
        let said = config.program.clone();
        Program { path: path.to_owned(), line, said, room, component, filters: None }.run(config).await
    });
    // A blocking lookup of a name is not worth waiting for.
    runtime.shutdown_background();
    result
}

/// Instances that there may be at a time: each has its address space from the start.
fn room_for(tenants: usize) -> u32 {
    u32::try_from(tenants.saturating_mul(2)).unwrap_or(u32::MAX).clamp(LEAST_ROOM, MOST_ROOM)
}

const LEAST_ROOM: u32 = 64;
const MOST_ROOM: u32 = 8_192;

/// What stays the same whatever becomes of the file.
struct Program {
    path: PathBuf,
    line: CommandLine,
    /// What was said of it when it was started.
    said: ProgramKeys,
    /// Instances that there may be at a time.
    room: u32,
    component: Runtime,
    /// Once somebody has one.
    filters: Option<Filters>,
}

impl Program {
    async fn run(&mut self, config: Config) -> Result<(), Ending> {
        let mut signals = Signals::listen().map_err(Ending::other)?;
        let mut changes = Changes::of(&self.path, config.top.watch_config).map_err(Ending::other)?;
        let top = &config.top;
        let board = Board::default();
        top.shipping.metrics.show(&board, top.shipping.logging.format()).await?;
        let store = open_store(top.state_dir.as_deref())?;
        let http = HttpClient::new(store.clone()).map_err(Ending::other)?;
        let report_every = top.shipping.report_every;
        let common = Common {
            transport: Arc::new(http),
            form: top.shipping.logging.form(),
            report_every: (!report_every.is_zero()).then_some(report_every),
            stop_timeout: top.shipping.stop_timeout,
            restarts: !top.once,
            pauses: Pauses::default(),
            board: board.clone(),
        };
        let overlap = match top.on_overlap {
            OverlapArg::Refuse => Overlap::Refuse,
            OverlapArg::First => Overlap::First,
        };
        let mut tenants = Tenants::new(common, overlap);
        let all = self.assemble(&config).await.map_err(Ending::settings)?;
        tenants.apply(all).await.map_err(Ending::settings)?;
        tracing::info!("{} tenants", config.tenants.len());
        // Routes and the like say where one ships to, and tenants say that each for itself.
        let docker = top.docker()?;
        board.add(docker.sight.clone());
        let source = docker::run(docker, tenants.roster(), store.clone());
        let mut source = tokio::spawn(source);
        loop {
            tokio::select! {
                biased;
                () = signals.next() => {
                    tracing::info!(
                        "told to stop: delivering what has been read, for {} s at most",
                        top.shipping.stop_timeout.as_secs()
                    );
                    tenants.stop();
                    break;
                }
                read = &mut source => {
                    read.map_err(Ending::other)??;
                    break;
                }
                () = changes.next() => self.reload(&mut tenants).await,
            }
        }
        let ended = pin!(tenants.ended());
        let ended = tokio::select! {
            biased;
            ended = ended => ended,
            () = signals.next() => return Err(Ending::unfinished("told to stop a second time: ended at once")),
        };
        source.abort();
        sum_up(ended).and(store.flush().await.map_err(Ending::other))
    }

    /// Has what the file says now; what is wrong with it is said, and changes nothing.
    async fn reload(&mut self, tenants: &mut Tenants) {
        let change = async {
            let config = Config::read(&self.path, &self.line).map_err(|error| error.to_string())?;
            if config.tenants.is_empty() {
                return Err("it has no tenants any more: that takes a restart".to_owned());
            }
            if config.tenants.len() > self.room as usize {
                return Err(format!(
                    "it has {} tenants, and by what there were at the start there is room for {}: that takes a restart",
                    config.tenants.len(),
                    self.room
                ));
            }
            let unlike = self.said.unlike(&config.program);
            if !unlike.is_empty() {
                tracing::warn!(
                    "{}: what is said of the whole program takes a restart, and until then holds as it was at the \
                     start: {}",
                    self.path.display(),
                    unlike.join(", ")
                );
            }
            let all = self.assemble(&config).await.map_err(|error| error.to_string())?;
            tenants.apply(all).await
        };
        match change.await {
            Ok(change) => tracing::info!(
                "{} was read again: {} tenants as before, ended: [{}], begun: [{}]",
                self.path.display(),
                change.kept,
                change.ended.join(", "),
                change.begun.join(", ")
            ),
            Err(problem) => {
                tracing::error!("{} is not used, and all stays as it is: {problem}", self.path.display());
            }
        }
    }

    async fn assemble(&mut self, config: &Config) -> Result<Vec<Tenant>, ConfigError> {
        let mut all = Vec::new();
        let mut looked = None;
        for tenant in &config.tenants {
            let wrong = |text: String| config.error(tenant, &text);
            let run = tenant.settled().map_err(wrong)?;
            let shipping = &run.shipping;
            // What this machine is, is looked for once, and only if somebody does not say.
            let machine = match (&looked, shipping.names_region()) {
                (Some(looked), false) => Ec2::clone(looked),
                (_, true) => shipping.look_around().await,
                (None, false) => looked.insert(shipping.look_around().await).clone(),
            };
            let region = machine.region.clone();
            let source = shipping.credentials.source().map_err(|error| wrong(error.to_string()))?;
            let mut options = run.options(machine);
            // What may leave a tenant is bounded: elsewhere its containers get only by its own word.
            if options.allow_regions.is_empty() {
                options.allow_regions.push(region.clone());
            }
            let dead_letters = shipping.dead_letter.as_deref().map(open_dead_letters).transpose();
            let filter = shipping.filter.load(&mut self.filters).await;
            let filter = filter.map_err(|error| wrong(error.to_string()))?;
            let digest = filter.as_ref().map(Filter::digest).unwrap_or_default();
            all.push(Tenant {
                name: tenant.own.name.clone(),
                runtime: self.component.clone(),
                selection: tenant.own.selection().map_err(wrong)?,
                takes_rest: tenant.own.default,
                credentials: Arc::new(AwsCredentials::of(source, &region)),
                dead_letters: dead_letters.map_err(|error| wrong(error.to_string()))?,
                limits: tenant.own.limits(options.buffer_bytes).map_err(wrong)?,
                // A filter that has changed is another one, whatever its name.
                origin: format!("{}{digest:02x?}", tenant.said),
                filter,
                options,
            });
        }
        Ok(all)
    }
}

/// Tells when the file is to be read again.
struct Changes {
    hangup: Signal,
    path: PathBuf,
    /// What the file was last like, if it is watched.
    seen: Option<Option<Vec<u8>>>,
}

impl Changes {
    fn of(path: &Path, watches: bool) -> std::io::Result<Changes> {
        let seen = watches.then(|| std::fs::read(path).ok());
        Ok(Changes { hangup: signal(SignalKind::hangup())?, path: path.to_owned(), seen })
    }

    /// Returns when it is, again each time.
    async fn next(&mut self) {
        let Changes { hangup, path, seen } = self;
        let changed = async {
            let Some(seen) = seen else { return std::future::pending().await };
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let now = tokio::fs::read(&*path).await.ok();
                // A file that is away for a moment is being replaced.
                if now.is_some() && now != *seen {
                    *seen = now;
                    return;
                }
            }
        };
        tokio::select! {
            _ = hangup.recv() => {}
            () = changed => {}
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How it ended for all: with the code of the first who did not end well, and each said.
fn sum_up(ended: Vec<Ended>) -> Result<(), Ending> {
    let mut first = None;
    for (name, result) in ended {
        let Err(error) = result else { continue };
        let ending = Ending::from(error).of_tenant(&name);
        match &first {
            None => first = Some(ending),
            Some(_) => tracing::error!("{ending}"),
        }
    }
    first.map_or(Ok(()), Err)
}
