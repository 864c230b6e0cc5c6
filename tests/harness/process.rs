//! Processes that end with the scenario that started them, and waits that have a bound.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A process that is killed when this value goes.
pub struct Running {
    child: Child,
    what: String,
}

/// A process that has ended, and all that it said.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Running {
    pub fn start(what: &str, command: &mut Command) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{what} does not start: {error}"));
        Self { child, what: what.to_owned() }
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&mut self, name: &str) {
        if self.is_running() {
            let kill = format!("kill -{name} {}", self.child.id());
            let sent = Command::new("sh").args(["-c", &kill]).status().expect("sh");
            assert!(sent.success() || !self.is_running(), "{}: {kill}", self.what);
        }
    }

    /// Waits for the end, at most so long.
    pub fn wait(&mut self, bound: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.what);
        eventually(&what, bound, || self.child.try_wait().expect("a child can be waited for"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end, at most so long, and returns all that it said.
pub fn run(what: &str, command: &mut Command, bound: Duration) -> Ended {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(what, command);
    let stdout = collect(running.child().stdout.take().expect("a pipe"));
    let stderr = collect(running.child().stderr.take().expect("a pipe"));
    let status = running.wait(bound);
    let stdout = stdout.join().expect("stdout is read");
    let stderr = String::from_utf8_lossy(&stderr.join().expect("stderr is read")).into_owned();
    Ended { status, stdout, stderr }
}

/// Runs a command that has to work, and returns what it printed.
pub fn must(what: &str, command: &mut Command, bound: Duration) -> Vec<u8> {
    let ended = run(what, command, bound);
    assert!(ended.status.success(), "{what}: {}\n{}", ended.status, ended.stderr);
    ended.stdout
}

/// Reads a pipe to its end in a thread of its own.
pub fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// Asks again and again until there is an answer; panics when there is none in time.
pub fn eventually<T>(what: &str, bound: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < bound, "{what}: not within {bound:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A file of this crate.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A program of the Python environment that `tests/setup.sh` makes.
pub fn python(program: &str) -> Command {
    let mut command = Command::new(installed(&format!("venv/bin/{program}")));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A file that `tests/setup.sh` brings.
pub fn installed(name: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let path = cache.expect("HOME is set").join("cloudspout/tests").join(name);
    assert!(path.exists(), "{} is missing: run tests/setup.sh first", path.display());
    path
}
