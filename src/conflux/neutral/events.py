"""The one vocabulary of an answer, streamed or not.

Law: blocks are serial. A block is opened, fed and closed before the next one opens; `index` counts choices, not
blocks. Exactly one Finish per choice, then at most one Reported, and nothing after a Fault.
"""

from enum import StrEnum
from typing import Any

import msgspec

from conflux.neutral.usage import Usage


class Stop(StrEnum):
    END = "end"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    STOP_SEQUENCE = "stop_sequence"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause"


class Began(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream accepted the request and will answer."""

    id: str = ""
    model: str = ""
    created: int = 0
    usage: Usage | None = None


class TextDelta(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    index: int = 0
    logprobs: Any = None


class ThinkingDelta(msgspec.Struct, frozen=True, kw_only=True):
    text: str = ""
    index: int = 0
    signature: str | None = None
    issuer: str | None = None  # the dialect whose signature or redaction it is
    redacted: str | None = None


class RefusalDelta(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    index: int = 0


class ToolBegan(msgspec.Struct, frozen=True, kw_only=True):
    call_id: str
    name: str
    index: int = 0
    custom: bool = False


class ToolDelta(msgspec.Struct, frozen=True, kw_only=True):
    arguments: str
    index: int = 0


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A web page that what was said stands on, as all dialects can say it. Its place is counted in the characters of
    all the text of its choice."""

    url: str
    title: str = ""
    quote: str = ""  # what the page says
    start: int | None = None
    end: int | None = None


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """What only its own dialect understands: a whole block, or of the kind `citation` a note on the open text.

    `link`: of a citation what others understand of it too."""

    dialect: str
    kind: str
    value: Any
    index: int = 0
    link: Link | None = None


class BlockEnded(msgspec.Struct, frozen=True, kw_only=True):
    index: int = 0


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    stop: Stop
    index: int = 0
    sequence: str | None = None


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream's own count of what was used."""

    usage: Usage


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream said, inside its answer, that it failed."""

    message: str
    code: str | None = None
    status: int | None = None
    retry_after: float | None = None


Event = (
    Began | TextDelta | ThinkingDelta | RefusalDelta | ToolBegan | ToolDelta | Aside | BlockEnded | Finished
    | Reported | Fault
)  # fmt: skip
