"""Proves the strict endpoint with boto3 as its client: good requests pass, and each bad one is refused by its rule."""

import json
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

from botocore.exceptions import ClientError, ConnectionClosedError

from conformance import Conformance

HERE = Path(__file__).parent
SECRET, TOKEN = "a/secret+of=tests", "a//token=="


class Strict(Conformance, unittest.TestCase):
    """Each test has an endpoint of its own."""

    keys = ("AKIDEXAMPLE", SECRET)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Path(self.folder.name, "journal")
        command = [sys.executable, HERE / "strict.py", "--journal", self.journal]
        command += ["--key", ":".join(self.keys), "--key", f"TEMPORARY:{SECRET}:{TOKEN}"]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.server.stdout.readline())}"
        self.begin()

    def tearDown(self):
        self.server.stdin.close()
        self.server.wait(10)
        self.server.stdout.close()
        self.folder.cleanup()

    def plan(self, text, where="plan"):
        request = urllib.request.Request(f"{self.url}/judge/{where}", data=text.encode())
        urllib.request.urlopen(request).read()

    def stored(self):
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [event[1] for line in lines for event in line.get("events", ())]

    def test_it_keeps_the_order_of_arrival(self):
        self.put((self.now, "one"))
        self.put((self.now - 5, "two"))
        self.assertEqual(self.stored(), ["one", "two"])

    def test_it_checks_session_tokens(self):
        event = (self.now, "a")
        self.refused("UnrecognizedClientException", event, client=self.client(key="TEMPORARY", token="wrong"))
        self.refused("UnrecognizedClientException", event, client=self.client(token=TOKEN))
        self.put(event, client=self.client(key="TEMPORARY", token=TOKEN))

    def test_its_clock_can_be_wrong(self):
        self.plan("400", "skew")
        answer = self.refused("InvalidSignatureException", (self.now, "a"))
        self.assertIn("Signature expired", answer["Error"]["Message"])
        self.plan("-400", "skew")
        answer = self.refused("InvalidSignatureException", (self.now, "a"))
        self.assertIn("not yet current", answer["Error"]["Message"])
        self.plan("200", "skew")
        self.put((self.now, "a"))

    def test_faults_come_as_planned(self):
        event = (self.now, "a")
        self.plan("put@1=throttle:50 put@2=error put@3=unavailable put@4=denied put@5=expired put@6=html put@7=empty")
        answer = self.refused("ThrottlingException", event)
        self.assertEqual(answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-retry-after"], "50")
        for code in ("InternalFailure", "ServiceUnavailableException", "AccessDeniedException", "ExpiredTokenException"):
            self.refused(code, event)
        for _ in range(2):
            with self.assertRaises(ClientError):
                self.put(event)
        self.put(event)
        self.assertEqual(self.stored(), ["a"])

    def test_resets_come_before_and_after_storing(self):
        self.plan("put@1=reset-early put@2=reset-before put@3=reset-after put@4=cut-after put@5=slow:100 put@6=hang:100")
        for name in ("early", "before", "after"):
            with self.assertRaises(ConnectionClosedError):
                self.put((self.now, name))
        # botocore reads half of an answer as an answer without members.
        self.assertNotIn("nextSequenceToken", self.put((self.now, "cut")))
        self.put((self.now, "slow"))
        with self.assertRaises(ConnectionClosedError):
            self.put((self.now, "hang"))
        self.assertEqual(self.stored(), ["after", "cut", "slow"])

    def test_groups_and_streams_can_be_lost(self):
        self.plan("put@1=forget-stream put@2=forget-group")
        self.refused("ResourceNotFoundException", (self.now, "a"))
        self.logs.create_log_stream(logGroupName="g", logStreamName="s")
        answer = self.refused("ResourceNotFoundException", (self.now, "a"))
        self.assertIn("group", answer["Error"]["Message"])


if __name__ == "__main__":
    unittest.main()
