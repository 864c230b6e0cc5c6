//! Knows which containers there are, and sees to it that each is followed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::backoff::Backoff;
use super::container::{self, Begin};
use super::engine::{EngineError, Events};
use super::records::{Event, Listed};
use super::{Shared, instant};

/// Follows all containers; returns only if the daemon cannot be asked even once.
pub(super) async fn run(shared: Arc<Shared>) -> Result<(), EngineError> {
    // Events from then on are repeated, so that what happens between two connections is seen.
    let mut since = shared.begun;
    let away_since = shared.store.last_running().map(|time| time.saturating_sub(BEAT_AGE));
    let mut supervisor = Supervisor { shared, tasks: HashMap::new(), running: JoinSet::new(), away_since };
    let mut events = supervisor.subscribe(since).await?;
    supervisor.shared.config.sight.gain();
    let mut backoff = Backoff::default();
    loop {
        let problem = supervisor.attend(events, &mut since).await;
        supervisor.away_since = Some(since.saturating_sub(BEAT_AGE));
        supervisor.shared.config.sight.lose();
        tracing::warn!("lost sight of docker's containers, trying again: {problem}");
        events = loop {
            supervisor.wait(backoff.next()).await;
            match supervisor.subscribe(since).await {
                Ok(events) => break events,
                Err(problem) => tracing::debug!("docker is still away: {problem}"),
            }
        };
        backoff.reset();
        supervisor.shared.config.sight.gain();
        tracing::info!("docker is there again");
    }
}

struct Supervisor {
    shared: Arc<Shared>,
    /// By container id.
    tasks: HashMap<String, Task>,
    running: JoinSet<()>,
    /// From when on containers may have come to their end unseen; `None`: nothing is known of before.
    away_since: Option<u64>,
}

/// What follows a container.
struct Task {
    id: Id,
    /// Tells the task that something became of its container.
    news: Arc<Notify>,
    /// A start that the task may not have seen, should it be about to end.
    started_again: bool,
}

impl Supervisor {
    /// Subscribes to events first and lists containers then: one that starts in between is seen twice,
    /// not missed.
    async fn subscribe(&mut self, since: u64) -> Result<Events, EngineError> {
        self.shared.engine.negotiate().await?;
        let events = self.shared.engine.events(Some(since)).await?;
        self.list().await?;
        self.shared.connected.send_replace(());
        Ok(events)
    }

    async fn list(&mut self) -> Result<(), EngineError> {
        let containers = self.shared.engine.containers().await?;
        let ids: BTreeSet<&str> = containers.iter().map(|listed| listed.id.as_str()).collect();
        self.shared.store.exist(&ids, instant::now());
        for (id, task) in &self.tasks {
            if !ids.contains(id.as_str()) {
                task.news.notify_one();
            }
        }
        for listed in &containers {
            self.listed(listed);
        }
        self.shared.store.beat(instant::now());
        Ok(())
    }

    fn listed(&mut self, listed: &Listed) {
        match self.tasks.get(&listed.id) {
            // Where it stands the task finds out by itself.
            Some(task) => task.news.notify_one(),
            None if listed.is_running() => self.spawn(&listed.id, Begin::Found),
            None if listed.is_new() => {}
            None => {
                let known = self.shared.store.record(&listed.id).is_some();
                if known || self.away_since.is_some() {
                    self.spawn(&listed.id, Begin::Ended { unseen_since: self.away_since });
                }
            }
        }
    }

    /// Watches until the connection is lost, and says why.
    async fn attend(&mut self, mut events: Events, since: &mut u64) -> String {
        let mut beat = interval_at(Instant::now() + BEAT, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut net = interval_at(Instant::now() + LIST_EVERY, LIST_EVERY);
        net.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        *since = event.time.max(*since);
                        self.happened(&event);
                    }
                    Some(Err(problem)) => return problem.to_string(),
                    None => return "the daemon ended its events".to_owned(),
                },
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
                _ = beat.tick() => {
                    self.shared.store.beat(instant::now());
                }
                _ = net.tick() => if let Err(problem) = self.list().await {
                    return problem.to_string();
                },
            }
        }
    }

    /// Waits, while tasks may end.
    async fn wait(&mut self, pause: Duration) {
        let pause = tokio::time::sleep(pause);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return,
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
            }
        }
    }

    fn happened(&mut self, event: &Event) {
        let id = &event.actor.id;
        tracing::debug!(container = id, "{}", event.action);
        let started = event.action == "start";
        match self.tasks.get_mut(id) {
            Some(task) => {
                task.started_again |= started;
                task.news.notify_one();
            }
            None if started => self.spawn(id, Begin::Started),
            None if event.action == "create" => self.spawn(id, Begin::Created),
            None => {}
        }
    }

    fn spawn(&mut self, id: &str, begin: Begin) {
        let news = Arc::new(Notify::new());
        let task = container::follow(Arc::clone(&self.shared), id.to_owned(), begin, Arc::clone(&news));
        let handle = self.running.spawn(task);
        self.tasks.insert(id.to_owned(), Task { id: handle.id(), news, started_again: false });
    }

    fn ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let task_id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!("following a container failed: {error}");
                error.id()
            }
        };
        let Some(id) = self.tasks.iter().find(|(_, task)| task.id == task_id).map(|(id, _)| id.clone())
        else {
            return;
        };
        if self.tasks.remove(&id).is_some_and(|task| task.started_again) {
            self.spawn(&id, Begin::Started);
        }
    }
}

/// How often the store is told that this program runs.
const BEAT: Duration = Duration::from_secs(30);
/// How old the last beat may be while the program runs, in nanoseconds, with room for a slow disk.
const BEAT_AGE: u64 = 90_000_000_000;
/// Should an event ever get lost, the list makes good for it.
const LIST_EVERY: Duration = Duration::from_secs(3_600);
