//! Instances of the component beside each other, each with its source, until all are through.

use std::fs::File;
use std::future::{Future, poll_fn};
use std::os::fd::AsFd;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cloudspout_host::filtering::Filters;
use cloudspout_host::metrics::{Board, Owner};
use cloudspout_host::positions::Store;
use cloudspout_host::serve::Door;
use cloudspout_host::streams::{Hub, Phase};
use cloudspout_host::{DeadLetters, HttpClient, Means, Options, Runtime, Tracing};

use super::exit::Ending;
use super::shipping::{Life, Shipping, millis};
use super::signals::Signals;

/// One instance, and what it reads.
pub struct Lane {
    shipping: Shipping,
    name: Box<dyn FnOnce(&mut Options)>,
    open: Box<dyn FnOnce(Hub, Board) -> Waiting<Opened>>,
}

/// A source, and where its positions are kept.
type Opened = (Waiting<()>, Store);
type Waiting<T> = Pin<Box<dyn Future<Output = Result<T, Ending>>>>;

impl Lane {
    /// `name` sets the options that say where events go; `open` gives the source, and where positions are kept, and
    /// shows on the board what else is to be seen.
    pub fn new<O, S>(
        shipping: Shipping,
        name: impl FnOnce(&mut Options) + 'static,
        open: impl FnOnce(Hub, Board) -> O + 'static,
    ) -> Lane
    where
        O: Future<Output = Result<(S, Store), Ending>> + 'static,
        S: Future<Output = Result<(), Ending>> + 'static,
    {
        let open = |hub, board| -> Waiting<Opened> {
            let opening = open(hub, board);
            Box::pin(async {
                let (source, store) = opening.await?;
                let source: Waiting<()> = Box::pin(source);
                Ok((source, store))
            })
        };
        Lane { shipping, name: Box::new(name), open: Box::new(open) }
    }
}

/// A lane that is under way.
struct Running {
    instance: Waiting<()>,
    source: Waiting<()>,
    hub: Hub,
    store: Store,
    reporter: Arc<Tracing>,
}

/// What being told to stop begins with.
enum Stop {
    /// Nothing more is read.
    Reading,
    /// Nothing more is let in; what is inside is read and delivered.
    LettingIn(Door),
}

/// Runs the component beside its source, for each lane, until all are through.
pub fn ship(life: Life, lanes: Vec<Lane>) -> Result<(), Ending> {
    run(life, lanes, &Stop::Reading)
}

/// Runs the component beside a source that takes what comes in through a door.
pub fn ship_through(door: Door, lane: Lane) -> Result<(), Ending> {
    run(Life::Long, vec![lane], &Stop::LettingIn(door))
}

fn run(life: Life, lanes: Vec<Lane>, stop: &Stop) -> Result<(), Ending> {
    let Some(Lane { shipping, .. }) = lanes.first() else { return Ok(()) };
    let (stop_timeout, metrics, format) =
        (shipping.stop_timeout, shipping.metrics.clone(), shipping.logging.format());
    shipping.logging.clone().start();
    // One thread: the component's work is what there is to do, and handing bytes between threads would cost
    // more than it could save.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Ending::other)?;
    let result = runtime.block_on(async {
        let signals = Signals::listen().map_err(Ending::other)?;
        let board = Board::default();
        metrics.show(&board, format).await?;
        let component = Runtime::new()?;
        let alone = lanes.len() == 1;
        let (mut running, mut filters) = (Vec::new(), None);
        for (number, lane) in (1..).zip(lanes) {
            let owner = if alone { Owner::Program } else { Owner::Route(number) };
            running.push(start(&component, &mut filters, life, lane, &board, owner).await?);
        }
        let (mut instances, mut sources, mut hubs, mut after) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for Running { instance, source, hub, store, reporter } in running {
            instances.push(instance);
            sources.push(source);
            hubs.push(hub);
            after.push((store, reporter));
        }
        let mut result =
            together(all(life, instances), all(life, sources), &hubs, signals, stop, stop_timeout).await;
        for (store, reporter) in after {
            reporter.sum_up();
            result = result.and(store.flush().await.map_err(Ending::other));
        }
        result
    });
    // A blocking lookup of a name, or a read of a terminal, is not worth waiting for.
    runtime.shutdown_background();
    result
}

async fn start(
    component: &Runtime,
    filters: &mut Option<Filters>,
    life: Life,
    lane: Lane,
    board: &Board,
    owner: Owner,
) -> Result<Running, Ending> {
    let Lane { shipping, name, open } = lane;
    let machine = shipping.look_around().await;
    let region = machine.region.clone();
    let mut options = shipping.options(life, machine);
    name(&mut options);
    let every = shipping.report_every;
    let reporter = Arc::new(Tracing::new(shipping.logging.form(), (!every.is_zero()).then_some(every)));
    let dead_letters = shipping.dead_letter.as_deref().map(open_dead_letters).transpose()?;
    let panel = board.panel(owner);
    let hub = Hub::default();
    let (source, store) = open(hub.clone(), board.clone()).await?;
    let http = Arc::new(HttpClient::new(store.clone()).map_err(Ending::other)?);
    let means = Means {
        credentials: Arc::new(shipping.credentials.provider(&region)?),
        transport: http,
        reporter: Arc::new((Arc::clone(&reporter), Arc::clone(&panel))),
        dead_letters,
        filter: shipping.filter.load(filters).await?,
    };
    panel.run(hub.clone());
    let (component, theirs) = (component.clone(), hub.clone());
    let instance: Waiting<()> = Box::pin(async move {
        let result = component.run(theirs, options, means).await;
        panel.end(result.as_ref().err().map(ToString::to_string));
        result.map_err(Ending::from)
    });
    Ok(Running { instance, source, hub, store, reporter })
}

/// Waits for all. The first failure is all of theirs; where each has its own end, the others come to it first.
async fn all(life: Life, futures: Vec<Waiting<()>>) -> Result<(), Ending> {
    let mut waiting: Vec<_> = futures.into_iter().map(Some).collect();
    let mut failed = None;
    poll_fn(move |context| {
        for slot in &mut waiting {
            let Some(future) = slot else { continue };
            let Poll::Ready(result) = future.as_mut().poll(context) else { continue };
            *slot = None;
            if let Err(ending) = result {
                failed.get_or_insert(ending);
            }
        }
        let over = waiting.iter().all(Option::is_none);
        match failed.take() {
            Some(ending) if over || life == Life::Long => Poll::Ready(Err(ending)),
            None if over => Poll::Ready(Ok(())),
            pending => {
                failed = pending;
                Poll::Pending
            }
        }
    })
    .await
}

/// Runs the instances and their sources until the instances end, a source fails, or a second signal comes.
async fn together(
    instances: impl Future<Output = Result<(), Ending>>,
    sources: impl Future<Output = Result<(), Ending>>,
    hubs: &[Hub],
    mut signals: Signals,
    stop: &Stop,
    stop_timeout: Duration,
) -> Result<(), Ending> {
    let instances = std::pin::pin!(instances);
    let sources = async {
        match sources.await {
            // The component says when it is through with what was read.
            Ok(()) => std::future::pending().await,
            Err(ending) => ending,
        }
    };
    let stopped = async {
        signals.next().await;
        tracing::info!(
            "told to stop: delivering what has been read, for {} s at most",
            stop_timeout.as_secs()
        );
        let set_phase = |phase| hubs.iter().for_each(|hub| hub.set_phase(phase));
        match stop {
            Stop::Reading => set_phase(Phase::Stopping { within_ms: millis(stop_timeout) }),
            Stop::LettingIn(door) => {
                door.close();
                set_phase(Phase::Finishing);
                tokio::select! {
                    () = signals.next() => return,
                    () = tokio::time::sleep(stop_timeout) => set_phase(Phase::Stopping { within_ms: 0 }),
                }
            }
        }
        signals.next().await;
    };
    let result = tokio::select! {
        biased;
        result = instances => result,
        ending = sources => return Err(ending),
        () = stopped => return Err(Ending::unfinished("told to stop a second time: ended at once")),
    };
    if let Stop::LettingIn(door) = stop {
        door.close();
        // Those who wait inside are still to be told.
        let _ = tokio::time::timeout(LEAVE_WITHIN, door.empty()).await;
    }
    result
}

/// How long those who have been answered may take to read it.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// Opens the file that refused events go to.
pub(super) fn open_dead_letters(path: &Path) -> Result<DeadLetters, Ending> {
    let letters = DeadLetters::open(path)
        .map_err(|problem| Ending::settings(format!("dead letters cannot be kept: {problem}")))?;
    let input = std::io::stdin().as_fd().try_clone_to_owned().map(File::from);
    if input.is_ok_and(|input| letters.is(&input)) {
        let path = path.display();
        return Err(Ending::settings(format!(
            "{path} is read and written at once, which may never end; move it away first"
        )));
    }
    Ok(letters)
}
