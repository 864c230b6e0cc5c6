"""Sends events to `cloudspout serve` as other people's programs do, by urllib3.

`send.py one METHOD URL [--header NAME:VALUE]...` sends standard input, and prints the answer as JSON.

`send.py load URL ...` sends events by many clients at once, each request again until it is answered 200, and writes the
number of every event to the journal once its request is. It prints how often each status came.
"""

import argparse
import gzip
import json
import sys
import threading
import time

import urllib3

PATIENCE_SECONDS = 100


def one(arguments):
    """A single request."""
    headers = dict(header.split(":", 1) for header in arguments.header)
    trust = {"ca_certs": arguments.ca} if arguments.ca else {}
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=PATIENCE_SECONDS), **trust)
    answer = pool.request(arguments.method, arguments.url, body=sys.stdin.buffer.read(), headers=headers)
    print(json.dumps({"status": answer.status, "headers": dict(answer.headers), "body": answer.data.decode()}))


class Load:
    """Clients that share what is to be sent, and a journal."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.lock = threading.Lock()
        self.next = 0
        self.journal = open(arguments.journal, "a", encoding="ascii")
        self.statuses = {}
        self.broken = 0

    def run(self):
        clients = [threading.Thread(target=self._client, args=(number,)) for number in range(self.arguments.clients)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.journal.close()
        print(json.dumps({"statuses": self.statuses, "broken": self.broken}))

    def _client(self, number):
        pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=PATIENCE_SECONDS))
        while events := self._take():
            if not self._deliver(pool, number, events):
                return

    def _take(self):
        """The numbers of the next request's events."""
        with self.lock:
            first = self.next
            self.next = min(first + self.arguments.per_request, self.arguments.events)
            return range(first, self.next)

    def _deliver(self, pool, number, events):
        body, headers = self._request(number, events)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                answer = pool.request("POST", self.arguments.url, body=body, headers=headers)
            except urllib3.exceptions.HTTPError:
                with self.lock:
                    self.broken += 1
                if self.arguments.give_up:
                    return False
                time.sleep(0.2)
                continue
            with self.lock:
                status = str(answer.status)
                self.statuses[status] = self.statuses.get(status, 0) + 1
                if answer.status == 200:
                    self.journal.writelines(f"{event}\n" for event in events)
                    self.journal.flush()
                    return True
            if answer.status != 503:
                return False
            time.sleep(float(answer.headers["Retry-After"]) / 4)
        return False

    def _request(self, number, events):
        now = int(time.time() * 1000)
        texts = [
            json.dumps({"n": event, "client": f"c{number % self.arguments.names}", "timestamp": now, "text": "x" * self.arguments.size})
            for event in events
        ]
        form = self.arguments.form
        # As Vector's `http` sink and Fluent Bit's `http` output do with json, json_lines and json_stream.
        body, media = {
            "array": ("[" + ",".join(texts) + "]", "application/json"),
            "lines": ("".join(text + "\n" for text in texts), "application/x-ndjson"),
            "stream": ("".join(texts), "application/json"),
        }[form]
        headers = {"Content-Type": media}
        body = body.encode()
        if self.arguments.gzip:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        return body, headers


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("one")
    command.add_argument("method")
    command.add_argument("url")
    command.add_argument("--header", action="append", default=[])
    command.add_argument("--ca")
    command.set_defaults(run=one)
    command = commands.add_parser("load")
    command.add_argument("url")
    command.add_argument("--clients", type=int, default=20)
    command.add_argument("--events", type=int, default=1000)
    command.add_argument("--per-request", type=int, default=100)
    command.add_argument("--size", type=int, default=40)
    command.add_argument("--names", type=int, default=1)
    command.add_argument("--form", choices=["array", "lines", "stream"], default="lines")
    command.add_argument("--gzip", action="store_true")
    command.add_argument("--give-up", action="store_true")
    command.add_argument("--journal", required=True)
    command.set_defaults(run=lambda arguments: Load(arguments).run())
    arguments = parser.parse_args()
    arguments.run(arguments)


main()
