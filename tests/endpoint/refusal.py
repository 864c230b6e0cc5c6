"""What the service says when it does not do what it was asked."""

import json


class Refusal(Exception):
    """An error of the service: its code, its text, its HTTP status."""

    def __init__(self, code, text, status=400):
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status

    def body(self):
        """The JSON that goes back, with the code spelled as the service spells it."""
        return json.dumps({"__type": self.code, "message": self.text}).encode()


def invalid(text):
    """A request that breaks a rule of the API."""
    return Refusal("InvalidParameterException", text)
