//! The files of a log as they stand in a container's directory: the one written to, and rotated ones.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::places::FileId;

/// A file of a log, open for reading.
#[derive(Debug)]
pub(super) struct LogFile {
    pub file: File,
    pub id: FileId,
}

impl LogFile {
    pub fn open(path: &Path) -> io::Result<LogFile> {
        let file = File::open(path)?;
        let id = FileId::of(&file.metadata()?);
        Ok(LogFile { file, id })
    }
}

/// All files of a log, the oldest first; the last is the one that is written to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub files: Vec<LogFile>,
    /// Rotated files that were compressed, and are not read.
    pub compressed: Vec<PathBuf>,
}

/// Opens all files of a log. `path` is the one that is written to; `path.1` was before it, and so on.
pub(super) fn open_all(path: &Path) -> io::Result<Found> {
    let mut last = ErrorKind::NotFound.into();
    // While the files are being rotated, a look at them can miss one, or see one twice.
    for _ in 0..ATTEMPTS {
        match open_as_they_stand(path) {
            Ok(found) if still_stand(path, &found)? => return Ok(found),
            Ok(_moved) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => last = error,
            Err(error) => return Err(error),
        }
        std::thread::yield_now();
    }
    Err(last)
}

fn open_as_they_stand(path: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    let (numbers, compressed) = rotated(path)?;
    for number in numbers.iter().rev() {
        found.files.push(LogFile::open(&numbered(path, *number))?);
    }
    found.files.push(LogFile::open(path)?);
    found.compressed = compressed;
    Ok(found)
}

/// Whether the names still lead to the files that were opened.
fn still_stand(path: &Path, found: &Found) -> io::Result<bool> {
    let (numbers, _) = rotated(path)?;
    if numbers.len() + 1 != found.files.len() {
        return Ok(false);
    }
    let paths = numbers.iter().rev().map(|number| numbered(path, *number)).chain([path.to_owned()]);
    Ok(paths.zip(&found.files).all(|(path, file)| id_of(&path).is_ok_and(|id| id == file.id)))
}

/// The numbers of rotated files, in order, and those that are compressed.
fn rotated(path: &Path) -> io::Result<(Vec<u32>, Vec<PathBuf>)> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Err(ErrorKind::NotFound.into());
    };
    let mut numbers = Vec::new();
    let mut compressed = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?.file_name();
        let suffix = entry.to_str().and_then(|entry| entry.strip_prefix(name)?.strip_prefix('.'));
        let Some(suffix) = suffix else { continue };
        if let Ok(number) = suffix.parse() {
            numbers.push(number);
        } else if suffix.strip_suffix(".gz").is_some_and(|number| number.parse::<u32>().is_ok()) {
            compressed.push(directory.join(entry));
        }
    }
    numbers.sort_unstable();
    Ok((numbers, compressed))
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(format!(".{number}"));
    PathBuf::from(path)
}

pub(super) fn id_of(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|metadata| FileId::of(&metadata))
}

/// A rotation takes far less than a millisecond.
const ATTEMPTS: usize = 100;
