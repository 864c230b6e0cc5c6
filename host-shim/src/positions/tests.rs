//! The store as its users see it, and as crashes and disks leave it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::streams::{Keep, Position, Positions};

const ID: &str = "0123456789ab";

/// A directory of its own, removed at the end.
struct Directory(std::path::PathBuf);

impl Directory {
    fn new() -> Directory {
        let path = tempfile();
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.join("positions.redb")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn tempfile() -> std::path::PathBuf {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    std::env::temp_dir().join(format!("cloudspout-positions-{}-{count}", std::process::id()))
}

fn positions(time: u64) -> Positions {
    let position = Position { offset: time * 2, time, ordinal: 3, into_line: 4 };
    Positions { stdout: Some(position), stderr: None }
}

fn keeper(store: &Store) -> Keeper<()> {
    Keeper::new(store.clone(), ID, (), || 77)
}

#[tokio::test]
async fn what_was_stored_is_there_in_the_next_life() {
    let directory = Directory::new();
    let store = Store::open(&directory.0).unwrap();
    assert_eq!((store.record(ID), store.last_running()), (None, None));
    keeper(&store).keep(&positions(1));
    keeper(&store).keep(&positions(2));
    store.beat(55);
    store.flush().await.unwrap();
    drop(store);
    let store = Store::open(&directory.0).unwrap();
    let record = store.record(ID).unwrap();
    assert_eq!((record.positions(), record.seen, store.last_running()), (positions(2), 77, Some(55)));
}

#[test]
fn a_store_that_is_dropped_has_written_everything() {
    let directory = Directory::new();
    let store = Store::open(&directory.0).unwrap();
    for time in 0..500 {
        keeper(&store).keep(&positions(time));
    }
    drop(store);
    assert_eq!(Store::open(&directory.0).unwrap().record(ID).unwrap().positions(), positions(499));
}

#[test]
fn two_processes_never_share_a_store() {
    let directory = Directory::new();
    let _store = Store::open(&directory.0).unwrap();
    let error = Store::open(&directory.0).err().unwrap().to_string();
    assert!(error.contains("another cloudspout has it open"), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_that_names_the_option() {
    let directory = Directory::new();
    fs::write(directory.0.join("file"), b"").unwrap();
    let error = Store::open(&directory.0.join("file/state")).err().unwrap().to_string();
    assert!(error.contains("--state-dir"), "{error}");
}

#[test]
fn a_damaged_store_is_moved_aside() {
    let damage: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.truncate(100),
        |bytes| *bytes = b"not a database, but long enough to be looked at ".repeat(1000),
        |bytes| bytes.iter_mut().skip(64).step_by(7).for_each(|byte| *byte ^= 0x55),
    ];
    for (number, damage) in damage.into_iter().enumerate() {
        let directory = Directory::new();
        let store = Store::open(&directory.0).unwrap();
        keeper(&store).keep(&positions(1));
        drop(store);
        let mut bytes = fs::read(directory.file()).unwrap();
        damage(&mut bytes);
        fs::write(directory.file(), &bytes).unwrap();
        let store = Store::open(&directory.0).unwrap();
        assert_eq!(store.record(ID), None, "damage {number}");
        assert_eq!(fs::read(directory.0.join("positions.damaged-1")).unwrap().len(), bytes.len());
        keeper(&store).keep(&positions(2));
        drop(store);
        assert_eq!(Store::open(&directory.0).unwrap().record(ID).unwrap().positions(), positions(2));
    }
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let directory = Directory::new();
    drop(Store::open(&directory.0).unwrap());
    let database = redb::Database::open(directory.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let facts = redb::TableDefinition::<&str, u64>::new("facts");
    transaction.open_table(facts).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Store::open(&directory.0).err().unwrap().to_string();
    assert!(error.contains("a newer cloudspout wrote it (format 2"), "{error}");
    assert!(directory.file().exists());
}

#[tokio::test]
async fn whoever_lets_positions_settle_finds_them_on_disk() {
    let directory = Directory::new();
    let store = Store::open(&directory.0).unwrap();
    for time in 1..20 {
        keeper(&store).keep(&positions(time));
        store.settle().await;
        assert_eq!(store.shared.written.borrow().generation, store.shared.lock().generation);
    }
    let found = disk::look(&directory.file()).unwrap();
    assert_eq!(found.records.get(ID).unwrap().positions(), positions(19));
}

#[tokio::test]
async fn a_disk_that_fails_is_said_and_tried_again() {
    let directory = Directory::new();
    let away = directory.0.join("away");
    let shared = Shared::new(State::default());
    let disk = Disk::failed(away.join("positions.redb"));
    let writer = Writer::start(disk, Arc::clone(&shared)).unwrap();
    let store = Store { shared, writer: Some(Arc::new(writer)) };
    keeper(&store).keep(&positions(1));
    assert!(store.flush().await.unwrap_err().contains("No such file"));
    // Nobody waits for it.
    store.settle().await;
    assert_eq!(store.record(ID).unwrap().positions(), positions(1));
    fs::create_dir(&away).unwrap();
    while store.flush().await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(store);
    assert_eq!(Store::open(&away).unwrap().record(ID).unwrap().positions(), positions(1));
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_read_even_if_its_writer_was_killed() {
    let directory = Directory::new();
    let store = Store::open(&directory.0).unwrap();
    keeper(&store).keep(&positions(7));
    store.flush().await.unwrap();
    // As a kill leaves it: still marked as in use.
    let bytes = fs::read(directory.file()).unwrap();
    drop(store);
    fs::write(directory.file(), bytes).unwrap();
    let found = disk::look(&directory.file()).unwrap();
    assert_eq!(found.records.get(ID).unwrap().positions(), positions(7));
}

#[test]
fn containers_that_are_gone_for_a_day_are_forgotten() {
    let directory = Directory::new();
    let store = Store::open(&directory.0).unwrap();
    for id in ["gone", "there"] {
        store.update(id, 1, |record| record.accept(&positions(1), |_| None));
    }
    store.exist(&BTreeSet::from(["there"]), KEPT_FOR);
    assert!(store.record("gone").is_some());
    store.exist(&BTreeSet::from(["there"]), KEPT_FOR + 2);
    drop(store);
    let store = Store::open(&directory.0).unwrap();
    assert_eq!((store.record("gone"), store.record("there").unwrap().seen), (None, KEPT_FOR));
}

#[test]
fn a_run_is_done_once_all_that_was_read_of_it_is_accepted() {
    let store = Store::in_memory();
    let keeper = keeper(&store);
    keeper.keep(&positions(1));
    keeper.read_whole(positions(2), "end");
    assert_eq!(store.record(ID).unwrap().done, None);
    keeper.keep(&positions(2));
    assert_eq!(store.record(ID).unwrap().done.as_deref(), Some("end"));
    keeper.keep(&positions(3));
    assert_eq!(store.record(ID).unwrap().done, None);
    keeper.read_whole(positions(3), "end");
    assert_eq!(store.record(ID).unwrap().done.as_deref(), Some("end"));
}

/// The victim of the test below: stores positions for ever, and prints what is certainly on disk.
#[tokio::test]
#[ignore = "runs in a process of its own, which is killed"]
async fn stores_until_it_is_killed() {
    let Some(directory) = std::env::var_os("CLOUDSPOUT_TEST_STATE") else { return };
    let store = Store::open(Path::new(&directory)).unwrap();
    for time in store.record(ID).map_or(0, |record| record.stdout.unwrap().time).. {
        keeper(&store).keep(&positions(time));
        if time % 16 == 0 {
            store.flush().await.unwrap();
            println!("stored {time}");
        }
    }
}

#[test]
fn what_was_flushed_survives_a_kill() {
    use std::io::{BufRead, BufReader};

    let directory = Directory::new();
    for _ in 0..10 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "positions::tests::stores_until_it_is_killed", "--ignored", "--nocapture"])
            .env("CLOUDSPOUT_TEST_STATE", &directory.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let stored = |line: &str| line.rsplit_once("stored ").and_then(|(_, time)| time.parse::<u64>().ok());
        let mut last = lines.by_ref().filter_map(|line| stored(&line.unwrap())).nth(5).unwrap();
        victim.kill().unwrap();
        victim.wait().unwrap();
        last = lines.filter_map(|line| stored(&line.ok()?)).last().unwrap_or(last);
        let store = Store::open(&directory.0).unwrap();
        let time = store.record(ID).unwrap().stdout.unwrap().time;
        assert!(time >= last, "{time} of at least {last}");
        assert!(!directory.0.join("positions.damaged-1").exists());
    }
}
