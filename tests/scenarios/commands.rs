//! The commands of the README on machines that lack something: the demos, and what `./test` sets up.
//!
//! Each machine is made of a PATH. `cargo` and `rustup` are stand-ins that write down what they were asked for: what they
//! would build is the program under test.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use cloudspout_tests::envoy::module;
use cloudspout_tests::process::{Ended, file, run};
use cloudspout_tests::program::{self, PATIENCE};
use tempfile::TempDir;

/// A PATH of stand-ins, before another.
struct Machine {
    folder: TempDir,
    path: String,
}

impl Machine {
    /// This machine.
    fn like_this() -> Self {
        let path = std::env::var("PATH").expect("a PATH");
        Self { folder: tempfile::tempdir().expect("a temporary folder"), path }
    }

    /// A machine that has only these commands.
    fn with_only(commands: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("only");
        fs::create_dir(&path).expect("a folder");
        for command in commands {
            let found = ["/usr/bin", "/bin", "/usr/sbin"].iter().map(|place| Path::new(place).join(command));
            let found = found.into_iter().find(|path| path.exists());
            let found = found.unwrap_or_else(|| panic!("{command} is not on this machine"));
            symlink(found, path.join(command)).expect("a link");
        }
        Self { path: path.display().to_string(), folder }
    }

    /// Puts a stand-in in front: it writes its arguments down, then does this.
    fn stand_in(self, command: &str, script: &str) -> Self {
        let path = self.folder.path().join("bin").join(command);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let calls = self.calls_of(command);
        fs::write(&path, format!("#!/bin/bash\necho \"$*\" >>'{}'\n{script}\n", calls.display()))
            .expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
        self
    }

    /// Runs a script of the repository, with the program where `cargo build --release` puts it.
    fn run(&self, script: &str) -> Ended {
        let bin = self.folder.path().join("bin");
        let target = program::path().ancestors().nth(2).expect("a target directory").to_owned();
        let mut command = Command::new(file("..").join(script));
        command.env_clear().env("PATH", format!("{}:{}", bin.display(), self.path));
        command.env("HOME", std::env::var_os("HOME").expect("HOME is set")).env("CARGO_TARGET_DIR", target);
        if let Some(cache) = std::env::var_os("XDG_CACHE_HOME") {
            command.env("XDG_CACHE_HOME", cache);
        }
        run(script, &mut command, PATIENCE)
    }

    /// What a stand-in was called with, a line a call.
    fn calls(&self, command: &str) -> String {
        fs::read_to_string(self.calls_of(command)).unwrap_or_default()
    }

    fn calls_of(&self, command: &str) -> PathBuf {
        self.folder.path().join(format!("calls of {command}"))
    }
}

fn demo(machine: Machine) -> String {
    let machine = machine.stand_in("cargo", "");
    let ended = machine.run("demo");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{}\n{said}\n{}", ended.status, ended.stderr);
    assert_eq!(machine.calls("cargo"), "build --release\n");
    said
}

#[test]
fn the_demo_shows_a_containers_lines() {
    let said = demo(Machine::like_this());
    for line in [
        "line 1 to standard output",
        "line 5 to standard output",
        "a line to standard error",
        "grüße, 你好, 🐎",
    ] {
        assert!(said.contains(&format!("{line}\n")), "{line:?} is missing in:\n{said}");
    }
    assert!(said.contains("greeter"), "{said}");
}

#[test]
fn the_demo_ships_standard_input_where_there_is_no_docker() {
    let machine = Machine::with_only(&[
        "bash", "sh", "cc", "cat", "cut", "dirname", "grep", "head", "id", "mktemp", "rm", "sleep", "tail",
        "umount", "wc",
    ]);
    let said = demo(machine);
    assert!(said.contains("Docker is not here"), "{said}");
    for number in 1..=5 {
        assert!(said.contains(&format!("line {number} of standard input\n")), "{said}");
    }
}

#[test]
fn the_demo_of_envoy_shows_the_lines_of_requests() {
    let module = module();
    let module = format!("case \"$1\" in xtask) echo '{}';; esac", module.display());
    let machine = Machine::like_this().stand_in("cargo", &module);
    let ended = machine.run("deploy/envoy/demo");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{}\n{said}\n{}", ended.status, ended.stderr);
    assert_eq!(machine.calls("cargo"), "build --release\nxtask envoy\n");
    for page in 1..=5 {
        let line = format!(r#"{{"method":"GET","path":"/page/{page}?from=demo","status":200,"#);
        assert!(said.contains(&line), "{line} is missing in:\n{said}");
    }
    assert!(said.contains("cloudspout.events_accepted: 5\n"), "{said}");
}

#[test]
fn what_rust_lacks_for_the_component_is_added() {
    let installed = |target: &str| {
        let script = format!(
            "case \"$1 $2\" in 'target list') echo {target};; 'component list') echo rustfmt; echo clippy;; esac"
        );
        let machine = Machine::like_this().stand_in("rustup", &script);
        let ended = machine.run("tests/setup.sh");
        assert!(ended.status.success(), "{}\n{}", ended.status, ended.stderr);
        machine.calls("rustup")
    };
    let added = installed("x86_64-unknown-linux-gnu");
    assert!(
        added.contains("target add wasm32-wasip1\n") && added.contains("target add wasm32-wasip2\n"),
        "{added}"
    );
    assert!(!installed("wasm32-wasip1; echo wasm32-wasip2").contains("add"));
}
