//! The files of a log as they stand in a container's directory: the one written to, and rotated ones.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::LogFile;
use super::places::FileId;

/// The name of a rotated file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rotated {
    /// The higher, the older.
    number: u32,
    path: PathBuf,
    compressed: bool,
}

/// Opens all files of a log, the oldest first; the last is the one that is written to, which is `path`.
/// `path.1` was before it, and so on; `path.1.gz` is the same, compressed.
pub(super) fn open_all(path: &Path) -> io::Result<Vec<LogFile>> {
    let mut last = ErrorKind::NotFound.into();
    // While the files are being rotated, a look at them can miss one, or see one twice.
    for attempt in 0..ATTEMPTS {
        let names = rotated(path)?;
        match open_as_they_stand(path, &names) {
            Ok(files) if still_stand(path, &names, &files)? => return Ok(files),
            Ok(_moved) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => last = error,
            Err(error) => return Err(error),
        }
        if attempt < SHORT_ATTEMPTS {
            std::thread::yield_now();
        } else if names.is_empty() {
            break;
        } else {
            // The daemon, which is at it, has to get its turn.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Err(last)
}

fn open_as_they_stand(path: &Path, names: &[Rotated]) -> io::Result<Vec<LogFile>> {
    let mut files = Vec::with_capacity(names.len() + 1);
    for name in names {
        files.push(match name.compressed {
            true => LogFile::open_compressed(&name.path)?,
            false => LogFile::open(&name.path)?,
        });
    }
    files.push(LogFile::open(path)?);
    Ok(files)
}

/// Whether the names are still the same, and lead to the files that were opened.
fn still_stand(path: &Path, names: &[Rotated], files: &[LogFile]) -> io::Result<bool> {
    let paths = names.iter().map(|name| name.path.as_path()).chain([path]);
    Ok(rotated(path)? == names
        && paths.zip(files).all(|(path, file)| id_of(path).is_ok_and(|id| id == file.id)))
}

/// The rotated files, the oldest first. Of one that is just being compressed, the compressed form is not
/// whole yet; once it is, the other one goes.
fn rotated(path: &Path) -> io::Result<Vec<Rotated>> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Err(ErrorKind::NotFound.into());
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?.file_name();
        let suffix = entry.to_str().and_then(|entry| entry.strip_prefix(name)?.strip_prefix('.'));
        let Some(suffix) = suffix else { continue };
        let (number, compressed) = match suffix.strip_suffix(".gz") {
            Some(number) => (number, true),
            None => (suffix, false),
        };
        if let Ok(number) = number.parse() {
            names.push(Rotated { number, path: directory.join(&entry), compressed });
        }
    }
    names.sort_unstable_by_key(|name| (std::cmp::Reverse(name.number), name.compressed));
    names.dedup_by_key(|name| name.number);
    Ok(names)
}

pub(super) fn id_of(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|metadata| FileId::of(&metadata))
}

/// A rotation takes far less than a millisecond, if the daemon gets a processor.
const ATTEMPTS: usize = 200;
const SHORT_ATTEMPTS: usize = 100;
