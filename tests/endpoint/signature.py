"""Verifies Signature Version 4 with botocore, a signer that shares nothing with the one under test."""

import calendar
import hashlib
import hmac
import re
import time

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from refusal import Refusal

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;\-]+), ?Signature=([0-9a-f]{64})"
)
TOLERANCE_SECONDS = 300


class Verifier:
    """Holds the keys that are good, as (access key id, secret, session token or None), and the Region."""

    def __init__(self, keys, region):
        self.keys = {key_id: (secret, token) for key_id, secret, token in keys}
        self.region = region

    def check(self, url, headers, body, now):
        """Raises a `Refusal` unless the request is signed in every point as AWS asks."""
        authorization = headers.get("Authorization")
        if not authorization:
            raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
        match = AUTHORIZATION.fullmatch(authorization)
        if not match:
            raise Refusal("IncompleteSignatureException", "Authorization header is not well formed")
        key_id, day, region, service, signed, signature = match.groups()
        if key_id not in self.keys:
            raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        secret, token = self.keys[key_id]
        if headers.get("X-Amz-Security-Token") != token:
            raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        if service != "logs":
            raise Refusal("InvalidSignatureException", f"Credential should be scoped to correct service: 'logs', not '{service}'")
        if region != self.region:
            raise Refusal("InvalidSignatureException", f"Credential should be scoped to a valid region: '{self.region}', not '{region}'")
        stamp = self._check_time(headers, day, now)
        names = signed.split(";")
        self._check_names(headers, names)
        digest = hashlib.sha256(body).hexdigest()
        if headers.get("X-Amz-Content-Sha256", digest) != digest:
            raise Refusal("InvalidSignatureException", "x-amz-content-sha256 is not the digest of the body")
        if not hmac.compare_digest(self._signature(url, headers, names, body, stamp, secret, token), signature):
            raise Refusal(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided.",
            )

    def _check_time(self, headers, day, now):
        stamp = headers.get("X-Amz-Date", "")
        if not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
            raise Refusal("IncompleteSignatureException", "x-amz-date is missing or not well formed")
        if stamp[:8] != day:
            raise Refusal("InvalidSignatureException", "Date in Credential scope does not match x-amz-date")
        signed_at = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        server = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        if signed_at < now - TOLERANCE_SECONDS:
            raise Refusal("InvalidSignatureException", f"Signature expired: {stamp} is now earlier than {server} - 5 min.")
        if signed_at > now + TOLERANCE_SECONDS:
            raise Refusal("InvalidSignatureException", f"Signature not yet current: {stamp} is still later than {server} + 5 min.")
        return stamp

    @staticmethod
    def _check_names(headers, names):
        if names != sorted(names):
            raise Refusal("InvalidSignatureException", "SignedHeaders are not in order")
        for name in headers:
            lower = name.lower()
            must = lower in ("host", "content-type", "content-encoding") or lower.startswith("x-amz-")
            if must and lower not in names:
                raise Refusal("InvalidSignatureException", f"'{lower}' must be a signed header")
        for name in names:
            if headers.get(name) is None:
                raise Refusal("InvalidSignatureException", f"signed header '{name}' is absent")

    def _signature(self, url, headers, names, body, stamp, secret, token):
        request = AWSRequest(method="POST", url=url, data=body, headers={name: headers[name] for name in names})
        request.context["timestamp"] = stamp
        request.context["payload_signing_enabled"] = True
        auth = SigV4Auth(Credentials("unused", secret, token), "logs", self.region)
        return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
