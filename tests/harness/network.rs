//! A network of two namespaces with a cable between them, which can be pulled.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Running, eventually, must};

/// Two network namespaces; both are gone with this value.
pub struct Network {
    near: Running,
    far: Running,
}

/// The address at the far end.
pub const FAR: &str = "10.99.0.2";
const STEP: Duration = Duration::from_secs(30);

impl Network {
    /// Two namespaces that reach each other.
    pub fn new() -> Self {
        let network = Self { near: namespace(), far: namespace() };
        let far = network.far.id().to_string();
        network.ip(&["link", "add", "near", "type", "veth", "peer", "name", "far", "netns", &far]);
        network.ip(&["address", "add", "10.99.0.1/24", "dev", "near"]);
        enter(network.far.id(), &["address", "add", &format!("{FAR}/24"), "dev", "far"]);
        enter(network.far.id(), &["link", "set", "far", "up"]);
        network.plug_in();
        network
    }

    /// The command that runs another at the near end.
    pub fn at_the_near_end(&self) -> [String; 2] {
        ["/usr/bin/nsenter".to_owned(), format!("--net={}", path(self.near.id()).display())]
    }

    /// The file of the namespace at the far end.
    pub fn far_end(&self) -> PathBuf {
        path(self.far.id())
    }

    /// Takes the link down at the near end.
    pub fn pull_out(&self) {
        self.ip(&["link", "set", "near", "down"]);
    }

    /// Brings it up again.
    pub fn plug_in(&self) {
        self.ip(&["link", "set", "near", "up"]);
    }

    /// Runs `ip` at the near end.
    fn ip(&self, arguments: &[&str]) {
        enter(self.near.id(), arguments);
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

/// A namespace lives as long as a process in it; this one ends when the tests do.
fn namespace() -> Running {
    let mut command = Command::new("unshare");
    command.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let process = Running::start("a network namespace", &mut command);
    let link = |id: &str| std::fs::read_link(format!("/proc/{id}/ns/net")).ok();
    eventually("a network namespace", STEP, || {
        link(&process.id().to_string()).filter(|inner| Some(inner) != link("self").as_ref())
    });
    process
}

fn enter(process: u32, arguments: &[&str]) {
    let namespace = format!("--net={}", path(process).display());
    must(
        &format!("ip {arguments:?}"),
        Command::new("nsenter").arg(namespace).arg("ip").args(arguments),
        STEP,
    );
}

fn path(process: u32) -> PathBuf {
    Path::new("/proc").join(process.to_string()).join("ns/net")
}
