//! Logs as Docker writes, rotates, truncates and removes them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use flate2::{Compression, GzBuilder};

use super::missing::{Missing, Why};
use super::places::FileId;
use super::resume::resume;
use super::rotation::Rotation;
use super::tail::{Next, Tail};
use crate::docker::instant::nanoseconds;
use crate::positions::{FileOf, Place, Record};
use crate::streams::Position;

/// Docker's `json-file` driver.
struct Docker {
    directory: PathBuf,
    rotation: Rotation,
    style: Style,
    /// Everything ever written.
    written: Vec<u8>,
    entries: u32,
}

/// How versions of Docker rotate, by their options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// With one file, it is truncated.
    Old,
    /// With one file, 20.10 keeps a second one all the same.
    Two,
    /// With one file, 23.0 removes it.
    New,
    /// `compress=true`.
    Compress,
    /// The same, while compressing takes its time.
    CompressLater,
}

impl Docker {
    fn new(size: u64, files: u64) -> Docker {
        Docker::with_style(size, files, Style::Old)
    }

    fn with_style(size: u64, files: u64, style: Style) -> Docker {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("cloudspout-files-{}-{count}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let docker = Docker {
            directory,
            rotation: Rotation { size: Some(size), files },
            style,
            written: Vec::new(),
            entries: 0,
        };
        fs::write(docker.path(), b"").unwrap();
        docker
    }

    fn path(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn numbered(&self, number: u64) -> PathBuf {
        self.directory.join(format!("log.{number}"))
    }

    fn write(&mut self, entries: u32) {
        for _ in 0..entries {
            if fs::metadata(self.path()).unwrap().len() >= self.rotation.size.unwrap() {
                self.rotate();
            }
            self.entries += 1;
            let entry = format!(
                "{{\"log\":\"{}\\n\",\"stream\":\"stdout\",\"time\":\"{}\"}}\n",
                self.entries,
                time(self.entries)
            );
            let mut file = OpenOptions::new().append(true).open(self.path()).unwrap();
            file.write_all(entry.as_bytes()).unwrap();
            self.written.extend(entry.as_bytes());
        }
    }

    /// What `rotate` in moby's `daemon/logger/loggerutils/logfile.go` does.
    fn rotate(&self) {
        self.compress();
        let kept = self.rotation.files.saturating_sub(1);
        if kept > 0 {
            let _ = fs::remove_file(self.numbered(kept));
            let _ = fs::remove_file(self.compressed(kept));
        }
        for number in (1..kept).rev() {
            let _ = fs::rename(self.numbered(number), self.numbered(number + 1));
            let _ = fs::rename(self.compressed(number), self.compressed(number + 1));
        }
        match self.style {
            Style::New if kept == 0 => fs::remove_file(self.path()).unwrap(),
            Style::Old if kept == 0 => {}
            _ => fs::rename(self.path(), self.numbered(1)).unwrap(),
        }
        fs::write(self.path(), b"").unwrap();
        if self.style == Style::Compress {
            self.compress();
        }
    }

    /// What `compressFile` there does: it is waited for before the next rotation.
    fn compress(&self) {
        if matches!(self.style, Style::Compress | Style::CompressLater) && self.numbered(1).exists() {
            fs::write(self.compressed(1), self.archive()).unwrap();
            fs::remove_file(self.numbered(1)).unwrap();
        }
    }

    /// The compressed form of the file that was rotated last.
    fn archive(&self) -> Vec<u8> {
        let bytes = fs::read(self.numbered(1)).unwrap();
        let last = String::from_utf8_lossy(&bytes).lines().last().unwrap().to_owned();
        let last: serde_json::Value = serde_json::from_str(&last).unwrap();
        let extra = format!("{{\"lastTime\":{}}}", last["time"]);
        let mut encoder = GzBuilder::new().extra(extra).write(Vec::new(), Compression::default());
        encoder.write_all(&bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn compressed(&self, number: u64) -> PathBuf {
        self.directory.join(format!("log.{number}.gz"))
    }

    fn tail(&self) -> Tail {
        self.resume(&Record::default()).0
    }

    fn resume(&self, record: &Record) -> (Tail, Option<Missing>) {
        let resumed = resume(&self.path(), record).unwrap();
        let mut tail = resumed.tail;
        tail.rotates(self.rotation);
        (tail, resumed.missing)
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Entries come a tenth of a second apart.
fn time(entry: u32) -> String {
    format!("2026-11-21T{:02}:{:02}:{:02}.{}Z", entry / 36_000, entry / 600 % 60, entry / 10 % 60, entry % 10)
}

/// Reads to the end; a gap counts as such.
fn read(tail: &mut Tail) -> (Vec<u8>, Vec<Why>) {
    let (mut bytes, mut gaps) = (Vec::new(), Vec::new());
    tail.look().unwrap();
    loop {
        match tail.next(1_000).unwrap() {
            Next::Bytes(more) => bytes.extend_from_slice(&more),
            Next::End => return (bytes, gaps),
            Next::Gap(missing) => gaps.push(missing.why),
        }
    }
}

/// The record of a log that was taken up to here.
fn record(docker: &Docker, tail: &Tail) -> Record {
    let offset = tail.offset();
    let time = nanoseconds(&time(docker.entries)).unwrap();
    let position = Position { offset, time, ordinal: 0, into_line: 0 };
    let place = Some(Place::of(&position, tail.places().file_of(offset)));
    Record { stdout: place, stderr: place, done: None, seen: 0 }
}

#[test]
fn a_log_is_read_through_its_rotations() {
    let mut docker = Docker::new(500, 3);
    let mut tail = docker.tail();
    let mut all = Vec::new();
    for _ in 0..50 {
        docker.write(7);
        let (bytes, gaps) = read(&mut tail);
        all.extend(bytes);
        assert_eq!(gaps, []);
    }
    assert!(all == docker.written);
    assert_eq!(tail.offset(), all.len() as u64);
}

#[test]
fn what_was_seen_once_is_read_whatever_becomes_of_it() {
    let mut docker = Docker::new(500, 2);
    let mut tail = docker.tail();
    for _ in 0..50 {
        docker.write(7);
        tail.look().unwrap();
    }
    fs::remove_dir_all(&docker.directory).unwrap();
    let (bytes, gaps) = read(&mut tail);
    assert_eq!(gaps, []);
    assert!(bytes == docker.written);
}

#[test]
fn a_late_start_begins_with_the_oldest_file() {
    let mut docker = Docker::new(500, 4);
    docker.write(100);
    let (bytes, gaps) = read(&mut docker.tail());
    assert_eq!(gaps, []);
    assert!(bytes.len() > 1_500 && docker.written.ends_with(&bytes));
}

#[test]
fn files_that_came_and_went_unseen_are_reported() {
    let mut docker = Docker::new(500, 2);
    let mut tail = docker.tail();
    docker.write(3);
    let (before, _) = read(&mut tail);
    docker.write(100);
    let (bytes, gaps) = read(&mut tail);
    assert_eq!(gaps, [Why::Unseen]);
    // The rest of the file that was held, and what is there now.
    let (rest, now) = bytes.split_at(300);
    assert!(docker.written.starts_with(&[&before, rest].concat()));
    assert!(now.len() > 500 && docker.written.ends_with(&now[now.len() - 500..]));
    assert!(before.len() + bytes.len() < docker.written.len());
}

#[test]
fn a_truncated_file_that_was_read_whole_is_no_gap() {
    let mut docker = Docker::new(500, 1);
    let mut tail = docker.tail();
    let mut all = Vec::new();
    for _ in 0..50 {
        docker.write(1);
        let (bytes, gaps) = read(&mut tail);
        all.extend(bytes);
        assert_eq!(gaps, []);
    }
    assert!(all == docker.written);
}

#[test]
fn a_file_that_was_truncated_too_early_is_a_gap() {
    for entries in [8, 9, 20, 100] {
        let mut docker = Docker::new(500, 1);
        let mut tail = docker.tail();
        docker.write(2);
        let (before, _) = read(&mut tail);
        docker.write(entries);
        let (bytes, gaps) = read(&mut tail);
        assert_eq!(gaps, [Why::Truncated], "{entries}");
        assert!(docker.written.starts_with(&before) && docker.written.ends_with(&bytes));
    }
}

#[test]
fn the_next_life_finds_its_place_among_rotated_files() {
    let mut docker = Docker::new(500, 3);
    let mut tail = docker.tail();
    let mut all = Vec::new();
    for entries in [3, 4, 5, 1, 6, 2, 7, 8] {
        docker.write(entries);
        let (bytes, gaps) = read(&mut tail);
        assert_eq!(gaps, []);
        all.extend(bytes);
        let record = record(&docker, &tail);
        docker.write(4);
        let (resumed, missing) = docker.resume(&record);
        assert_eq!((missing, resumed.offset()), (None, all.len() as u64));
        tail = resumed;
    }
    all.extend(read(&mut tail).0);
    assert!(all == docker.written);
}

#[test]
fn a_place_that_was_rotated_away_is_a_gap_and_offsets_go_on() {
    let mut docker = Docker::new(500, 2);
    let mut tail = docker.tail();
    docker.write(3);
    let (before, _) = read(&mut tail);
    let record = record(&docker, &tail);
    drop(tail);
    docker.write(100);
    let (mut tail, missing) = docker.resume(&record);
    assert_eq!(tail.offset(), before.len() as u64);
    let (bytes, _) = read(&mut tail);
    assert!(docker.written.ends_with(&bytes));
    let first = docker.entries - bytes.split(|byte| *byte == b'\n').count() as u32 + 2;
    let [after, before] = [3, first].map(|entry| Some(nanoseconds(&time(entry)).unwrap()));
    assert_eq!(missing, Some(Missing { why: Why::Unseen, bytes: None, after, before }));
}

#[test]
fn a_side_that_is_behind_says_how_much_it_misses() {
    let mut docker = Docker::new(500, 3);
    let mut tail = docker.tail();
    docker.write(3);
    read(&mut tail);
    let behind = record(&docker, &tail).stdout;
    let mut last = 0;
    while !docker.numbered(2).exists() || last == 0 {
        docker.write(1);
        last = read(&mut tail).0.len();
    }
    for _ in 0..8 {
        docker.write(1);
        read(&mut tail);
    }
    let record = Record { stdout: behind, ..record(&docker, &tail) };
    let (tail, missing) = docker.resume(&record);
    let kept: u64 = [docker.path(), docker.numbered(1), docker.numbered(2)]
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    let start = docker.written.len() as u64 - kept;
    assert_eq!(tail.offset(), start);
    let missing = missing.unwrap();
    assert_eq!((missing.why, missing.bytes), (Why::Removed, Some(start - behind.unwrap().offset)));
    assert_eq!(missing.after, nanoseconds(&time(3)));
    assert!(missing.before > missing.after);
}

#[test]
fn a_file_that_got_the_number_of_another_is_not_mistaken_for_it() {
    let mut docker = Docker::new(500, 2);
    let mut tail = docker.tail();
    docker.write(3);
    read(&mut tail);
    let mut record = record(&docker, &tail);
    drop(tail);
    docker.write(20);
    let FileId { device, inode, born: _ } = super::directory::id_of(&docker.path()).unwrap();
    for place in [&mut record.stdout, &mut record.stderr] {
        let file = place.as_mut().unwrap().file.as_mut().unwrap();
        (file.device, file.inode) = (device, inode);
    }
    assert_eq!(docker.resume(&record).1.unwrap().why, Why::Unseen);
}

#[test]
fn files_that_were_copied_are_found_by_what_is_in_them() {
    let mut docker = Docker::new(500, 3);
    let mut tail = docker.tail();
    docker.write(3);
    read(&mut tail);
    let record = record(&docker, &tail);
    docker.write(10);
    let (expected, _) = read(&mut tail);
    for path in [docker.path(), docker.numbered(1)] {
        let bytes = fs::read(&path).unwrap();
        fs::write(path.with_extension("copy"), bytes).unwrap();
        fs::rename(path.with_extension("copy"), path).unwrap();
    }
    let (mut tail, missing) = docker.resume(&record);
    assert_eq!(missing, None);
    assert!(read(&mut tail).0 == expected);
}

#[test]
fn whatever_happens_nothing_is_read_twice_or_out_of_order() {
    let styles = [Style::Old, Style::Two, Style::New, Style::Compress, Style::CompressLater];
    for style in styles {
        at_random(style);
    }
}

fn at_random(style: Style) {
    let mut seed = 1_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..60 {
        let fewest = if matches!(style, Style::Compress | Style::CompressLater) { 2 } else { 1 };
        let mut docker = Docker::with_style(100 + random(900), fewest + random(4), style);
        let mut tail = docker.tail();
        let (mut all, mut gaps) = (Vec::new(), 0);
        for _ in 0..40 {
            match random(9) {
                0..4 => docker.write(random(12) as u32),
                4 => tail.look().unwrap(),
                5 => docker.compress(),
                6 | 7 => {
                    let (bytes, missing) = read(&mut tail);
                    all.extend(bytes);
                    gaps += missing.len();
                }
                _ if all.len() == docker.written.len() && !all.is_empty() => {
                    let (resumed, missing) = docker.resume(&record(&docker, &tail));
                    assert_eq!(missing, None);
                    tail = resumed;
                }
                _ => {}
            }
        }
        let (bytes, missing) = read(&mut tail);
        all.extend(bytes);
        gaps += missing.len();
        if gaps == 0 {
            assert!(all == docker.written);
        }
        let numbers: Vec<u32> = String::from_utf8(all)
            .unwrap()
            .lines()
            .map(|line| line.split('"').nth(3).unwrap().trim_end_matches("\\n").parse().unwrap())
            .collect();
        assert!(numbers.is_sorted_by(|one, other| one < other), "{style:?}: {numbers:?}");
        assert_eq!(numbers.last().copied().unwrap_or_default(), docker.entries);
    }
}

mod compressed;
