"""What the simulator will do with one request.

Law: decided whole before the first byte, from the request alone: the same request gets the same plan. A plan is
data; how it looks on a wire is the dialect file's business.
"""

import hashlib
import math

import msgspec

BYTES_PER_TOKEN = 4


class CallPlan(msgspec.Struct, frozen=True):
    """A tool the answer calls, with its arguments as JSON text."""

    name: str
    arguments: str


class UsagePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer claims to have used, and how it says so."""

    prompt: int | None = None
    completion: int | None = None
    cached: int = 0
    reasoning: int = 0
    manner: str = "normal"  # normal | missing | zero | absurd | twice | own-chunk | after-finish


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    text: str = ""
    thinking: str = ""
    refusal: str = ""
    calls: tuple[CallPlan, ...] = ()
    usage: UsagePlan = UsagePlan()
    fault: str | None = None
    fault_at: int = 0  # the chunk before which a fault strikes
    retry_after: int | None = None
    rate: float = 0.0  # tokens per second; 0: as fast as they go
    first_ms: int = 0  # before the head is sent
    model: str | None = None  # another model's name in the answer
    logprobs: bool = False


def count_tokens(text: str) -> int:
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def pieces(text: str) -> list[str]:
    """The text in token-sized pieces, never cutting a character."""
    return [text[start : start + BYTES_PER_TOKEN] for start in range(0, len(text), BYTES_PER_TOKEN)]


def seed_of(body: bytes) -> int:
    return int.from_bytes(hashlib.sha256(body).digest()[:8], "big")
