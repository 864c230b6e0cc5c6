"""Keeps one in ten of the lines that say DEBUG, and sends those that say ERROR to a log group of their own."""

from wit_world import exports
from wit_world.exports.filtering import Destination, Events, Origin, Outcome

KEEP_ONE_IN = 10
ERRORS = Destination("/errors", None)


class Filtering(exports.Filtering):
    """What `world filter` exports. An instance lives as long as the filter does not fail."""

    def __init__(self):
        self.seen = 0

    def apply(self, source: Origin, events: Events) -> Outcome:
        kept, texts, ends, elsewhere = [], bytearray(), [], []
        begin = 0
        for number, end in enumerate(events.ends):
            text, begin = events.texts[begin:end], end
            if b"DEBUG" in text:
                self.seen += 1
                if self.seen % KEEP_ONE_IN != 1:
                    continue
            if b"ERROR" in text:
                elsewhere.append((number, 0))
            kept.append(number)
            texts += text
            ends.append(len(texts))
        return Outcome(kept, bytes(texts), ends, [ERRORS], elsewhere)
