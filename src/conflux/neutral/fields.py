"""What a client wrote, called as its own protocol calls it.

Law: whoever refuses a field knows neither whose client wrote it nor how; so it says the field, and who answers puts in
the client's own word, from the table of the client's protocol.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, cast

from conflux.neutral.errors import GatewayError, Kind

_INNER = re.compile(r"[A-Z]")


class Field(StrEnum):
    """What is ever refused of a conversation, as chat completions call it."""

    MESSAGES = "messages"
    TOOLS = "tools"
    TOOL_CHOICE = "tool_choice"
    STOP = "stop"
    CHOICES = "n"
    LOGPROBS = "logprobs"
    LOGIT_BIAS = "logit_bias"
    EFFORT = "reasoning_effort"
    FORMAT = "response_format"
    FORMAT_SCHEMA = "response_format.json_schema"
    SCHEMA = "response_format.json_schema.schema"
    SEARCH = "web_search_options"
    MODEL = "model"


class Hint(StrEnum):
    """What is left out where a model's provider has no word for it, or takes less of it."""

    LIMIT = "max_tokens"
    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    TOP_K = "top_k"
    SEED = "seed"
    FREQUENCY = "frequency_penalty"
    PRESENCE = "presence_penalty"
    PARALLEL = "parallel_tool_calls"


# What a protocol calls a field: where it may stand in a body. A field that is not there has the name above, or cannot
# be said in that protocol.
Words = Mapping[Field | Hint, tuple[str, ...]]


class Refused(GatewayError):
    """About a field. `text`: `{field}` stands for its name. `within`: the place inside of it."""

    def __init__(self, kind: Kind, field: Field, text: str, *, within: str = "", **more: Any) -> None:
        super().__init__(kind, "", **more)
        self.field = field
        self.text = text
        self.within = f".{within}" if within else ""
        self._call(field)

    def _call(self, name: str) -> None:
        self.param = name + self.within
        self.message = self.text.replace("{field}", self.param)
        self.args = (self.message,)

    def word(self, words: Words, body: Any) -> None:
        """By the client's own name for it. `body`: the client's."""
        places = words.get(self.field, (str(self.field),))
        self._call(next((found for place in places if (found := _written(place, body))), places[0]))


def called(names: Iterable[str], words: Words, body: Any) -> tuple[str, ...]:
    """What was left out, by the client's own names; one that it wrote nowhere keeps the name it has."""
    places = cast("Mapping[str, tuple[str, ...]]", words)

    def own(name: str) -> str:
        whole, _, rest = (name, "", "") if name in places else name.partition(".")
        found = next((found for place in places.get(whole, ()) if (found := _written(place, body))), whole)
        return f"{found}.{rest}" if rest else found

    return tuple(dict.fromkeys(map(own, names)))


def _written(place: str, body: Any) -> str:
    """The path as the client wrote it: some protocols have two spellings for every name."""
    path = []
    for step in place.split("."):
        if not isinstance(body, dict):
            return ""
        name = step if step in body else _INNER.sub(lambda found: f"_{found[0].lower()}", step)
        if name not in body:
            return ""
        path.append(name)
        body = body[name]
    return ".".join(path)


def worded(error: GatewayError, words: Words, body: Any = None) -> GatewayError:
    """The same error, as a client of the protocol with these words is told it."""
    if isinstance(error, Refused):
        error.word(words, body)
    return error
