"""CloudWatch Logs as far as a shipper needs it, and a journal of all that was asked of it."""

import json
import threading
import time

import rules
from refusal import Refusal

AMBIGUOUS = {"reset-after", "cut-after"}


class Service:
    """Log groups, log streams and the journal. Every request is taken under one lock, in order of arrival."""

    def __init__(self, journal):
        self.lock = threading.Lock()
        self.journal = journal
        self.groups = {}
        self.counts = {"requests": 0, "refused": 0, "stored": 0, "put": 0}

    def call(self, operation, request, fault, now_ms):
        """Does what was asked and returns the answer; a `Refusal` is noted and raised on."""
        handlers = {
            "CreateLogGroup": self._create_group,
            "CreateLogStream": self._create_stream,
            "PutRetentionPolicy": self._put_retention,
            "PutLogEvents": self._put,
        }
        with self.lock:
            if operation not in handlers:
                raise Refusal("UnknownOperationException", f"{operation} is not for shippers", 404)
            return handlers[operation](request, fault, now_ms)

    def note(self, **entry):
        """Writes a line into the journal."""
        with self.lock:
            self._note(entry)

    def _note(self, entry):
        self.counts["requests"] += 1
        if "refusal" in entry:
            self.counts["refused"] += 1
        entry["at"] = time.time()
        self.journal.write(json.dumps(entry, separators=(",", ":")) + "\n")
        self.journal.flush()

    def _create_group(self, request, fault, _):
        group = rules.group_of(request)
        if group in self.groups:
            raise Refusal("ResourceAlreadyExistsException", "The specified log group already exists")
        self.groups[group] = {"retention": None, "streams": set()}
        self._note({"operation": "CreateLogGroup", "group": group, "fault": fault})

    def _create_stream(self, request, fault, _):
        group, stream = self._group(request), rules.stream_of(request)
        if stream in group["streams"]:
            raise Refusal("ResourceAlreadyExistsException", "The specified log stream already exists")
        group["streams"].add(stream)
        self._note({"operation": "CreateLogStream", "group": request["logGroupName"], "stream": stream, "fault": fault})

    def _put_retention(self, request, fault, _):
        self._group(request)["retention"] = rules.retention_of(request)
        self._note({"operation": "PutRetentionPolicy", "group": request["logGroupName"], "fault": fault})

    def _put(self, request, fault, now_ms):
        form = request.pop("format", None)
        rules.group_of(request)
        stream = rules.stream_of(request)
        events = rules.events_of(request, now_ms)
        group = self._group(request)
        if stream not in group["streams"]:
            raise Refusal("ResourceNotFoundException", "The specified log stream does not exist.")
        kept, rejected = rules.sort_out(events, now_ms, group["retention"])
        self.counts["stored"] += len(kept)
        self.counts["put"] += 1
        entry = {"operation": "PutLogEvents", "group": request["logGroupName"], "stream": stream, "fault": fault}
        entry["ambiguous"] = fault in AMBIGUOUS
        if form is not None:
            entry["format"] = form
        if rejected:
            entry["rejected"] = rejected
        entry["events"] = kept
        self._note(entry)
        answer = {"nextSequenceToken": f"{self.counts['put']:056d}"}
        if rejected:
            answer["rejectedLogEventsInfo"] = rejected
        return answer

    def _group(self, request):
        name = rules.group_of(request)
        if name not in self.groups:
            raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
        return self.groups[name]

    def forget(self, request, fault):
        """Drops the log group, or the log stream, that a request names: as if someone had deleted it."""
        with self.lock:
            group = request.get("logGroupName")
            if fault == "forget-group":
                self.groups.pop(group, None)
            elif group in self.groups:
                self.groups[group]["streams"].discard(request.get("logStreamName"))
