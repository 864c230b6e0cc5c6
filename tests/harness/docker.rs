//! A Docker daemon of the tests' own: private socket, data and network, gone when the tests end.
//!
//! A scenario has a daemon to itself, with no container left over from another: the one of its test program
//! (`Docker::exclusive`), or, where scenarios mostly wait, any of two (`Docker::any`). Containers run a static busybox that copies two files to stdout and stderr; where a scenario wants to say
//! when a line is written, the files are pipes (`Feed`).

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Ended, Running, eventually, file, must, python, run};
use crate::program::Program;

/// Where `Docker::shipping` ships to.
pub const GROUP: &str = "/tests/docker";
/// Both ways to a container's log.
pub const SOURCES: [&str; 2] = ["files", "api"];
/// Ample for what any one scenario ships.
pub const ARRIVAL: Duration = Duration::from_secs(90);
const IMAGE: &str = "box";
const NONBLOCK: i32 = 0o4000;
const STEP: Duration = Duration::from_secs(60);
/// Copies the two files, whichever is there, and ends when both have ended.
const COPY: &str = "cat /io/err >&2 & cat /io/out; wait";

/// The daemon for one scenario.
pub struct Docker(MutexGuard<'static, Option<Daemon>>);

struct Daemon {
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
    /// Dropping the end of its pipe makes it clear up, so it is never killed.
    _leash: Running,
}

/// A container whose lines the scenario writes one by one.
pub struct Feed {
    pub name: String,
    out: Option<File>,
    err: Option<File>,
}

static DAEMONS: [Mutex<Option<Daemon>>; 2] = [Mutex::new(None), Mutex::new(None)];

impl Docker {
    /// The daemon, once no other scenario uses it, without any container.
    pub fn exclusive() -> Self {
        Self::of(DAEMONS[0].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of two daemons, which two scenarios may use at a time.
    pub fn any() -> Self {
        let free = DAEMONS.iter().find_map(|daemon| match daemon.try_lock() {
            Ok(daemon) => Some(daemon),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        free.map_or_else(Self::exclusive, Self::of)
    }

    fn of(mut daemon: MutexGuard<'static, Option<Daemon>>) -> Self {
        daemon.get_or_insert_with(Daemon::start).tell("start");
        let docker = Self(daemon);
        docker.wait_until_up();
        docker.remove_all();
        docker
    }

    fn daemon(&self) -> &Daemon {
        self.0.as_ref().expect("the daemon is started by `exclusive`")
    }

    fn daemon_mut(&mut self) -> &mut Daemon {
        self.0.as_mut().expect("the daemon is started by `exclusive`")
    }

    /// The address of its socket.
    pub fn host(&self) -> String {
        self.daemon().host()
    }

    /// Where it keeps what containers log.
    pub fn data_root(&self) -> String {
        self.daemon().folder.join("data-root").display().to_string()
    }

    /// Whether Docker takes a container for running.
    pub fn is_running(&self, name: &str) -> bool {
        self.docker(&["inspect", "--format", "{{.State.Running}}", name]).starts_with(b"true")
    }

    /// Runs the `docker` command, which has to work.
    pub fn docker(&self, arguments: &[&str]) -> Vec<u8> {
        must(&format!("docker {arguments:?}"), &mut self.daemon().command(arguments), STEP)
    }

    /// The `docker` command, to be started as a scenario likes.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.daemon().command(arguments)
    }

    pub fn try_docker(&self, arguments: &[&str]) -> Ended {
        run("docker", &mut self.daemon().command(arguments), STEP)
    }

    /// `cloudspout run` on this daemon.
    pub fn program(&self) -> Program {
        Program::new("run").args(&["--docker-host", &self.host()])
    }

    /// `cloudspout run` from one of the sources to an endpoint, with a log stream a container.
    pub fn shipping(&self, source: &str, url: &str) -> Program {
        let program = self.program().args(&["--source", source, "--group", GROUP, "--stream", "{{.Name}}"]);
        program.args(&["--flush-after", "500ms"]).to(url)
    }

    /// A container that writes these bytes and ends; returns once it has ended.
    pub fn write(&self, name: &str, options: &[&str], stdout: &[u8], stderr: &[u8]) {
        self.prepare(name, stdout, stderr);
        self.launch(name, options);
        self.docker(&["wait", name]);
    }

    /// Puts down what a container of this name will write.
    pub fn prepare(&self, name: &str, stdout: &[u8], stderr: &[u8]) {
        let io = self.empty_io(name);
        fs::write(io.join("out"), stdout).expect("a file");
        fs::write(io.join("err"), stderr).expect("a file");
    }

    /// Starts a container that copies what was put down for it.
    pub fn launch(&self, name: &str, options: &[&str]) {
        let io = format!("{}:/io", self.io(name).display());
        let mut arguments =
            vec!["run", "-d", "--name", name, "--network", "none", "--stop-signal", "KILL", "-v", &io];
        arguments.extend(options);
        arguments.extend([IMAGE, "sh", "-c", COPY]);
        self.docker(&arguments);
    }

    /// Starts a container that writes what the scenario hands it.
    pub fn feed(&self, name: &str, options: &[&str]) -> Feed {
        let io = self.empty_io(name);
        for pipe in ["out", "err"] {
            must("mkfifo", Command::new("mkfifo").arg(io.join(pipe)), STEP);
        }
        self.launch(name, options);
        Feed {
            name: name.to_owned(),
            out: Some(open_pipe(&io.join("out"))),
            err: Some(open_pipe(&io.join("err"))),
        }
    }

    /// Opens the pipes of a container once more, after it was started again.
    pub fn feed_again(&self, name: &str) -> Feed {
        let io = self.io(name);
        Feed {
            name: name.to_owned(),
            out: Some(open_pipe(&io.join("out"))),
            err: Some(open_pipe(&io.join("err"))),
        }
    }

    pub fn remove_all(&self) {
        let all = String::from_utf8(self.docker(&["ps", "-aq"])).expect("ids");
        let ids: Vec<&str> = all.split_whitespace().collect();
        if !ids.is_empty() {
            self.docker(&[&["rm", "-f", "-v"], ids.as_slice()].concat());
        }
    }

    /// The lines of at most 16 KiB that Docker keeps of a container with the json-file driver, as events: also one whose
    /// container was ended within it, which `docker logs` shows in front of the next.
    pub fn kept(&self, name: &str) -> Vec<String> {
        let path = self.docker(&["inspect", "--format", "{{.LogPath}}", name]);
        let log = fs::read_to_string(String::from_utf8(path).expect("UTF-8").trim()).expect("a log");
        let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("an entry"));
        let text = entries.map(|entry| entry["log"].as_str().expect("text").to_owned());
        text.map(|text| text.strip_suffix('\n').unwrap_or(&text).to_owned()).collect()
    }

    /// When Docker says each line of a container was written, in milliseconds since 1970, stdout before stderr.
    pub fn times(&self, name: &str) -> Vec<i64> {
        let ended = self.try_docker(&["logs", "-t", name]);
        let text = [ended.stdout, ended.stderr.into_bytes()].concat();
        text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(milliseconds).collect()
    }

    /// Stops the daemon as a service manager does; its containers stop as well.
    pub fn stop_daemon(&mut self) {
        self.daemon_mut().tell("stop");
    }

    /// Ends the daemon without a word.
    pub fn kill_daemon(&mut self) {
        self.daemon_mut().tell("kill");
    }

    /// Starts the daemon again on the same data.
    pub fn start_daemon(&mut self) {
        self.daemon_mut().tell("start");
        self.wait_until_up();
    }

    fn wait_until_up(&self) {
        let began = Instant::now();
        while !self.try_docker(&["version"]).status.success() {
            if began.elapsed() > STEP {
                let log = fs::read_to_string(self.daemon().folder.join("log")).unwrap_or_default();
                panic!("the Docker daemon does not answer; it said:\n{log}");
            }
            sleep(Duration::from_millis(100));
        }
        if !self.try_docker(&["image", "inspect", IMAGE]).status.success() {
            self.daemon().import_image();
        }
    }

    /// What a container of this name copies, or is fed by; nothing is left of an earlier container's.
    fn empty_io(&self, name: &str) -> PathBuf {
        let io = self.io(name);
        let _ = fs::remove_dir_all(&io);
        fs::create_dir_all(&io).expect("a folder");
        io
    }

    fn io(&self, name: &str) -> PathBuf {
        self.daemon().folder.join("io").join(name)
    }
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cloudspout-docker-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let log = folder.join("log");
        let mut command = python("python");
        command.arg(file("peers/leash.py")).arg("--folder").arg(&folder).arg("--log").arg(&log).arg("--");
        command.arg("/usr/sbin/dockerd").arg("-H").arg(format!("unix://{}", folder.join("socket").display()));
        for part in ["data-root", "exec-root", "pidfile"] {
            command.arg(format!("--{part}")).arg(folder.join(part));
        }
        command.args(["--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut leash = Running::start("the Docker daemon", &mut command);
        let commands = leash.child().stdin.take().expect("a pipe");
        let answers = BufReader::new(leash.child().stdout.take().expect("a pipe"));
        Self { commands, answers, folder, _leash: leash }
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("the leash reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the leash answers");
        assert_eq!(answer, "done\n", "the leash does not {command} the daemon");
    }

    fn host(&self) -> String {
        format!("unix://{}", self.folder.join("socket").display())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", self.host()).args(arguments);
        command
    }

    /// An image needs no registry: it is a folder with a static busybox.
    fn import_image(&self) {
        let root = self.folder.join("image");
        fs::create_dir_all(root.join("bin")).expect("a folder");
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox");
        for applet in ["sh", "cat", "sleep", "echo"] {
            let _ = std::os::unix::fs::symlink("busybox", root.join("bin").join(applet));
        }
        let archive = self.folder.join("image.tar");
        must("tar", Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&archive).arg("."), STEP);
        let archive = archive.to_str().expect("UTF-8");
        must("docker import", &mut self.command(&["import", archive, IMAGE]), STEP);
    }
}

impl Feed {
    /// Writes to the container's stdout; returns once the container has been given all of it.
    pub fn out(&mut self, bytes: &[u8]) {
        self.out.as_mut().expect("open").write_all(bytes).expect("the container reads");
    }

    /// Writes to the container's stdout until it has been given all of it, or is gone.
    pub fn offer(&mut self, bytes: &[u8]) {
        let _gone = self.out.as_mut().expect("open").write_all(bytes);
    }

    pub fn err(&mut self, bytes: &[u8]) {
        self.err.as_mut().expect("open").write_all(bytes).expect("the container reads");
    }

    /// Lets the container end, and waits for it.
    pub fn end(mut self, docker: &Docker) {
        self.out = None;
        self.err = None;
        docker.docker(&["wait", &self.name]);
    }
}

/// Opens a pipe for writing once somebody reads it.
fn open_pipe(path: &Path) -> File {
    let _reader_is_there = eventually(&format!("a reader of {}", path.display()), STEP, || {
        OpenOptions::new().write(true).custom_flags(NONBLOCK).open(path).ok()
    });
    OpenOptions::new().write(true).open(path).expect("the pipe")
}

/// The time in front of a line, in whole milliseconds.
fn milliseconds(line: &[u8]) -> i64 {
    let text = std::str::from_utf8(&line[..30.min(line.len())]).expect("a time");
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().expect("digits");
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (hour, minute, second) = (number(11..13), number(14..16), number(17..19));
    // Days since 1970 of a date, by counting from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + number(20..23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_milliseconds() {
        assert_eq!(milliseconds(b"2026-11-21T02:58:25.282545838Z a"), 1_795_229_905_282);
        assert_eq!(milliseconds(b"1970-01-01T00:00:00.999999999Z"), 999);
    }
}
