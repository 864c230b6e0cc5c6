"""Proves that `cloudspout local` takes and refuses the same requests as the strict endpoint, and as the service."""

import os
import socket
import subprocess
import tempfile
import time
import unittest

from conformance import Conformance


class Local(Conformance, unittest.TestCase):
    """Each test has an endpoint of its own."""

    keys = (os.environ["CLOUDSPOUT_LOCAL_KEY_ID"], os.environ["CLOUDSPOUT_LOCAL_SECRET"])

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = [os.environ["CLOUDSPOUT_BIN"], "local", "--listen", f"127.0.0.1:{port}"]
        command += ["--data-dir", self.folder.name, "--region", "eu-central-1"]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.begin()

    def tearDown(self):
        self.server.terminate()
        self.server.wait(10)
        self.folder.cleanup()


if __name__ == "__main__":
    unittest.main()
