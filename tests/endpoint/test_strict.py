"""Proves the strict endpoint with boto3 as its client: good requests pass, and each bad one is refused by its rule."""

import json
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

HERE = Path(__file__).parent
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "a/secret+of=tests", "a//token=="
DAY = 24 * 3600 * 1000


class Strict(unittest.TestCase):
    """Each test has an endpoint of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Path(self.folder.name, "journal")
        command = [sys.executable, HERE / "strict.py", "--journal", self.journal]
        command += ["--key", f"{KEY}:{SECRET}", "--key", f"TEMPORARY:{SECRET}:{TOKEN}"]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.server.stdout.readline())}"
        self.logs = self.client()
        self.logs.create_log_group(logGroupName="g")
        self.logs.create_log_stream(logGroupName="g", logStreamName="s")
        self.now = int(time.time() * 1000)

    def tearDown(self):
        self.server.stdin.close()
        self.server.wait(10)
        self.server.stdout.close()
        self.folder.cleanup()

    def client(self, key=KEY, secret=SECRET, token=None, region="eu-central-1"):
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, parameter_validation=False, read_timeout=5)
        return boto3.client(
            "logs", endpoint_url=self.url, region_name=region, config=config,
            aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
        )  # fmt: skip

    def put(self, *events, client=None, group="g", stream="s"):
        events = [{"timestamp": time, "message": message} for time, message in events]
        return (client or self.logs).put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def refused(self, code, *events, **more):
        with self.assertRaises(ClientError) as caught:
            self.put(*events, **more)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def plan(self, text, where="plan"):
        request = urllib.request.Request(f"{self.url}/judge/{where}", data=text.encode())
        urllib.request.urlopen(request).read()

    def stored(self):
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [event[1] for line in lines for event in line.get("events", ())]

    def test_it_stores_what_is_good_in_order_of_arrival(self):
        self.put((self.now, "one"), (self.now, "zwei ü 🙂 \x00\x1f\u2028\"\\"))
        self.put((self.now - 5, "three"))
        self.assertEqual(self.stored(), ["one", "zwei ü 🙂 \x00\x1f\u2028\"\\", "three"])

    def test_it_takes_exactly_the_largest_batches(self):
        self.put((self.now, "x" * (1_048_576 - 26)))
        self.put((self.now, "ü" * ((1_048_576 - 52) // 2 - 1)), (self.now, "zz"))
        self.put(*[(self.now, "e")] * 10_000)
        self.put((self.now - DAY, "a"), (self.now, "b"))
        self.assertEqual(len(self.stored()), 10_005)

    def test_it_refuses_what_breaks_a_limit(self):
        bad = "InvalidParameterException"
        self.refused(bad)
        self.refused(bad, (self.now, ""))
        self.refused(bad, (self.now, "x" * (1_048_576 - 25)))
        self.refused(bad, (self.now, "ü" * ((1_048_576 - 26) // 2 + 1)))
        self.refused(bad, (self.now, "x" * 1_048_523), (self.now, "y"), (self.now, "z"))
        self.refused(bad, *[(self.now, "e")] * 10_001)
        self.refused(bad, (self.now, "a"), (self.now - 1, "b"))
        self.refused(bad, (self.now - DAY - 1, "a"), (self.now, "b"))
        self.refused(bad, (-1, "a"))
        for group in ("", "g:", "ü", "x" * 513, "aws/g"):
            self.refused(bad, (self.now, "a"), group=group)
        for stream in ("", "a:b", "a*", "x" * 513):
            self.refused(bad, (self.now, "a"), stream=stream)
        self.assertEqual(self.stored(), [])

    def test_it_knows_only_what_was_created(self):
        self.refused("ResourceNotFoundException", (self.now, "a"), group="other")
        self.refused("ResourceNotFoundException", (self.now, "a"), stream="other")
        with self.assertRaises(self.logs.exceptions.ResourceAlreadyExistsException):
            self.logs.create_log_group(logGroupName="g")
        with self.assertRaises(self.logs.exceptions.ResourceAlreadyExistsException):
            self.logs.create_log_stream(logGroupName="g", logStreamName="s")

    def test_it_rejects_old_new_and_expired_events_one_by_one(self):
        old, new = self.now - 14 * DAY - 60_000, self.now + 3 * 3600 * 1000
        answer = self.put((old, "old"), (old + 1, "old"), (self.now, "good"), (new, "new"), (new, "new"))
        self.assertEqual(answer["rejectedLogEventsInfo"], {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 3})
        self.logs.put_retention_policy(logGroupName="g", retentionInDays=1)
        answer = self.put((self.now - DAY - 1, "expired"), (self.now - 2, "good"))
        self.assertEqual(answer["rejectedLogEventsInfo"], {"expiredLogEventEndIndex": 1})
        self.assertEqual(self.stored(), ["good", "good"])

    def test_it_checks_keys_region_and_session_token(self):
        event = (self.now, "a")
        self.refused("InvalidSignatureException", event, client=self.client(secret="wrong"))
        self.refused("UnrecognizedClientException", event, client=self.client(key="AKIDOTHER"))
        self.refused("InvalidSignatureException", event, client=self.client(region="us-east-1"))
        self.refused("UnrecognizedClientException", event, client=self.client(key="TEMPORARY", token="wrong"))
        self.refused("UnrecognizedClientException", event, client=self.client(token=TOKEN))
        self.put(event, client=self.client(key="TEMPORARY", token=TOKEN))

    def test_it_notices_a_request_that_was_changed_after_signing(self):
        def changes(**headers):
            client = self.client()

            def change(request, **_):
                if "body" in headers:
                    request.body = request.body.replace(b'"a"', b'"b"')
                for name, value in headers.items():
                    name = name.replace("_", "-")
                    if name != "body":
                        if name in request.headers:
                            del request.headers[name]
                        request.headers[name] = value

            client.meta.events.register("before-send.cloudwatch-logs.PutLogEvents", change)
            return client

        event = (self.now, "a")
        self.refused("InvalidSignatureException", event, client=changes(body=True))
        self.refused("InvalidSignatureException", event, client=changes(X_Amz_Date="20200101T000000Z"))
        self.refused("InvalidSignatureException", event, client=changes(X_Amz_Extra="unsigned"))
        self.refused("IncompleteSignatureException", event, client=changes(Authorization="AWS4-HMAC-SHA256 no"))
        self.refused("SerializationException", event, client=changes(Content_Type="application/json"))

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
