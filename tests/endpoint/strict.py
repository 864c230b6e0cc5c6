"""A CloudWatch Logs endpoint that refuses whatever the service would refuse and writes down all that arrives.

It listens on loopback, and in another network namespace if it is told to, prints its port, and ends when its standard
input does. `GET /judge/status` answers with counts, `POST /judge/plan` takes a plan of faults (see faults.py),
`POST /judge/skew` moves its clock by so many seconds.
"""

import argparse
import ctypes
import gzip
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import uuid
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import rules
from faults import Plan
from refusal import Refusal
from service import Service
from signature import Verifier

CLONE_NEWNET = 0x40000000
PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"
ANSWERS = {
    "throttle": (400, "ThrottlingException", "Rate exceeded"),
    "error": (500, "InternalFailure", "The request processing has failed because of an unknown error"),
    "unavailable": (500, "ServiceUnavailableException", "The service cannot complete the request."),
    "denied": (400, "AccessDeniedException", "User: arn:aws:iam::000000000000:user/tests is not authorized to perform this action"),
    "expired": (400, "ExpiredTokenException", "The security token included in the request is expired"),
    "unrecognized": (400, "UnrecognizedClientException", "The security token included in the request is invalid."),
}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "strict"
    sys_version = ""
    timeout = 60
    wbufsize = -1

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = 0

    def do_GET(self):
        """Answers the tests; to anybody else it is not a service."""
        if self.path != "/judge/status":
            return self._send(404, PAGE, "text/html")
        service = self.server.service
        with service.lock:
            status = dict(service.counts, connections=self.server.connections, busy=self.server.busy)
        return self._send(200, json.dumps(status).encode(), "application/json")

    def do_POST(self):
        """One request of a client, or a wish of the tests."""
        if self.path == "/judge/plan":
            self.server.plan = Plan(self._body().decode())
            return self._send(200, b"{}", "application/json")
        if self.path == "/judge/skew":
            self.server.skew = float(self._body())
            return self._send(200, b"{}", "application/json")
        lock = self.server.service.lock
        with lock:
            self.server.busy += 1
            self.server.connections += self.requests == 0
        self.requests += 1
        try:
            return self._serve()
        finally:
            with lock:
                self.server.busy -= 1

    def _serve(self):
        operation = self.headers.get("X-Amz-Target", "").removeprefix("Logs_20140328.")
        with self.server.service.lock:
            fault, argument = self.server.plan.next(operation)
        if fault == "reset-early":
            self.server.service.note(operation=operation, fault=fault)
            return self._reset()
        body = self._body()
        try:
            return self._answer(operation, body, fault, argument)
        except Refusal as refusal:
            self.server.service.note(operation=operation, fault=fault, refusal=refusal.code, text=refusal.text)
            return self._send(refusal.status, refusal.body(), kind=refusal.code)

    def _answer(self, operation, body, fault, argument):
        request = self._check(body)
        service = self.server.service
        if fault in ("forget-group", "forget-stream"):
            service.forget(request, fault)
        elif fault in ANSWERS or fault in ("html", "empty", "not-aws", "reset-before", "hang"):
            service.note(operation=operation, fault=fault)
            return self._fail(fault, argument)
        if operation == "PutLogEvents":
            request["format"] = self.headers.get("x-amzn-logs-format")
        answer = service.call(operation, request, fault, int(self._now() * 1000))
        text = b"" if answer is None else json.dumps(answer).encode()
        if fault == "reset-after":
            return self._reset()
        if fault == "cut-after":
            return self._cut(text)
        if fault == "slow":
            time.sleep(argument / 1000)
        return self._send(200, text)

    def _fail(self, fault, argument):
        if fault == "reset-before":
            return self._reset()
        if fault == "hang":
            time.sleep(argument / 1000)
            return self._reset()
        if fault == "html":
            return self._send(502, b"<html><body>Bad Gateway</body></html>", "text/html")
        if fault == "empty":
            return self._send(503, b"")
        if fault == "not-aws":
            return self._send(200, PAGE, "text/html")
        status, code, text = ANSWERS[fault]
        headers = {"x-amz-retry-after": str(argument)} if argument is not None else {}
        return self._send(status, Refusal(code, text).body(), kind=code, headers=headers)

    def _check(self, body):
        if self.path != "/":
            raise Refusal("UnknownOperationException", f"POST goes to /, not {self.path}", 404)
        if self.headers.get("Content-Type") != "application/x-amz-json-1.1":
            raise Refusal("SerializationException", f"Content-Type is {self.headers.get('Content-Type')}")
        url = f"{self.server.scheme}://{self.headers.get('Host')}/"
        self.server.verifier.check(url, self.headers, body, self._now())
        encoding = self.headers.get("Content-Encoding")
        if encoding == "gzip":
            body = gzip.decompress(body)
        elif encoding:
            raise Refusal("SerializationException", f"Content-Encoding is {encoding}")
        return rules.parse(body)

    def _body(self):
        if "Content-Length" not in self.headers:
            raise Refusal("SerializationException", "Content-Length is missing", 411)
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the client went away within its request")
        return body

    def _now(self):
        return time.time() + self.server.skew

    def _send(self, status, body, content="application/x-amz-json-1.1", kind=None, headers=None):
        self.send_response_only(status)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Date", formatdate(self._now(), usegmt=True))
        self.send_header("Content-Type", content)
        self.send_header("Content-Length", str(len(body)))
        if kind:
            self.send_header("x-amzn-ErrorType", kind)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _cut(self, body):
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body[: len(body) // 2])
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_WR)

    def _reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        # Takes effect once the handler's files are closed as well, which it does next.
        self.connection.close()

    def log_message(self, *_):
        """Says nothing: the journal tells all."""


class Server(ThreadingHTTPServer):
    """The endpoint, with everything its connections share."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that went away is no news; anything else is a fault of the endpoint's own."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def serve_in(namespace, port, server):
    """Takes connections in another network namespace: a socket stays in the one it was made in."""
    with open(namespace, encoding="utf-8") as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    listener = socket.create_server(("", port), backlog=Server.request_queue_size)

    def take():
        while True:
            server.process_request(*listener.accept())

    threading.Thread(target=take, daemon=True).start()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--journal", required=True, help="file that everything is written to")
    options.add_argument("--key", action="append", required=True, help="ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]")
    options.add_argument("--region", default="eu-central-1")
    options.add_argument("--plan", default="")
    options.add_argument("--certificate", help="PEM file with certificate and key: speak TLS")
    options.add_argument("--namespace", help="file of a network namespace to listen in as well, on the same port")
    chosen = options.parse_args()

    keys = [(*key.split(":", 2), None)[:3] for key in chosen.key]
    server = Server(("127.0.0.1", 0), Handler)
    server.service = Service(open(chosen.journal, "w", encoding="utf-8"))
    server.verifier = Verifier(keys, chosen.region)
    server.plan = Plan(chosen.plan)
    server.skew = 0.0
    server.connections = 0
    server.busy = 0
    server.scheme = "http"
    if chosen.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chosen.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.scheme = "https"
    if chosen.namespace:
        # The thread that enters it stays there, and so does not do anything else.
        entering = threading.Thread(target=serve_in, args=(chosen.namespace, server.server_address[1], server))
        entering.start()
        entering.join()
    print(server.server_address[1], flush=True)

    def leave_with_parent():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=leave_with_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
