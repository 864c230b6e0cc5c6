//! Child processes: what they took of CPU and memory, and their end.

use std::io;
use std::ops::{Add, Sub};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a process took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// User and system together.
    pub cpu: Seconds,
    pub peak_mib: f64,
}

/// Seconds of CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Seconds(pub f64);

/// Waits for a child; what it took, and whether it ended well.
///
/// # Errors
/// It ended badly.
pub fn wait(child: Child, what: &str) -> Result<Usage, String> {
    let pid = i32::try_from(child.id()).map_err(|error| error.to_string())?;
    let mut status = 0;
    // SAFETY: a struct of integers, which wait4 fills; the child is ours, and nobody else waits for it.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    if waited != pid {
        return Err(format!("{what}: {}", io::Error::last_os_error()));
    }
    if status != 0 {
        return Err(format!("{what} ended with {}", status >> 8));
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cpu = Seconds(seconds(usage.ru_utime) + seconds(usage.ru_stime));
    // In KiB on Linux.
    Ok(Usage { cpu, peak_mib: usage.ru_maxrss as f64 / 1024.0 })
}

/// A process that runs until this is dropped.
pub struct Background(pub Child);

impl Drop for Background {
    fn drop(&mut self) {
        terminate(&self.0);
        let patience = Instant::now() + Duration::from_secs(20);
        while let Ok(None) = self.0.try_wait() {
            if Instant::now() > patience {
                // It has been asked; what comes of this is of no interest at the end.
                let _ = self.0.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Asks a child to end.
pub fn terminate(child: &Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        // SAFETY: a signal to a child that has not been waited for.
        unsafe { libc::kill(pid, libc::SIGTERM) };
    }
}

/// Seconds that a process which still runs has taken so far.
pub fn taken_by(pid: u32) -> Result<Seconds, String> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    // The name, in brackets, may hold spaces.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    // SAFETY: it only reads a constant of the system.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    Ok(Seconds((ticks(11) + ticks(12)) / per_second))
}

/// What a command prints; an error with what it says if it fails.
pub fn output_of(command: &mut Command) -> Result<String, String> {
    let called = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{called}: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "{called}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Tries until it succeeds, for half a minute at most.
pub fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> Result<T, String> {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = attempt() {
            return Ok(found);
        }
        if Instant::now() > patience {
            return Err(format!("gave up waiting for {what}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Add for Seconds {
    type Output = Seconds;
    fn add(self, other: Seconds) -> Seconds {
        Seconds(self.0 + other.0)
    }
}

impl Sub for Seconds {
    type Output = Seconds;
    fn sub(self, other: Seconds) -> Seconds {
        Seconds(self.0 - other.0)
    }
}
