//! Many tenants in one process: each one's lines go where they belong, whatever happens to the others.

mod checks;
mod credentials;
mod limits;
mod reloads;
mod separate;

use std::fs;
use std::path::PathBuf;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::program::{Program, REGION};
use tempfile::TempDir;

/// A configuration file.
struct Config {
    folder: TempDir,
}

impl Config {
    fn new(text: &str) -> Self {
        let config = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        config.write(text);
        config
    }

    /// Replaces it, whole.
    fn write(&self, text: &str) {
        let new = self.folder.path().join("new");
        fs::write(&new, text).expect("a file");
        fs::rename(new, self.path()).expect("the same folder");
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("cloudspout.toml")
    }

    /// `cloudspout run` by it, on a daemon.
    fn run(&self, docker: &Docker) -> Program {
        let path = self.path();
        docker.program().args(&["--config", path.to_str().expect("UTF-8"), "--region", REGION])
    }
}

/// What stands at the top of the files here.
const TOP: &str = "flush-after = '300ms'\nstream = '{{.Name}}'\n";
