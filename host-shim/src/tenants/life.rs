//! A tenant's life: one instance after the other, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Common;
use super::roster::Member;
use crate::driver::{Means, RunError};
use crate::reports::{Counts, Reporter, Severity, Status};
use crate::streams::Phase;
use crate::usage::Usage;

/// A tenant at work.
pub struct Life {
    member: Arc<Member>,
    stop: watch::Sender<Option<u32>>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Life {
    pub fn begin(member: Arc<Member>, common: Arc<Common>) -> Life {
        let (stop, told) = watch::channel(None);
        let task = tokio::spawn(live(Arc::clone(&member), common, told));
        Life { member, stop, task }
    }

    pub fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// Tells it to deliver what it has read within so long, and to end.
    pub fn stop(&self, within: Duration) {
        let within_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
        self.stop.send_replace(Some(within_ms));
        self.member.hub().set_phase(Phase::Stopping { within_ms });
    }

    /// Waits for its end.
    pub async fn end(self) -> (Arc<Member>, Result<(), RunError>) {
        let result = match self.task.await {
            Ok(result) => result,
            Err(error) => Err(RunError::Broken(error.into())),
        };
        self.member.panel.end(result.as_ref().err().map(ToString::to_string));
        self.member.told.sum_up();
        (self.member, result)
    }
}

async fn live(
    member: Arc<Member>,
    common: Arc<Common>,
    mut stop: watch::Receiver<Option<u32>>,
) -> Result<(), RunError> {
    let tenant = member.tenant();
    let mut ladder = Ladder::of(common.pauses);
    loop {
        let hub = member.hub();
        // Told between two instances.
        if let Some(within_ms) = *stop.borrow() {
            hub.set_phase(Phase::Stopping { within_ms });
        }
        let means = Means {
            credentials: Arc::clone(&tenant.credentials),
            transport: member.egress.clone(),
            reporter: Arc::new(Heard(Arc::clone(&member))),
            dead_letters: tenant.dead_letters.clone(),
            filter: tenant.filter.clone(),
        };
        member.panel.run(hub.clone());
        let began = Instant::now();
        let run =
            tenant.runtime.run_within(&tenant.limits.bounds, hub.clone(), tenant.options.clone(), means);
        let overdue = async {
            // An instance that does not end by itself when it is told to is ended.
            let within = stop.wait_for(Option::is_some).await.ok().and_then(|within| *within);
            tokio::time::sleep(Duration::from_millis(within.unwrap_or_default().into()) + GRACE).await;
            hub.abandon();
        };
        let result = tokio::select! {
            result = run => result,
            () = overdue => return Err(RunError::Broken(wasmtime::format_err!(
                "it did not end when it was told to, and was ended"
            ))),
        };
        let stopped = stop.borrow().is_some();
        let problem = match result {
            Err(problem) if common.restarts && !stopped => problem,
            result => return result,
        };
        let pause = ladder.after(began.elapsed());
        tracing::error!(
            tenant = member.name(),
            "{problem}; it is begun again in {pause:?}, with what CloudWatch has not accepted"
        );
        member.panel.restart(&problem.to_string(), pause);
        member.renew_hub();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(_) = stop.wait_for(Option::is_some) => return Ok(()),
        }
    }
}

/// How long a tenant pauses before its next instance: each time twice as long as the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    pub first: Duration,
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Pauses {
        Pauses { first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

/// Where a tenant is on its way from the first pause to the longest.
struct Ladder {
    pauses: Pauses,
    next: Duration,
}

impl Ladder {
    fn of(pauses: Pauses) -> Ladder {
        Ladder { pauses, next: pauses.first }
    }

    /// The pause after an instance that lived for so long.
    fn after(&mut self, lived: Duration) -> Duration {
        let pause = if lived > STEADY { self.pauses.first } else { self.next };
        self.next = (pause * 2).min(self.pauses.longest);
        pause
    }
}

/// What an instance says, as the tenant's.
struct Heard(Arc<Member>);

impl Reporter for Heard {
    fn begin(&self, usage: &Arc<Usage>) {
        self.0.panel.begin(usage);
    }

    fn tell(&self, severity: Severity, text: &str) {
        if severity == Severity::Debug || self.0.said.admits() {
            self.0.told.tell(severity, text);
        }
        self.0.panel.tell(severity, text);
    }

    fn count(&self, counts: &Counts, status: &Status) {
        self.0.told.count(counts, status);
        self.0.panel.count(counts, status);
    }
}

/// An instance that lived for so long did not end for the reason of the one before.
const STEADY: Duration = Duration::from_secs(300);
/// What an instance is given to end beyond the time it was told.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::credentials::{CredentialsFailure, Identity, Provider};
    use crate::driver::{Options, Runtime};
    use crate::metrics::Board;
    use crate::reports::Form;
    use crate::tenants::{Limits, Selection, Tenant};
    use crate::transport::{Body, SendError, Transport};

    struct Nothing;

    #[wasmtime_wasi::async_trait]
    impl Transport for Nothing {
        async fn send(&self, _request: http::Request<Body>) -> Result<http::Response<Body>, SendError> {
            Err(SendError::Unreachable)
        }
    }

    #[wasmtime_wasi::async_trait]
    impl Provider for Nothing {
        async fn find(&self, _renew: bool) -> Result<Identity, CredentialsFailure> {
            Err(CredentialsFailure::Missing("none in tests".to_owned()))
        }
    }

    pub fn common() -> Common {
        Common {
            transport: Arc::new(Nothing),
            form: Form::Words,
            report_every: None,
            stop_timeout: Duration::from_secs(1),
            restarts: true,
            pauses: Pauses::default(),
            board: Board::default(),
        }
    }

    pub fn tenant(name: &str) -> Tenant {
        Tenant {
            name: name.to_owned(),
            runtime: Runtime::new().unwrap(),
            selection: Selection::default(),
            takes_rest: false,
            options: Options {
                region: "eu-central-1".to_owned(),
                log_group_name: "g".to_owned(),
                log_stream_name: "s".to_owned(),
                ..Options::default()
            },
            credentials: Arc::new(Nothing),
            dead_letters: None,
            filter: None,
            limits: Limits::default(),
            origin: String::new(),
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_begin_anew_after_a_steady_life() {
        let seconds = Duration::from_secs;
        let mut ladder = Ladder::of(Pauses::default());
        let lives = [0, 3, 0, 1, 0, 2, 0, 300, 301, 0];
        let expected = [1, 2, 4, 8, 16, 32, 60, 60, 1, 2];
        let found = lives.map(|lived| ladder.after(seconds(lived)));
        assert_eq!(found, expected.map(seconds));
    }

    #[tokio::test]
    async fn an_instance_that_breaks_down_is_begun_again_after_each_pause() {
        // The component gives up at once.
        let options = Options { log_group_name: "{{".to_owned(), ..tenant("broken").options };
        let broken = Tenant { options, ..tenant("broken") };
        let pauses = Pauses { first: Duration::from_millis(20), longest: Duration::from_millis(100) };
        let common = Arc::new(Common { pauses, ..common() });
        let member = Arc::new(Member::new(broken, &common).unwrap());
        let mut hub = member.hub();
        let life = Life::begin(Arc::clone(&member), common);
        hub.closed().await;
        for least in [20, 40, 80, 100, 100] {
            let began = Instant::now();
            hub = member.hub();
            hub.closed().await;
            let paused = began.elapsed();
            assert!(paused >= Duration::from_millis(least - 5), "{paused:?} and not {least} ms");
            assert!(paused < Duration::from_secs(10), "{paused:?} and not {least} ms");
        }
        life.stop(Duration::ZERO);
        assert!(life.end().await.1.is_ok());
    }
}
