"""The limits of CloudWatch Logs, written down from its API reference and checked one by one."""

import json
import re

from refusal import Refusal, invalid

BATCH_BYTES = 1_048_576
EVENT_OVERHEAD = 26
BATCH_EVENTS = 10_000
SPAN_MS = 24 * 3600 * 1000
FUTURE_MS = 2 * 3600 * 1000
PAST_MS = 14 * 24 * 3600 * 1000
DAY_MS = 24 * 3600 * 1000
RETENTION_DAYS = {
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}  # fmt: skip
GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
STREAM = re.compile(r"[^:*]{1,512}", re.DOTALL)
PUT_MEMBERS = {"logGroupName", "logStreamName", "logEvents", "sequenceToken", "entity"}


def parse(body):
    """The body as an object; JSON as RFC 8259 has it: no doubled member, no lone surrogate, no NaN."""

    def members(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError("a member appears twice")
        return dict(pairs)

    def constant(name):
        raise ValueError(f"{name} is not JSON")

    try:
        request = json.loads(body.decode("utf-8"), object_pairs_hook=members, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("SerializationException", str(error)[:200]) from None
    if not isinstance(request, dict):
        raise Refusal("SerializationException", "the body is not an object")
    return request


def group_of(request):
    """The log group's name, if it is one."""
    name = request.get("logGroupName")
    if not isinstance(name, str) or not GROUP.fullmatch(name) or name.startswith("aws/"):
        raise invalid(f"Value at 'logGroupName' failed to satisfy constraint: {name!r}"[:300])
    return name


def stream_of(request):
    """The log stream's name, if it is one."""
    name = request.get("logStreamName")
    if not isinstance(name, str) or not STREAM.fullmatch(name):
        raise invalid(f"Value at 'logStreamName' failed to satisfy constraint: {name!r}"[:300])
    return name


def retention_of(request):
    """The days of a PutRetentionPolicy."""
    days = request.get("retentionInDays")
    if days not in RETENTION_DAYS:
        raise invalid(f"Value at 'retentionInDays' failed to satisfy constraint: {days!r}")
    return days


def events_of(request, now_ms):
    """The events as (timestamp, message), once every rule on the batch as a whole is kept."""
    unknown = set(request) - PUT_MEMBERS
    if unknown:
        raise Refusal("SerializationException", f"unknown members {sorted(unknown)}")
    events = request.get("logEvents")
    if not isinstance(events, list):
        raise invalid("Value null at 'logEvents' failed to satisfy constraint: Member must not be null")
    if not 1 <= len(events) <= BATCH_EVENTS:
        raise invalid(f"Value at 'logEvents' failed to satisfy constraint: length {len(events)} is not within 1 and 10000")
    taken = [_event(event, index) for index, event in enumerate(events)]
    size = sum(len(message.encode()) + EVENT_OVERHEAD for _, message in taken)
    if size > BATCH_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")
    for (before, _), (after, _) in zip(taken, taken[1:]):
        if after < before:
            raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    valid = [time for time, _ in taken if now_ms - PAST_MS <= time <= now_ms + FUTURE_MS]
    if valid and valid[-1] - valid[0] > SPAN_MS:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    return taken


def _event(event, index):
    where = f"'logEvents.{index + 1}.member"
    if not isinstance(event, dict) or set(event) != {"timestamp", "message"}:
        raise invalid(f"Value at {where}' failed to satisfy constraint: timestamp and message are required")
    time, message = event["timestamp"], event["message"]
    if isinstance(time, bool) or not isinstance(time, int):
        raise Refusal("SerializationException", f"{where}.timestamp' is not a whole number")
    if time < 0:
        raise invalid(f"Value at {where}.timestamp' failed to satisfy constraint: at least 0")
    if not isinstance(message, str):
        raise Refusal("SerializationException", f"{where}.message' is not a string")
    if not message:
        raise invalid(f"Value '' at {where}.message' failed to satisfy constraint: Member must have length greater than or equal to 1")
    try:
        message.encode()
    except UnicodeEncodeError:
        raise Refusal("SerializationException", f"{where}.message' holds a lone surrogate") from None
    return time, message


def sort_out(events, now_ms, retention_days):
    """Splits events into those kept and the `rejectedLogEventsInfo` that tells of the others."""
    times = [time for time, _ in events]
    too_old = sum(time < now_ms - PAST_MS for time in times)
    expired = sum(time < now_ms - retention_days * DAY_MS for time in times) if retention_days else 0
    too_new = sum(time > now_ms + FUTURE_MS for time in times)
    info = {}
    if too_old:
        info["tooOldLogEventEndIndex"] = too_old
    if expired > too_old:
        info["expiredLogEventEndIndex"] = expired
    if too_new:
        info["tooNewLogEventStartIndex"] = len(times) - too_new
    return events[max(too_old, expired) : len(events) - too_new], info
