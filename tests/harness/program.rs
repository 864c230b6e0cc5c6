//! The program under test, with an environment that holds nothing but what a scenario gives it.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Running, eventually};

pub const REGION: &str = "eu-central-1";
pub const KEY_ID: &str = "AKIDOFTHETESTS";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYtestsecret";
pub const TEMPORARY_KEY_ID: &str = "ASIAOFTHETESTS";
pub const TEMPORARY_SECRET: &str = "temporary/Secret+ofTheTests0123456789ab=";
pub const TEMPORARY_TOKEN: &str = "FwoGZXIvYXdzEsession//token+of==tests";

/// Ample for any single step on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What is going to be run.
pub struct Program {
    command: Command,
    home: TempDir,
    input: Stdio,
}

/// The program while it runs.
pub struct Shipping {
    running: Running,
    home: TempDir,
}

/// How the program ended.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// The program with a subcommand and good credentials.
    pub fn new(subcommand: &str) -> Self {
        Self::bare(subcommand).env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET)
    }

    /// The program without credentials.
    pub fn bare(subcommand: &str) -> Self {
        Self::of(Command::new(path())).arg(subcommand)
    }

    /// Another program that ships, without credentials.
    pub fn of(mut command: Command) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        command.env_clear();
        command
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        Self { command, home, input: Stdio::null() }
    }

    pub fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Has another command start it, such as one that enters a namespace.
    pub fn through(mut self, command: &[&str]) -> Self {
        let (program, arguments) = command.split_first().expect("a command");
        let mut outer = Command::new(program);
        outer.env_clear().args(arguments).arg(self.command.get_program()).args(self.command.get_args());
        outer.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.command = outer;
        self
    }

    /// Where it ships to, as options.
    pub fn to(self, url: &str) -> Self {
        self.args(&["--region", REGION, "--endpoint-url", url])
    }

    /// What it reads on standard input.
    pub fn input(mut self, input: impl Into<Stdio>) -> Self {
        self.input = input.into();
        self
    }

    pub fn start(mut self) -> Shipping {
        let output = |name: &str| File::create(self.home.path().join(name)).expect("a file");
        self.command.stdin(self.input).stdout(output("stdout")).stderr(output("stderr"));
        Shipping { running: Running::start("cloudspout", &mut self.command), home: self.home }
    }

    /// Runs it to its end.
    pub fn finish(self) -> Outcome {
        self.finish_within(PATIENCE)
    }

    pub fn finish_within(self, bound: Duration) -> Outcome {
        self.start().wait(bound)
    }
}

impl Shipping {
    pub fn id(&self) -> u32 {
        self.running.id()
    }

    pub fn running(&mut self) -> &mut Running {
        &mut self.running
    }

    /// The most memory that it has had resident, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        peak.and_then(|peak| peak.trim().parse::<u64>().ok()).expect("a number of kB") << 10
    }

    /// What it has said on stderr so far.
    pub fn stderr(&self) -> String {
        let bytes = std::fs::read(self.home.path().join("stderr")).expect("the file");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it says something on stderr.
    pub fn wait_for_words(&self, words: &str, bound: Duration) {
        eventually(&format!("the words {words:?}"), bound, || self.stderr().contains(words).then_some(()));
    }

    /// What stands behind these words on a line of stderr, once it has said them.
    pub fn said_behind(&self, words: &str) -> String {
        eventually(&format!("the words {words:?}"), PATIENCE, || {
            let said = self.stderr();
            let line =
                said.lines().find(|line| line.contains(words) && said.contains(&format!("{line}\n")))?;
            Some(line.split_once(words)?.1.trim().to_owned())
        })
    }

    /// Waits for its end.
    pub fn wait(mut self, bound: Duration) -> Outcome {
        let began = std::time::Instant::now();
        while self.running.is_running() {
            if began.elapsed() > bound {
                panic!("cloudspout does not end within {bound:?}; it said:\n{}", self.stderr());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.running.wait(bound);
        let stdout = std::fs::read(self.home.path().join("stdout")).expect("the file");
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        let outcome = Outcome { code: status.code(), stdout, stderr: self.stderr() };
        outcome.assert_decent();
        outcome
    }

    /// Asks it to end as a service manager does, and waits.
    pub fn terminate(mut self) -> Outcome {
        self.running.signal("TERM");
        self.wait(PATIENCE)
    }

    /// Ends it without asking.
    pub fn kill(mut self) -> Outcome {
        self.running.signal("KILL");
        self.wait(PATIENCE)
    }
}

impl Outcome {
    /// Panics unless it ended with this code.
    #[track_caller]
    pub fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "cloudspout said:\n{}", self.stderr);
        self
    }

    /// Panics unless it ended with this code and one complaint, the last line on stderr, that holds each of these
    /// words. Lines of its log, which begin with a time, may stand before.
    #[track_caller]
    pub fn assert_complaint(self, code: i32, words: &[&str]) {
        let outcome = self.assert_code(code);
        let is_log = |line: &str| line.starts_with(|first: char| first.is_ascii_digit());
        let complaints: Vec<&str> = outcome.stderr.lines().skip_while(|line| is_log(line)).collect();
        assert_eq!(complaints.len(), 1, "one complaint expected:\n{}", outcome.stderr);
        for word in words {
            assert!(complaints[0].contains(word), "{word:?} is not in: {}", complaints[0]);
        }
    }

    /// No panic, and no secret in anything it said.
    fn assert_decent(&self) {
        for said in [&self.stdout, &self.stderr] {
            assert!(!said.contains("panicked") && !said.contains("stack backtrace"), "a panic:\n{said}");
            for secret in [SECRET, TEMPORARY_SECRET, TEMPORARY_TOKEN] {
                assert!(!said.contains(secret), "a secret is told:\n{said}");
            }
        }
    }
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| crate::process::file("../target"))
}

/// `$CLOUDSPOUT_BIN`, or the release build.
pub fn path() -> PathBuf {
    let chosen = std::env::var_os("CLOUDSPOUT_BIN").map(PathBuf::from);
    let path = chosen.unwrap_or_else(|| target().join("release/cloudspout"));
    assert!(path.exists(), "{} is missing: run cargo build --release first", path.display());
    path.canonicalize().expect("a path")
}
