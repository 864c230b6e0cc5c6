"""Issues temporary credentials on loopback, as STS does for a role and as ECS and EKS do for a container.

It prints its port, writes what it was asked for into its journal, a JSON object a line, and ends when its standard input
does. A role is issued to whoever signs with the key it was told, or shows a web identity token; a container's
credentials to whoever brings an authorization. They expire an hour later.
"""

import argparse
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

ASSUMED = """<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
<AssumedRoleUser><AssumedRoleId>AROA:{session}</AssumedRoleId><Arn>{role}/{session}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>
<SessionToken>{token}</SessionToken><Expiration>{expiration}</Expiration></Credentials>
</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"""
DENIED = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not for you</Message></Error>
<RequestId>1</RequestId></ErrorResponse>"""


class Issuer(BaseHTTPRequestHandler):
    chosen = None
    journal = None

    def do_POST(self):
        asked = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        authorization = self.headers.get("Authorization") or ""
        self.note({**asked, "authorization": authorization})
        signs = f"Credential={self.chosen.signer}/" in authorization
        shows = asked["Action"] == "AssumeRoleWithWebIdentity" and "WebIdentityToken" in asked
        if not signs and not shows:
            return self.answer(403, "text/xml", DENIED)
        key, secret, token = self.chosen.issue
        self.answer(
            200,
            "text/xml",
            ASSUMED.format(
                action=asked["Action"],
                role=asked["RoleArn"],
                session=asked["RoleSessionName"],
                key=key,
                secret=secret,
                token=token,
                expiration=expiration(),
            ),
        )

    def do_GET(self):
        self.note({"path": self.path, "authorization": self.headers.get("Authorization")})
        if not self.headers.get("Authorization"):
            return self.answer(401, "application/json", "{}")
        key, secret, token = self.chosen.issue
        found = {"AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": expiration()}
        self.answer(200, "application/json", json.dumps(found))

    def note(self, asked):
        self.journal.write(json.dumps(asked) + "\n")
        self.journal.flush()

    def answer(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """What it was asked stands in the journal."""


def expiration():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--journal", required=True)
    options.add_argument("--signer", required=True, help="access key id that may assume roles")
    options.add_argument("--issue", required=True, nargs=3, help="key id, secret and token")
    Issuer.chosen = options.parse_args()
    Issuer.journal = open(Issuer.chosen.journal, "w", encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
