//! Rotated files that Docker compresses, at every moment of its doing so.

use super::*;

#[test]
fn a_late_start_begins_with_the_oldest_compressed_file() {
    let mut docker = Docker::with_style(500, 4, Style::Compress);
    docker.write(100);
    assert!(docker.compressed(3).exists() && !docker.numbered(1).exists());
    let (bytes, gaps) = read(&mut docker.tail());
    assert_eq!(gaps, []);
    assert!(bytes.len() > 1_500 && docker.written.ends_with(&bytes));
}

#[test]
fn a_file_that_is_compressed_before_anybody_saw_it_rotated_is_known_again() {
    let mut docker = Docker::with_style(500, 5, Style::Compress);
    let mut tail = docker.tail();
    let mut all = Vec::new();
    for entries in [3, 9, 1, 14, 2, 8, 20] {
        docker.write(entries);
        let (bytes, gaps) = read(&mut tail);
        assert_eq!(gaps, []);
        all.extend(bytes);
    }
    assert!(all == docker.written);
}

#[test]
fn at_every_moment_of_compressing_the_log_is_there_once() {
    for held_before in [true, false] {
        let mut docker = Docker::with_style(500, 3, Style::CompressLater);
        docker.write(3);
        let mut early = docker.tail();
        let (before, _) = read(&mut early);
        docker.write(6);
        if held_before {
            early.look().unwrap();
        }
        let archive = docker.archive();
        let check = |what: &str| {
            let (late, gaps) = read(&mut docker.tail());
            assert!(gaps.is_empty() && late == docker.written, "{what}");
            let (resumed, missing) = docker.resume(&record_at(3, &before, &early));
            let mut resumed = resumed;
            let (rest, gaps) = read(&mut resumed);
            assert!(missing.is_none() && gaps.is_empty(), "{what}");
            assert!([before.clone(), rest].concat() == docker.written, "{what}");
        };
        check("rotated");
        fs::write(docker.compressed(1), b"").unwrap();
        check("the archive is begun");
        fs::write(docker.compressed(1), &archive[..archive.len() / 2]).unwrap();
        check("half of the archive");
        fs::write(docker.compressed(1), &archive).unwrap();
        check("all of the archive");
        fs::remove_file(docker.numbered(1)).unwrap();
        check("the original is gone");
        let (rest, gaps) = read(&mut early);
        assert!(gaps.is_empty());
        assert!([before, rest].concat() == docker.written);
    }
}

/// The record of a log that was taken up to an entry, in the file that `tail` was in then.
fn record_at(entry: u32, before: &[u8], tail: &Tail) -> Record {
    let offset = before.len() as u64;
    let position = Position { offset, time: nanoseconds(&time(entry)).unwrap(), ordinal: 0, into_line: 0 };
    let place = Some(Place::of(&position, tail.places().file_of(offset)));
    Record { stdout: place, stderr: place, done: None, seen: 0 }
}

#[test]
fn the_next_life_finds_its_place_in_what_was_compressed_meanwhile() {
    let mut docker = Docker::with_style(500, 4, Style::Compress);
    let mut tail = docker.tail();
    let mut all = Vec::new();
    // A file has eight entries: places within a file, and such between two.
    for entries in [3, 4, 7, 5, 1, 6, 2, 8, 13] {
        docker.write(entries);
        let (bytes, gaps) = read(&mut tail);
        assert_eq!(gaps, []);
        all.extend(bytes);
        let record = record(&docker, &tail);
        docker.write(9);
        let (resumed, missing) = docker.resume(&record);
        assert_eq!((missing, resumed.offset()), (None, all.len() as u64));
        tail = resumed;
    }
    all.extend(read(&mut tail).0);
    assert!(all == docker.written);
}

#[test]
fn an_archive_that_was_not_finished_is_read_as_far_as_it_goes() {
    let mut docker = Docker::with_style(500, 3, Style::Compress);
    docker.write(20);
    let archive = fs::read(docker.compressed(2)).unwrap();
    fs::write(docker.compressed(2), &archive[..archive.len() - 12]).unwrap();
    let (bytes, gaps) = read(&mut docker.tail());
    assert_eq!(gaps, [Why::CutOff]);
    let whole = fs::metadata(docker.path()).unwrap().len() as usize;
    assert!(docker.written.ends_with(&bytes[bytes.len() - whole..]));
}

#[test]
fn once_ends_where_the_log_ended_whatever_is_rotated_meanwhile() {
    for style in [Style::Two, Style::Compress] {
        let mut docker = Docker::with_style(500, 5, style);
        docker.write(10);
        let expected = docker.written.clone();
        let mut tail = docker.tail();
        tail.end_here().unwrap();
        docker.write(20);
        let (bytes, gaps) = read(&mut tail);
        assert!(gaps.is_empty() && bytes == expected, "{style:?}");
    }
}

#[test]
fn what_is_passed_over_is_not_read() {
    let mut docker = Docker::with_style(500, 5, Style::Compress);
    docker.write(17);
    let before = docker.written.len();
    let mut tail = docker.tail();
    tail.skip_all().unwrap();
    docker.write(20);
    assert!(read(&mut tail).0 == docker.written[before..]);
}
