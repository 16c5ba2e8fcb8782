"""What the simulator will do with one request.

Law: decided whole before the first byte, from the request alone: the same request gets the same plan. A plan is
data, already cut and counted; how it looks on a wire is the dialect file's business.
"""

import hashlib
import math

import msgspec

BYTES_PER_TOKEN = 4


class CallPlan(msgspec.Struct, frozen=True):
    """A tool the answer calls, with its arguments as JSON text; empty arguments are made from the tool's schema."""

    name: str
    arguments: str


class UsagePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a prompt wants the answer to claim, and how it is to say so."""

    prompt: int | None = None
    completion: int | None = None
    cached: int = 0
    reasoning: int | None = None
    manner: str = "normal"


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer claims to have used."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0
    manner: str = "normal"  # see markers.USAGE_MANNERS


class Choice(msgspec.Struct, frozen=True):
    """One of the answers of a request that asked for several. finish: stop | length | tool_calls | content_filter."""

    text: str
    finish: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    choices: tuple[Choice, ...]
    refused: bool = False  # the text is a refusal
    thinking: str = ""
    calls: tuple[CallPlan, ...] = ()
    tokens: int = 0  # what is really delivered, over all choices
    usage: Usage = Usage()
    fault: str | None = None
    fault_at: int = 0  # tokens delivered before a fault strikes
    code: str | None = None  # of an error
    retry_after: str | None = None
    rate: float = 0.0  # tokens per second; 0: as fast as they go
    first_ms: int = 0  # before the head is sent
    model: str | None = None  # another model's name in the answer
    logprobs: int | None = None


def count_tokens(text: str) -> int:
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def pieces(text: str) -> list[str]:
    """The text in token-sized pieces, never cutting a character."""
    return [text[start : start + BYTES_PER_TOKEN] for start in range(0, len(text), BYTES_PER_TOKEN)]


def size(text: str) -> int:
    """How many pieces the text has."""
    return -(-len(text) // BYTES_PER_TOKEN)


def call_size(call: CallPlan) -> int:
    return size(call.name) + size(call.arguments)


def seed_of(body: bytes, salt: int = 0) -> int:
    return int.from_bytes(hashlib.sha256(b"%d:" % salt + body if salt else body).digest()[:8], "big")
