//! Containers' lives, as an imitation of the Engine API plays them.

mod component;
mod daemon;
mod from_files;

use std::time::Duration;

use component::Component;
use daemon::{Daemon, id};
use tokio::task::JoinHandle;

use super::{Address, Backlog, Config, EngineError, Extent, Filter, Sight, Source, run};
use crate::positions::Store;
use crate::streams::{Hub, Pause};

/// The end of a log is read once more when its container stops.
const STOPPED: [Pause; 2] = [Pause::Interrupted, Pause::Stopped];

fn config(daemon: &Daemon, extent: Extent) -> Config {
    Config {
        address: Address::Unix(daemon.socket()),
        extent,
        backlog: Backlog::Beginning,
        source: Source::Api,
        docker_root: None,
        filter: Filter::default(),
        sight: Sight::default(),
    }
}

/// The source under test, with a component that reads.
fn begin(daemon: &Daemon, store: &Store) -> (Component, JoinHandle<Result<(), EngineError>>) {
    let hub = Hub::default();
    let source = tokio::spawn(run(config(daemon, Extent::Follow), hub.clone(), store.clone()));
    (Component::new(hub), source)
}

fn follow(daemon: &Daemon) -> Component {
    begin(daemon, &Store::in_memory()).0
}

fn run_container(daemon: &Daemon, name: &str, line: &str) {
    daemon.create(name, &[]);
    daemon.start(name);
    daemon.log(name, line);
}

async fn until_request(component: &mut Component, daemon: &Daemon, containing: &str) {
    while daemon.requests(containing) == 0 {
        component.turn();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn containers_that_run_and_those_that_start_later_are_read() {
    let daemon = Daemon::new();
    run_container(&daemon, "early", "one\n");
    let mut component = follow(&daemon);
    component.until(|component| component.text_of("early") == "one\n").await;
    run_container(&daemon, "late", "two\n");
    daemon.log("early", "three\n");
    component.until(|component| component.text_of("late") == "two\n").await;
    component.until(|component| component.text_of("early") == "one\nthree\n").await;
    assert_eq!(component.of("late").unwrap().opening.container.daemon_name, "node");
}

#[tokio::test]
async fn one_that_starts_between_subscription_and_list_is_read_once() {
    let daemon = Daemon::new();
    daemon.start_on_subscription("race");
    let mut component = follow(&daemon);
    component.until(|component| component.of("race").is_some()).await;
    daemon.log("race", "one\n");
    component.until(|component| component.text_of("race") == "one\n").await;
    assert_eq!(component.streams.len(), 1);
}

#[tokio::test]
async fn a_restarted_container_goes_on_where_it_was() {
    let daemon = Daemon::new();
    run_container(&daemon, "web", "one\n");
    let mut component = follow(&daemon);
    component.until(|component| component.text_of("web") == "one\n").await;
    daemon.stop("web");
    component.until(|component| component.of("web").unwrap().pauses == STOPPED).await;
    daemon.start("web");
    daemon.log("web", "two\n");
    component.until(|component| component.text_of("web") == "one\ntwo\n").await;
    // So fast that nobody saw it stopped.
    daemon.stop("web");
    daemon.start("web");
    daemon.log("web", "three\n");
    component.until(|component| component.text_of("web") == "one\ntwo\nthree\n").await;
    daemon.stop("web");
    daemon.remove("web");
    component.until(|component| component.of("web").unwrap().pauses.last() == Some(&Pause::Ended)).await;
    assert_eq!(component.streams.len(), 1);
}

#[tokio::test]
async fn a_container_that_is_over_and_gone_at_once_ends() {
    let daemon = Daemon::new();
    let mut component = follow(&daemon);
    run_container(&daemon, "quick", "one\n");
    component.until(|component| component.text_of("quick") == "one\n").await;
    daemon.stop("quick");
    daemon.remove("quick");
    component.until(|component| component.of("quick").unwrap().pauses.last() == Some(&Pause::Ended)).await;
}

#[tokio::test]
async fn what_the_daemon_left_out_of_the_end_of_a_run_is_read() {
    for count in [1, 127, 128, 300] {
        let daemon = Daemon::new();
        run_container(&daemon, "web", "one\n");
        let mut component = follow(&daemon);
        component.until(|component| component.text_of("web") == "one\n").await;
        let lines: Vec<String> = (0..count).map(|number| format!("line {number}\n")).collect();
        daemon.stop_early("web", &lines.iter().map(String::as_str).collect::<Vec<_>>());
        component.until(|component| component.of("web").unwrap().pauses.contains(&Pause::Stopped)).await;
        assert_eq!(component.text_of("web"), format!("one\n{}", lines.concat()));
        daemon.start("web");
        daemon.log("web", "two\n");
        component.until(|component| component.text_of("web").ends_with("two\n")).await;
        assert_eq!(component.text_of("web").lines().count(), count + 2);
    }
}

#[tokio::test]
async fn a_container_that_is_gone_before_its_end_can_be_read_again_ends() {
    let daemon = Daemon::new();
    run_container(&daemon, "web", "one\n");
    let mut component = follow(&daemon);
    component.until(|component| component.text_of("web") == "one\n").await;
    daemon.stop("web");
    component.until(|component| component.of("web").unwrap().pauses == [Pause::Interrupted]).await;
    daemon.remove("web");
    component.until(|component| component.of("web").unwrap().pauses.last() == Some(&Pause::Ended)).await;
    assert_eq!(component.text_of("web"), "one\n");
}

#[tokio::test]
async fn a_connection_that_breaks_is_resumed_without_loss() {
    let daemon = Daemon::new();
    run_container(&daemon, "web", "one\n");
    let mut component = follow(&daemon);
    component.until(|component| component.text_of("web") == "one\n").await;
    daemon.cut();
    daemon.log("web", "two\n");
    component.until(|component| component.text_of("web") == "one\ntwo\n").await;
    assert_eq!(component.of("web").unwrap().pauses, [Pause::Interrupted]);
}

#[tokio::test]
async fn what_happens_while_the_daemon_is_away_is_seen_when_it_returns() {
    let mut daemon = Daemon::new();
    run_container(&daemon, "stays", "one\n");
    run_container(&daemon, "goes", "one\n");
    let mut component = follow(&daemon);
    component
        .until(|component| component.text_of("goes") == "one\n" && component.text_of("stays") == "one\n")
        .await;
    daemon.down();
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.log("stays", "two\n");
    daemon.stop("goes");
    daemon.remove("goes");
    run_container(&daemon, "new", "one\n");
    run_container(&daemon, "short", "one\n");
    daemon.stop("short");
    daemon.up();
    for (name, text) in [("stays", "one\ntwo\n"), ("new", "one\n"), ("short", "one\n")] {
        component.until(|component| component.text_of(name) == text).await;
    }
    component.until(|component| component.of("goes").unwrap().pauses.last() == Some(&Pause::Ended)).await;
    assert_eq!(component.streams.len(), 4);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_asked_for_once() {
    let daemon = Daemon::new();
    daemon.create("none", &[]);
    daemon.refuse_log("none", 501);
    daemon.start("none");
    let mut component = follow(&daemon);
    until_request(&mut component, &daemon, &format!("{}/logs", id("none"))).await;
    daemon.stop("none");
    daemon.start("none");
    tokio::time::sleep(Duration::from_millis(300)).await;
    component.turn();
    assert_eq!(daemon.requests("/logs"), 1);
    assert!(component.streams.is_empty());
}

#[tokio::test]
async fn a_container_being_removed_is_no_reason_for_a_storm() {
    let daemon = Daemon::new();
    daemon.create("dead", &[]);
    daemon.refuse_log("dead", 409);
    let mut component = follow(&daemon);
    until_request(&mut component, &daemon, "/events").await;
    daemon.start("dead");
    until_request(&mut component, &daemon, "/logs").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(daemon.requests("/logs"), 1);
    daemon.stop("dead");
    daemon.remove("dead");
    run_container(&daemon, "web", "one\n");
    component.until(|component| component.text_of("web") == "one\n").await;
    assert_eq!(component.streams.len(), 1);
}

#[tokio::test]
async fn those_that_ask_for_it_are_left_alone() {
    let daemon = Daemon::new();
    daemon.create("ignored", &["LOGSPOUT=ignore"]);
    daemon.start("ignored");
    daemon.log("ignored", "one\n");
    let mut component = follow(&daemon);
    run_container(&daemon, "web", "one\n");
    component.until(|component| component.text_of("web") == "one\n").await;
    assert!(component.of("ignored").is_none());
}

#[tokio::test]
async fn the_next_life_goes_on_where_the_last_one_was_and_reads_what_died_in_between() {
    let daemon = Daemon::new();
    for name in ["dies", "lives", "stays-dead"] {
        run_container(&daemon, name, "one\n");
    }
    daemon.create("before", &[]);
    daemon.start("before");
    daemon.log("before", "never read\n");
    daemon.stop("before");
    let store = Store::in_memory();
    let (mut component, source) = begin(&daemon, &store);
    for name in ["dies", "lives", "stays-dead"] {
        component.until(|component| component.text_of(name) == "one\n").await;
    }
    daemon.stop("stays-dead");
    component.until(|component| component.of("stays-dead").unwrap().pauses == STOPPED).await;
    while store.record(&id("stays-dead")).unwrap().done.is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    source.abort();
    assert!(source.await.is_err());
    store.beat(daemon.now());
    daemon.log("dies", "two\n");
    daemon.stop("dies");
    daemon.log("lives", "two\n");
    run_container(&daemon, "short", "one\n");
    daemon.stop("short");
    let (mut component, _source) = begin(&daemon, &store);
    for (name, text) in [("dies", "two\n"), ("lives", "two\n"), ("short", "one\n")] {
        component.until(|component| component.text_of(name) == text).await;
    }
    assert!(component.of("stays-dead").is_none());
}

#[tokio::test]
async fn without_positions_stopped_containers_are_left_out() {
    let daemon = Daemon::new();
    run_container(&daemon, "stopped", "one\n");
    daemon.stop("stopped");
    run_container(&daemon, "web", "one\n");
    let mut component = follow(&daemon);
    component.until(|component| component.text_of("web") == "one\n").await;
    assert_eq!(component.streams.len(), 1);
}

#[tokio::test]
async fn once_reads_all_there_is_and_finishes() {
    let daemon = Daemon::new();
    daemon.create("new", &[]);
    run_container(&daemon, "stopped", "one\n");
    daemon.stop("stopped");
    run_container(&daemon, "web", "two\n");
    daemon.create("none", &[]);
    daemon.refuse_log("none", 501);
    daemon.start("none");
    let hub = Hub::default();
    let source = tokio::spawn(run(config(&daemon, Extent::Once), hub.clone(), Store::in_memory()));
    let mut component = Component::new(hub);
    component.until(Component::is_over).await;
    assert_eq!(source.await.unwrap(), Ok(()));
    assert_eq!(
        (component.text_of("stopped").as_str(), component.text_of("web").as_str()),
        ("one\n", "two\n")
    );
    assert_eq!(component.streams.len(), 2);
}

#[tokio::test]
async fn a_daemon_that_is_not_there_at_the_start_is_an_error() {
    let mut daemon = Daemon::new();
    daemon.down();
    let error = run(config(&daemon, Extent::Follow), Hub::default(), Store::in_memory()).await.unwrap_err();
    assert!(matches!(error, EngineError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("docker.sock cannot be reached: No such file"), "{error}");
}
