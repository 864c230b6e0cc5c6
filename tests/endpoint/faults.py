"""Plans of what goes wrong: `OPERATION@WHICH=FAULT`, separated by blanks.

OPERATION is `put`, `group`, `stream`, `retention` (PutLogEvents, CreateLogGroup, CreateLogStream, PutRetentionPolicy)
or `any`. WHICH counts the requests
of that operation from 1: `3`, `2-5`, `4-` (from the fourth on), `%3` (every third) or `*`. The first rule that
fits decides. FAULT is one of:

    throttle[:MS]    ThrottlingException, with `x-amz-retry-after` if MS is given
    error            500 InternalFailure              unavailable  500 ServiceUnavailableException
    html             502 with a page of a proxy        empty        503 without a body
    denied           AccessDeniedException             expired      ExpiredTokenException
    unrecognized     UnrecognizedClientException       not-aws      200 with a web page
    forget-group     the log group is gone             forget-stream  the log stream is gone
    reset-before     reads the request, then resets the connection; nothing is stored
    reset-early      resets the connection before the body is read; nothing is stored
    reset-after      stores, then resets the connection without an answer
    cut-after        stores, then sends half of the answer
    slow:MS          stores, and answers late          hang:MS      keeps silent so long, then closes; nothing is stored
"""

import re

OPERATIONS = {
    "put": "PutLogEvents",
    "group": "CreateLogGroup",
    "stream": "CreateLogStream",
    "retention": "PutRetentionPolicy",
    "any": None,
}
PLAIN = {
    "throttle", "error", "unavailable", "html", "empty", "denied", "expired", "unrecognized", "not-aws",
    "forget-group", "forget-stream", "reset-before", "reset-early", "reset-after", "cut-after", "slow", "hang",
}  # fmt: skip


class Plan:
    """Rules in the order they were written, and how often each operation was seen."""

    def __init__(self, text):
        self.rules = [_rule(word) for word in text.split()]
        self.seen = {}

    def next(self, operation):
        """The fault for this request as (name, argument), or (None, None)."""
        count = self.seen[operation] = self.seen.get(operation, 0) + 1
        every = self.seen[None] = self.seen.get(None, 0) + 1
        for wanted, fits, fault, argument in self.rules:
            if wanted is None and fits(every) or wanted == operation and fits(count):
                return fault, argument
        return None, None


def _rule(word):
    match = re.fullmatch(r"(\w+)@([^=]+)=([a-z\-]+)(?::(\d+))?", word)
    if not match or match[1] not in OPERATIONS or match[3] not in PLAIN:
        raise ValueError(f"not a rule: {word}")
    argument = int(match[4]) if match[4] else None
    return OPERATIONS[match[1]], _selector(match[2]), match[3], argument


def _selector(text):
    if text == "*":
        return lambda count: True
    if text.startswith("%"):
        step = int(text[1:])
        return lambda count: count % step == 0
    first, dash, last = text.partition("-")
    low = int(first)
    high = (int(last) if last else None) if dash else low
    return lambda count: low <= count and (high is None or count <= high)
