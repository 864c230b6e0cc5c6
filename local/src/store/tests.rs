//! The store in memory and on disk: the same calls, the same answers.

use super::batch::Packing;
use super::position::Position;
use super::*;

#[test]
fn what_was_stored_on_disk_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = open(&directory);
        fill(&store);
        store.settle().unwrap();
    }
    let store = open(&directory);
    assert_eq!(read(&store, &Streams::All), "abc");
    assert_eq!(store.retention("group", "one"), Ok(Some(7)));
    append(&store, "two", &[(3, "d")]);
    assert_eq!(read(&store, &Streams::All), "abcd");
    store.delete_stream("group", "one").unwrap();
    drop(store);
    assert_eq!(read(&open(&directory), &Streams::All), "bd");
}

#[test]
fn a_directory_has_one_writer() {
    let directory = tempfile::tempdir().unwrap();
    let _first = open(&directory);
    let second = Store::on_disk(directory.path(), Sync::Periodic, 1 << 20);
    assert!(second.err().unwrap().to_string().starts_with("cannot open the store"));
}

#[test]
fn streams_are_chosen_by_name_or_prefix() {
    let store = Store::in_memory(1 << 20);
    fill(&store);
    assert_eq!(read(&store, &Streams::Named(vec!["one".into()])), "ac");
    assert_eq!(read(&store, &Streams::Prefixed("t".into())), "b");
    let missing = Streams::Named(vec!["one".into(), "three".into()]);
    let window = Window { from: Position::at(0), until: Position::at(9) };
    let answer = store.events("group", &missing, window, Direction::Forward);
    assert_eq!(answer.err(), Some(StoreError::NoStream));
}

#[test]
fn the_oldest_events_go_when_room_is_needed() {
    let store = Store::in_memory(3 * (13 + BATCH_CHARGE));
    fill(&store);
    assert_eq!(append(&store, "two", &[(3, "d")]), 1);
    assert_eq!(read(&store, &Streams::All), "bcd");
    store.delete_stream("group", "one").unwrap();
    assert_eq!(append(&store, "two", &[(4, "e")]), 0);
    assert_eq!(append(&store, "two", &[(5, "f")]), 1);
    assert_eq!(read(&store, &Streams::All), "def");
}

#[test]
fn names_that_are_missing_or_taken_are_told_apart() {
    let store = Store::in_memory(1 << 20);
    assert_eq!(store.retention("group", "one"), Err(StoreError::NoGroup));
    fill(&store);
    assert_eq!(store.retention("group", "three"), Err(StoreError::NoStream));
    assert_eq!(store.create_group("group", group()), Err(StoreError::GroupExists));
    assert_eq!(store.create_stream("group", "one", Timestamp(0)), Err(StoreError::StreamExists));
    store.delete_group("group").unwrap();
    assert_eq!(store.delete_group("group"), Err(StoreError::NoGroup));
    assert_eq!(store.totals()["bytes"], 0);
}

fn open(directory: &tempfile::TempDir) -> Store {
    Store::on_disk(directory.path(), Sync::Periodic, 1 << 20).unwrap()
}

fn fill(store: &Store) {
    store.create_group("group", group()).unwrap();
    store.create_stream("group", "one", Timestamp(0)).unwrap();
    store.create_stream("group", "two", Timestamp(0)).unwrap();
    append(store, "one", &[(1, "a")]);
    append(store, "two", &[(2, "b")]);
    append(store, "one", &[(2, "c")]);
}

fn append(store: &Store, stream: &str, events: &[(i64, &str)]) -> u64 {
    let mut packing = Packing::default();
    for (timestamp, message) in events {
        packing.push(*timestamp, message);
    }
    store.append("group", stream, packing.finish().unwrap(), Timestamp(100)).unwrap()
}

fn read(store: &Store, streams: &Streams) -> String {
    let window = Window { from: Position::at(0), until: Position::at(i64::MAX) };
    store
        .events("group", streams, window, Direction::Forward)
        .unwrap()
        .map(|event| String::from_utf8(event.message.to_vec()).unwrap())
        .collect()
}

fn group() -> Group {
    Group {
        created: 0,
        retention: Some(7),
        class: "STANDARD".to_owned(),
        kms_key: None,
        tags: BTreeMap::new(),
        delete_protected: false,
        streams: BTreeMap::new(),
    }
}
