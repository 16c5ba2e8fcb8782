"""Markers in a prompt: [[name: argument]] tells the simulator what to do.

Law: a marker is read from the last user message (and the system message, for clients that write their own prompts).
An unknown one is answered with a text that says so: nothing is ignored.
"""

import json
import re
from typing import Any

import msgspec

from conflux.sim.plan import CallPlan, UsagePlan

_MARKER = re.compile(r"\[\[([a-z-]+)(?::\s*(.*?))?\]\]", re.DOTALL)
_NUMBER = re.compile(r"(\d+)")

FAULTS = (
    "reset-before", "reset-after-head", "reset-mid", "stall-before", "stall-mid", "malformed-sse", "truncated-json",
    "bad-utf8", "endless", "html", "empty", "wrong-model", "error-event", "close-mid",
)  # fmt: skip
USAGE_MANNERS = ("missing", "zero", "absurd", "twice", "own-chunk", "after-finish")


class Found(msgspec.Struct):
    """What the markers of a prompt ask for; only what was said is set."""

    say: str | None = None
    think: str | None = None
    refuse: bool = False
    echo: bool = False
    calls: list[CallPlan] = []
    usage: UsagePlan | None = None
    fail: str | None = None
    fail_at: int = 0
    retry_after: int | None = None
    tokens: int | None = None
    rate: float = 0.0
    first_ms: int = 0
    finish: str | None = None
    unknown: list[str] = []


def read(text: str) -> Found:
    found = Found()
    for name, argument in _MARKER.findall(text):
        _apply(found, name, argument.strip())
    return found


def _apply(found: Found, name: str, argument: str) -> None:
    match name:
        case "say":
            found.say = argument
        case "think":
            found.think = argument
        case "refuse":
            found.refuse = True
        case "echo":
            found.echo = True
        case "call":
            _calls(found, argument)
        case "stream":
            numbers = _NUMBER.findall(argument)
            found.tokens = int(numbers[0]) if numbers else None
            found.rate = float(numbers[1]) if len(numbers) > 1 else 0.0
        case "slow-first":
            found.first_ms = int(argument or 0)
        case "fail":
            _fail(found, argument)
        case "usage":
            found.usage = _usage(found, argument)
        case _:
            found.unknown.append(name)


def _calls(found: Found, argument: str) -> None:
    """`tool {json}`; several calls are several markers."""
    name, _, rest = argument.partition(" ")
    rest = rest.strip() or "{}"
    try:
        json.loads(rest)
    except ValueError:
        found.unknown.append(f"call with arguments that are not JSON: {rest}")
        return
    found.calls = [*found.calls, CallPlan(name, rest)]


def _fail(found: Found, argument: str) -> None:
    word, _, rest = argument.partition(" ")
    if not (word in FAULTS or (word.isdigit() and 400 <= int(word) <= 599)):
        found.unknown.append(f"fail: {argument}")
        return
    found.fail = word
    wait = re.search(r"retry-after=(\d+)", rest)
    found.retry_after = int(wait[1]) if wait else None
    number = re.match(r"\s*(\d+)", rest)
    found.fail_at = int(number[1]) if number else 2


def _usage(found: Found, argument: str) -> UsagePlan | None:
    if argument in USAGE_MANNERS:
        return UsagePlan(manner=argument)
    values: dict[str, Any] = {}
    for word in argument.split():
        name, _, value = word.partition("=")
        if name not in ("prompt", "completion", "cached", "reasoning") or not value.isdigit():
            if word in USAGE_MANNERS:
                values["manner"] = word
                continue
            found.unknown.append(f"usage: {word}")
            return None
        values[name] = int(value)
    return UsagePlan(**values)
