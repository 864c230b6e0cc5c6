//! The file of events that CloudWatch refused for good.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinHandle;
use wasmtime_wasi::p2::Pollable;

/// A file that dead letters are appended to. Clones share it.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    path: Arc<PathBuf>,
}

impl DeadLetters {
    /// Makes sure that the file can be written to; it is made if need be.
    ///
    /// # Errors
    /// It cannot be.
    pub fn open(path: &Path) -> Result<DeadLetters, String> {
        let letters = DeadLetters { path: Arc::new(path.to_owned()) };
        letters.file().map_err(|error| letters.problem(&error))?;
        Ok(letters)
    }

    /// Whether this is the file that dead letters go to: it cannot be read at the same time.
    pub fn is(&self, other: &File) -> bool {
        let same = || -> io::Result<bool> {
            let (own, other) = (self.file()?.metadata()?, other.metadata()?);
            Ok((own.dev(), own.ino()) == (other.dev(), other.ino()))
        };
        same().unwrap_or(false)
    }

    /// Appends lines, all of them or none, and sees that they are on the disk.
    fn append(&self, lines: &[u8]) -> Result<(), String> {
        self.try_append(lines).map_err(|error| self.problem(&error))
    }

    fn try_append(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = self.file()?;
        // Others may write to it too; the lock goes with the file.
        file.lock()?;
        let end = file.seek(SeekFrom::End(0))?;
        let torn = end > 0 && {
            let mut last = [0];
            file.seek(SeekFrom::Start(end - 1))?;
            file.read_exact(&mut last)?;
            last != *b"\n"
        };
        // A line that a crash cut short must not swallow the first of these.
        let written = if torn { file.write_all(b"\n") } else { Ok(()) };
        written.and_then(|()| file.write_all(lines)).and_then(|()| file.sync_data()).inspect_err(|_| {
            // What is half written is written again, whole. Should this fail, it stands there twice.
            let _ = file.set_len(end);
        })
    }

    fn file(&self) -> io::Result<File> {
        // Opened each time: whoever moves it away finds it whole, and a new one is begun.
        OpenOptions::new().read(true).append(true).create(true).open(self.path.as_path())
    }

    fn problem(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.path.display())
    }
}

/// Lines on their way; see `keeping` in the WIT.
pub struct Keeping {
    task: Option<JoinHandle<Result<(), String>>>,
    kept: Option<Result<(), String>>,
}

impl Keeping {
    pub fn start(letters: Option<DeadLetters>, lines: Vec<u8>) -> Keeping {
        let Some(letters) = letters else {
            return Keeping { task: None, kept: Some(Err("there is no file for them".to_owned())) };
        };
        let task = tokio::task::spawn_blocking(move || letters.append(&lines));
        Keeping { task: Some(task), kept: None }
    }

    /// Whether they are kept, once that is known.
    pub fn take(&mut self) -> Option<Result<(), String>> {
        self.kept.take()
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Keeping {
    async fn ready(&mut self) {
        if let Some(task) = &mut self.task {
            self.kept = Some(task.await.unwrap_or_else(|_| Err("the writer is gone".to_owned())));
            self.task = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for a test, gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("cloudspout-letters-{}-{name}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn lines_are_appended_and_a_torn_one_is_ended() {
        let folder = Folder::new("append");
        let path = folder.0.join("refused");
        let letters = DeadLetters::open(&path).unwrap();
        let read = || std::fs::read_to_string(&path).unwrap();
        assert_eq!(read(), "");
        letters.append(b"one\n").unwrap();
        letters.append(b"two\nthree\n").unwrap();
        assert_eq!(read(), "one\ntwo\nthree\n");
        std::fs::write(&path, "one\ntw").unwrap();
        letters.append(b"two\n").unwrap();
        assert_eq!(read(), "one\ntw\ntwo\n");
        std::fs::remove_file(&path).unwrap();
        letters.append(b"again\n").unwrap();
        assert_eq!(read(), "again\n");
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let folder = Folder::new("fail");
        let missing = folder.0.join("no/such/folder/refused");
        assert!(DeadLetters::open(&missing).unwrap_err().contains("no/such/folder/refused"));
        // A device that takes nothing: what is half written is taken back, and the reason told.
        let full = DeadLetters { path: Arc::new(PathBuf::from("/dev/full")) };
        assert!(full.append(b"one\n").unwrap_err().contains("/dev/full"));
    }

    #[test]
    fn the_file_itself_is_told_from_others() {
        let folder = Folder::new("same");
        let path = folder.0.join("refused");
        let letters = DeadLetters::open(&path).unwrap();
        assert!(letters.is(&File::open(&path).unwrap()));
        assert!(!letters.is(&File::open("/dev/null").unwrap()));
    }
}
