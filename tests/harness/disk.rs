//! Small file systems that run full, or turn read-only.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{eventually, must};

/// A mounted file system, gone with this value.
pub struct Disk {
    folder: TempDir,
}

const STEP: Duration = Duration::from_secs(30);
const RELEASE: Duration = Duration::from_secs(120);

impl Disk {
    /// A file system of so many MiB in memory.
    pub fn in_memory(mebibytes: u32) -> Self {
        let disk = Self::unmounted();
        disk.mount(&["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]);
        disk
    }

    /// An ext4 file system in a file, which turns read-only at the first error, as Debian mounts them.
    pub fn in_a_file(mebibytes: u64) -> Self {
        let disk = Self::unmounted();
        let image = File::create(disk.image()).expect("a file");
        image.set_len(mebibytes << 20).expect("a file can be made longer");
        must("mkfs.ext4", Command::new("/usr/sbin/mkfs.ext4").arg("-qF").arg(disk.image()), STEP);
        disk.mount_image();
        disk
    }

    fn unmounted() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("mounted")).expect("a folder");
        Self { folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        let mut file = File::create(self.path().join("filler")).expect("a file");
        for size in [1 << 16, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    /// Gives the room back.
    pub fn make_room(&self) {
        fs::remove_file(self.path().join("filler")).expect("the file that fills it");
    }

    /// Has the kernel find an error in it, and so turn it read-only under the feet of whoever writes.
    pub fn turn_read_only(&self) {
        fs::write(self.in_kernel().join("trigger_fs_error"), "for a test").expect("an ext4 file system");
    }

    /// Mounts it anew, once nobody uses it.
    pub fn repair(&self) {
        let in_kernel = self.in_kernel();
        must("umount", Command::new("umount").arg(self.path()), STEP);
        // Whatever another scenario began in a mount namespace of its own (`ip netns exec`, a container on its way)
        // has a copy of every mount: as long as it lives, the file system would come back as it is.
        eventually("the file system's release", RELEASE, || (!in_kernel.exists()).then_some(()));
        self.mount_image();
    }

    /// What the kernel shows of the mounted ext4 file system.
    fn in_kernel(&self) -> PathBuf {
        let mut find = Command::new("findmnt");
        let device = must("findmnt", find.args(["-no", "SOURCE"]).arg(self.path()), STEP);
        let device = String::from_utf8(device).expect("UTF-8");
        Path::new("/sys/fs/ext4").join(Path::new(device.trim()).file_name().expect("a device"))
    }

    fn mount_image(&self) {
        let image = self.image();
        self.mount(&["-o", "loop,errors=remount-ro", image.to_str().expect("UTF-8")]);
    }

    fn mount(&self, arguments: &[&str]) {
        must("mount", Command::new("mount").args(arguments).arg(self.path()), STEP);
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
