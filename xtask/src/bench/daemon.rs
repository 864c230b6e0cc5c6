//! A Docker daemon of our own, with containers whose logs we write.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child::{self, Background, Seconds, until};
use crate::endpoint::CREDENTIALS;

/// A daemon on an empty data root; it ends, and its data goes, when this is dropped.
pub struct Daemon {
    process: Option<Background>,
    directory: PathBuf,
    pub host: String,
    pub version: String,
}

impl Daemon {
    /// # Errors
    /// There is no Docker, or it cannot be started: it wants root.
    pub fn start() -> Result<Daemon, String> {
        let directory = std::env::temp_dir().join(format!("bench-docker-{}", std::process::id()));
        fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let host = format!("unix://{}", directory.join("socket").display());
        let mut daemon = Daemon { process: None, directory, host, version: String::new() };
        daemon.resume()?;
        daemon.make_image()?;
        Ok(daemon)
    }

    /// Starts it again on the same data.
    pub fn resume(&mut self) -> Result<(), String> {
        let at = |name: &str| self.directory.join(name);
        let said = File::create(at("said.log")).map_err(|error| error.to_string())?;
        let mut dockerd = Command::new("dockerd");
        dockerd.args(["--host", &self.host, "--bridge", "none", "--iptables=false"]);
        dockerd.arg("--data-root").arg(at("data")).arg("--exec-root").arg(at("exec"));
        dockerd.arg("--pidfile").arg(at("pid")).envs(CREDENTIALS);
        dockerd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        let mut process = Background(dockerd.spawn().map_err(|error| format!("no dockerd: {error}"))?);
        self.version = until("the Docker daemon", || {
            let version = self.docker(&["version", "--format", "{{.Server.Version}}"]);
            match process.0.try_wait() {
                Ok(None) => version.ok().map(Ok),
                _ => Some(Err("dockerd ended; it wants root".to_owned())),
            }
        })??;
        self.process = Some(process);
        Ok(())
    }

    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Seconds of CPU that the daemon has taken so far.
    pub fn cpu(&self) -> Result<Seconds, String> {
        let process = self.process.as_ref().ok_or("the daemon is stopped")?;
        child::taken_by(process.0.id())
    }

    pub fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        child::output_of(Command::new("docker").args(["--host", &self.host]).args(arguments))
    }

    /// A container that has ended, with a json-file log; says where its log is.
    pub fn ended(&self, name: &str) -> Result<PathBuf, String> {
        self.docker(&["run", "--name", name, "--network", "none", IMAGE, "echo", "hello"])?;
        Ok(PathBuf::from(self.docker(&["inspect", "--format", "{{.LogPath}}", name])?))
    }

    /// Runs a container that writes a file to its standard output, until it has ended.
    pub fn write_out(&self, file: &Path, options: &[&str]) -> Result<(), String> {
        let mount = format!("{}:/input:ro", file.display());
        let run = ["run", "--detach", "--rm", "--network", "none", "--volume", &mount];
        let id = self.docker(&[&run, options, &[IMAGE, "cat", "/input"]].concat())?;
        // One that is gone already has ended.
        let _ = self.docker(&["wait", &id]);
        Ok(())
    }

    /// Copies an ended container under other names and ids, by copying what the stopped daemon keeps of it.
    pub fn multiply(&self, id: &str, copies: usize) -> Result<(), String> {
        let data = self.directory.join("data");
        let failed = |error: std::io::Error| format!("copying a container: {error}");
        for copy in 1..copies {
            let other = format!("{copy:08x}{}", id.get(8..).unwrap_or_default());
            copy_directory(
                &data.join("containers").join(id),
                &data.join("containers").join(&other),
                &|text| text.replace(id, &other).replace("\"/bench-0\"", &format!("\"/bench-{copy}\"")),
            )
            .map_err(failed)?;
            for driver in fs::read_dir(data.join("image")).map_err(failed)? {
                let mounts = driver.map_err(failed)?.path().join("layerdb/mounts");
                copy_directory(&mounts.join(id), &mounts.join(&other), &str::to_owned).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// An image of nothing but busybox: none can be pulled where there is no network.
    fn make_image(&self) -> Result<(), String> {
        let bin = self.directory.join("image/bin");
        fs::create_dir_all(&bin).map_err(|error| error.to_string())?;
        fs::copy("/bin/busybox", bin.join("busybox")).map_err(|error| format!("/bin/busybox: {error}"))?;
        for name in ["sh", "cat", "echo"] {
            std::os::unix::fs::symlink("busybox", bin.join(name)).map_err(|error| error.to_string())?;
        }
        let tar = self.directory.join("image.tar");
        let image = self.directory.join("image");
        child::output_of(Command::new("tar").arg("-C").arg(image).arg("-cf").arg(&tar).arg("."))?;
        self.docker(&["import", &tar.to_string_lossy(), IMAGE]).map(drop)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
        // What cannot be removed is left in the directory for temporary files.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Copies a directory of small files; `change` sees those that are text.
fn copy_directory(from: &Path, to: &Path, change: &dyn Fn(&str) -> String) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &to.join(name), change)?;
        } else if name.ends_with("-json.log") {
            fs::copy(entry.path(), to.join(change(&name)))?;
        } else {
            fs::write(to.join(name), change(&fs::read_to_string(entry.path())?))?;
        }
    }
    Ok(())
}

const IMAGE: &str = "bench";
