//! Containers' lives, when their logs are read from files.

use std::fs;
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;

use super::component::Component;
use super::daemon::{Daemon, id};
use super::{config, run_container};
use crate::docker::{Assign, Backlog, Candidate, Config, EngineError, Extent, Seat, Source, run};
use crate::positions::Store;
use crate::streams::{Framing, Hub, LossCause, Pause, Phase};

fn begin(daemon: &Daemon, store: &Store, config: Config) -> (Component, JoinHandle<Result<(), EngineError>>) {
    let hub = Hub::default();
    let config = Config { source: Source::Auto, docker_root: Some(daemon.root()), ..config };
    let source = tokio::spawn(run(config, hub.clone(), store.clone()));
    (Component::new(hub), source)
}

fn follow(daemon: &Daemon) -> Component {
    begin(daemon, &Store::in_memory(), config(daemon, Extent::Follow)).0
}

fn start(daemon: &Daemon, name: &str, text: &str) {
    daemon.create(name, &[]);
    daemon.log_to_file(name, text);
    daemon.start(name);
}

#[tokio::test]
async fn a_life_of_stops_starts_and_rotations_is_read_from_the_file() {
    let daemon = Daemon::new();
    start(&daemon, "web", "one\n");
    let mut component = follow(&daemon);
    component.until(|component| component.text_of("web") == "one\n").await;
    daemon.log_to_file("web", "half");
    daemon.stop("web");
    component.until(|component| component.of("web").unwrap().pauses == [Pause::Stopped]).await;
    assert_eq!(component.text_of("web"), "one\nhalf");
    let file = daemon.log_file("web");
    fs::rename(&file, file.with_extension("log.1")).unwrap();
    daemon.log_to_file("web", "two\n");
    daemon.start("web");
    component.until(|component| component.text_of("web") == "one\nhalftwo\n").await;
    daemon.log_to_file("web", "three\n");
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
    daemon.stop("web");
    daemon.remove("web");
    component.until(|component| component.of("web").unwrap().pauses.last() == Some(&Pause::Ended)).await;
    let seen = component.of("web").unwrap();
    assert_eq!((seen.text().as_str(), seen.repeated, seen.malformed), ("one\nhalftwo\nthree\n", 0, 0));
    assert_eq!((seen.opening.framing, daemon.requests("/logs")), (Framing::JsonFile, 0));
}

#[tokio::test]
async fn a_container_that_is_gone_when_it_is_looked_at_is_read_all_the_same() {
    let daemon = Daemon::new();
    let mut component = follow(&daemon);
    while daemon.requests("/containers/json") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    start(&daemon, "quick", "one\n");
    component.until(|component| component.of("quick").is_some()).await;
    daemon.log_to_file("quick", "two\n");
    fs::remove_dir_all(daemon.log_file("quick").parent().unwrap()).unwrap();
    daemon.stop("quick");
    daemon.remove("quick");
    component.until(|component| component.of("quick").unwrap().pauses.last() == Some(&Pause::Ended)).await;
    assert_eq!(component.text_of("quick"), "one\ntwo\n");
}

#[tokio::test]
async fn a_log_that_is_rotated_away_before_the_start_is_heard_of_is_read_whole() {
    let daemon = Daemon::new();
    let mut component = follow(&daemon);
    while daemon.requests("/containers/json") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    daemon.create("fast", &[]);
    while daemon.requests(&id("fast")) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    daemon.log_to_file("fast", "one\n");
    component.until(|component| component.text_of("fast") == "one\n").await;
    fs::remove_file(daemon.log_file("fast")).unwrap();
    daemon.log_to_file("fast", "two\n");
    daemon.start("fast");
    component.until(|component| component.text_of("fast") == "one\ntwo\n").await;
}

/// Has containers go to the hub of the moment.
#[derive(Clone, Default)]
struct Hubs(Arc<Mutex<Hub>>);

impl Hubs {
    fn now(&self) -> Hub {
        self.0.lock().unwrap().clone()
    }

    /// The instance that reads breaks down, and another takes its place.
    fn renew(&self) -> Component {
        let old = std::mem::take(&mut *self.0.lock().unwrap());
        old.abandon();
        for id in 1..=10 {
            old.release(id);
        }
        old.close();
        Component::new(self.now())
    }
}

#[wasmtime_wasi::async_trait]
impl Assign for Hubs {
    async fn assign(&self, _candidate: &Candidate<'_>) -> Option<Seat> {
        Some(Seat { hub: self.now(), keep: None })
    }

    fn finish(&self) {
        self.now().set_phase(Phase::Finishing);
    }
}

#[tokio::test]
async fn a_container_that_is_gone_is_read_again_if_who_read_it_breaks_down() {
    let daemon = Daemon::new();
    let hubs = Hubs::default();
    let store = Store::in_memory();
    let config =
        Config { source: Source::Auto, docker_root: Some(daemon.root()), ..config(&daemon, Extent::Follow) };
    let _source = tokio::spawn(run(config, hubs.clone(), store.clone()));
    start(&daemon, "brief", "one\n");
    let mut first = Component::new(hubs.now());
    first.until(|component| component.text_of("brief") == "one\n").await;
    first.accept();
    daemon.log_to_file("brief", "two\n");
    fs::remove_dir_all(daemon.log_file("brief").parent().unwrap()).unwrap();
    daemon.stop("brief");
    daemon.remove("brief");
    let ended = |component: &Component| {
        component.of("brief").is_some_and(|seen| seen.pauses.last() == Some(&Pause::Ended))
    };
    first.read_until(ended).await;
    assert_eq!(first.text_of("brief"), "one\ntwo\n");
    // The second line was not accepted.
    let mut second = hubs.renew();
    second.read_until(ended).await;
    assert_eq!(second.text_of("brief"), "two\n");
    let mut third = hubs.renew();
    third.until(ended).await;
    assert_eq!((third.text_of("brief").as_str(), third.of("brief").unwrap().repeated), ("two\n", 0));
    // Once all is accepted there is nothing to hold.
    third.accept();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let mut fourth = hubs.renew();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    fourth.turn();
    assert!(fourth.of("brief").is_none());
}

#[tokio::test]
async fn the_next_life_goes_on_in_the_file() {
    let daemon = Daemon::new();
    start(&daemon, "web", "one\n");
    let store = Store::in_memory();
    let (mut component, source) = begin(&daemon, &store, config(&daemon, Extent::Follow));
    component.until(|component| component.text_of("web") == "one\n").await;
    component.accept();
    source.abort();
    assert!(source.await.is_err());
    assert!(store.record(&id("web")).unwrap().stdout.unwrap().file.is_some());
    daemon.log_to_file("web", "two\n");
    let (mut component, _source) = begin(&daemon, &store, config(&daemon, Extent::Follow));
    component.until(|component| component.text_of("web") == "two\n").await;
    assert_eq!(component.of("web").unwrap().repeated, 0);
}

#[tokio::test]
async fn what_was_rotated_away_between_two_lives_is_said() {
    let daemon = Daemon::new();
    start(&daemon, "web", "one\n");
    let store = Store::in_memory();
    let (mut component, source) = begin(&daemon, &store, config(&daemon, Extent::Follow));
    component.until(|component| component.text_of("web") == "one\n").await;
    assert_eq!(component.of("web").unwrap().opening.lost, None);
    component.accept();
    source.abort();
    assert!(source.await.is_err());
    fs::remove_file(daemon.log_file("web")).unwrap();
    daemon.log_to_file("web", "three\n");
    let (mut component, _source) = begin(&daemon, &store, config(&daemon, Extent::Follow));
    component.until(|component| component.text_of("web") == "three\n").await;
    let lost = component.of("web").unwrap().opening.lost.unwrap();
    assert_eq!(lost.cause, LossCause::Rotated);
}

#[tokio::test]
async fn once_reads_files_to_where_they_stand() {
    let daemon = Daemon::new();
    start(&daemon, "web", "one\n");
    start(&daemon, "stopped", "two\n");
    daemon.stop("stopped");
    let (mut component, source) = begin(&daemon, &Store::in_memory(), config(&daemon, Extent::Once));
    component.until(Component::is_over).await;
    assert_eq!(source.await.unwrap(), Ok(()));
    assert_eq!(
        (component.text_of("web").as_str(), component.text_of("stopped").as_str()),
        ("one\n", "two\n")
    );
}

#[tokio::test]
async fn without_its_backlog_a_running_container_is_read_from_now_on() {
    let daemon = Daemon::new();
    start(&daemon, "web", "one\n");
    let config = Config { backlog: Backlog::Now, ..config(&daemon, Extent::Follow) };
    let (mut component, _source) = begin(&daemon, &Store::in_memory(), config);
    component.until(|component| component.of("web").is_some()).await;
    daemon.log_to_file("web", "two\n");
    component.until(|component| component.text_of("web") == "two\n").await;
}

#[tokio::test]
async fn where_there_is_no_file_the_api_is_read() {
    let daemon = Daemon::new();
    run_container(&daemon, "web", "one\n");
    let mut component = follow(&daemon);
    component.until(|component| component.text_of("web") == "one\n").await;
    assert_eq!(component.of("web").unwrap().opening.framing, Framing::FramesWithTimes);
}
