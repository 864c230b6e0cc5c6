"""Holds a daemon that must not outlive the tests: ends it, and clears its folder away, once standard input ends.

Reads commands, one a line, and answers each with `done`: `start`, `stop` (SIGTERM), `kill` (SIGKILL). However the tests
end, their end of the pipe closes, and what was started here is gone a moment later.
"""

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

PATIENCE_SECONDS = 20
PR_SET_CHILD_SUBREAPER = 36


class Leash:
    """The daemon, running or not."""

    def __init__(self, command, log):
        self.command = command
        self.log = open(log, "ab")
        self.process = None

    def start(self):
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True
            )

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        # The kernel ends a killed daemon's containerd a moment later, and the next daemon must not find it alive.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "containerd" in children().values() and time.monotonic() < deadline:
            time.sleep(0.01)
            reap()


def reap(*_):
    """Takes the exit status of whatever has ended: what the daemon leaves behind becomes a child of this process."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def children():
    """Ids and names of this process's children."""
    found = {}
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                before, _, after = stat.read().rpartition(") ")
        except OSError:
            continue
        if entry.isdigit() and int(after.split()[1]) == os.getpid():
            found[int(entry)] = before.partition("(")[2]
    return found


def end_children():
    """Kills what the daemon left running, until nothing is left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        left = children()
        if not left:
            return
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
        reap()


def clear(folder):
    """Unmounts what the daemon left mounted below its folder, innermost first, and removes the folder."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        below = [line.split()[1] for line in mounts if line.split()[1].startswith(folder + "/")]
    for mount in reversed(below):
        subprocess.run(["umount", "-l", mount], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--folder", required=True)
    options.add_argument("--log", required=True)
    options.add_argument("command", nargs="+")
    chosen = options.parse_args()

    for interruption in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interruption, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGCHLD, reap)
    leash = Leash(chosen.command, chosen.log)
    actions = {"start": leash.start, "stop": leash.stop, "kill": leash.kill}
    try:
        for line in sys.stdin:
            actions[line.strip()]()
            print("done", flush=True)
    except BrokenPipeError:
        pass
    finally:
        leash.stop()
        end_children()
        clear(chosen.folder)


if __name__ == "__main__":
    main()
