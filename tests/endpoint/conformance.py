"""Requests that CloudWatch Logs takes or refuses, asked of an endpoint with boto3 as the client."""

import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

DAY = 24 * 3600 * 1000
REGION = "eu-central-1"


class Conformance:
    """What holds for every endpoint that claims to be as strict as the service; `url` and `keys` come from below."""

    url = None
    keys = (None, None)

    def begin(self):
        """Makes the log group `g` with the log stream `s`."""
        self.logs = self.client()
        self.logs.create_log_group(logGroupName="g")
        self.logs.create_log_stream(logGroupName="g", logStreamName="s")
        self.now = int(time.time() * 1000)

    def client(self, key=None, secret=None, token=None, region=REGION):
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, parameter_validation=False, read_timeout=5)
        return boto3.client(
            "logs", endpoint_url=self.url, region_name=region, config=config, aws_access_key_id=key or self.keys[0],
            aws_secret_access_key=secret or self.keys[1], aws_session_token=token,
        )  # fmt: skip

    def put(self, *events, client=None, group="g", stream="s"):
        events = [{"timestamp": time, "message": message} for time, message in events]
        return (client or self.logs).put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def refused(self, code, *events, **more):
        with self.assertRaises(ClientError) as caught:
            self.put(*events, **more)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def stored(self):
        """The messages of the log stream; in order of arrival or of time, as the endpoint gives them."""
        messages, token = [], {}
        while True:
            page = self.logs.get_log_events(
                logGroupName="g", logStreamName="s", startFromHead=True, startTime=0, **token
            )
            messages += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == token.get("nextToken"):
                return messages
            token = {"nextToken": page["nextForwardToken"]}

    def test_it_stores_what_is_good(self):
        self.put((self.now, "one"), (self.now, "zwei ü 🙂 \x00\x1f\u2028\"\\"))
        self.put((self.now + 5, "three"))
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
        for group in ("", "g:", "ü", "x" * 513):
            self.refused(bad, (self.now, "a"), group=group)
        with self.assertRaises(self.logs.exceptions.InvalidParameterException):
            self.logs.create_log_group(logGroupName="aws/g")
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

    def test_it_checks_keys_and_region(self):
        event = (self.now, "a")
        self.refused("InvalidSignatureException", event, client=self.client(secret="wrong"))
        self.refused("UnrecognizedClientException", event, client=self.client(key="AKIDOTHER"))
        self.refused("InvalidSignatureException", event, client=self.client(region="us-east-1"))

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
        with self.assertRaises(ClientError):
            self.put(event, client=changes(Content_Type="application/json"))
