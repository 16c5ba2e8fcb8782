"""What a request of any dialect comes down to.

Law: a dialect file turns its bytes into an Ask and refuses what its protocol forbids; everything that decides the
answer reads the Ask and never the wire. So a further dialect is one more file, not one more way to answer.
"""

from typing import Any

import msgspec


class BadRequest(Exception):
    """The dialect forbids this request: answered with its 400."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class Offered(msgspec.Struct, frozen=True):
    """What tools the answer may call. `forced`: one by name, or any with an empty name."""

    schemas: dict[str, dict[str, Any]] = {}
    forced: str | None = None
    forbidden: bool = False
    parallel: bool = True


class Limits(msgspec.Struct, frozen=True):
    """Where the answer is cut."""

    tokens: int | None = None
    stops: tuple[str, ...] = ()


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    body: dict[str, Any]
    path: str
    model: str
    stream: bool
    seed: int
    prompt_tokens: int
    text: str  # the last thing the user said
    system: str = ""
    results: tuple[str, ...] = ()  # of tools, since the user spoke
    step: int = 0  # answers given since the user spoke
    attachments: tuple[str, ...] = ()  # what came beside the text, in words
    tools: Offered = Offered()
    limits: Limits = Limits()
    choices: int = 1
    schema: dict[str, Any] | None = None  # the answer must be JSON of this shape
    json_object: bool = False
    effort: str | None = None  # thinking is wanted, this much
    logprobs: int | None = None  # alternatives per token
