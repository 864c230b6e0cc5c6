//! A clock that one process sees: the machine's, so many seconds off.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{file, must};
use crate::program::Program;

/// A clock that can be stepped while a program runs by it.
pub struct Clock {
    folder: TempDir,
}

impl Clock {
    /// A clock that is right.
    pub fn new() -> Self {
        let clock = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-shared", "-fPIC", "-o"]).arg(clock.library()).arg(file("peers/clock.c"));
        must("cc", &mut compiler, Duration::from_secs(60));
        clock.step_to(0);
        clock
    }

    /// Has a program see this clock instead of the machine's.
    pub fn drives(&self, program: Program) -> Program {
        let program = program.env("LD_PRELOAD", self.library().to_str().expect("UTF-8"));
        program.env("CLOCK_SECONDS_AHEAD", self.ahead().to_str().expect("UTF-8"))
    }

    /// Sets it so many seconds ahead of the machine's.
    pub fn step_to(&self, seconds: i64) {
        // Never cut short: the program has it mapped.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(self.ahead());
        file.expect("a file").write_all(&seconds.to_ne_bytes()).expect("the file takes it");
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("clock.so")
    }

    fn ahead(&self) -> PathBuf {
        self.folder.path().join("ahead")
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
