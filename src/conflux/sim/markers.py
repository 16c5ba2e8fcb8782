"""Markers in a prompt: [[name: argument]] tells the simulator what to do.

Law: a marker is read from the script, the system message and the last user message, in this order; the later word wins.
What looks like a marker and is none is answered with a text that says so, except in a system message, whose brackets
may be anybody's.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from conflux.sim.plan import CallPlan, UsagePlan

FAULTS = (
    "reset-before", "reset-after-head", "reset-mid", "stall-before", "stall-mid", "malformed-sse", "truncated-json",
    "bad-utf8", "endless", "endless-events", "html", "empty", "wrong-model", "error-event", "close-mid",
)  # fmt: skip
USAGE_MANNERS = ("missing", "zero", "absurd", "twice", "own-chunk", "with-finish", "after-finish", "every-chunk")
FINISHES = ("stop", "length", "tool_calls", "content_filter")

_START = re.compile(r"\[\[([A-Za-z][A-Za-z_-]*)(:|\]\]|\s)")
_CALL = re.compile(r"\s*([^\s\]]+)\s*")
_END = re.compile(r"\s*\]\]")
_STREAM = re.compile(r"(\d+)(?:\s+tokens?)?(?:\s+at\s+(\d+(?:\.\d+)?)(?:/s)?)?")
_FAIL = re.compile(r"(\S+)(?:\s+(\d+))?(?:\s+code=(\S+))?(?:\s+retry-after=(.*))?")
_SHOWN = 80


class Found(msgspec.Struct):
    """What the markers of a prompt ask for; only what was said is set."""

    say: str | None = None
    think: str | None = None
    refuse: bool = False
    echo: bool = False
    calls: list[CallPlan] = []
    usage: UsagePlan | None = None
    fail: str | None = None
    fail_at: int = 2
    code: str | None = None
    retry_after: str | None = None
    tokens: int | None = None
    rate: float = 0.0
    first_ms: int = 0
    finish: str | None = None
    unknown: list[str] = []


def read(text: str) -> list[Found]:
    """The steps a prompt asks for, one per answer; [[then]] parts them. There is always one."""
    steps = [Found()]
    place = 0
    while start := _START.search(text, place):
        name, after = start[1], start[2]
        place = start.end()
        if after == "]]":
            argument = ""
        elif after == ":":
            end = _call_end(text, place) if name == "call" else text.find("]]", place)
            if end < 0:
                steps[-1].unknown.append(f"{name}: without an end: {text[start.start() : start.start() + _SHOWN]}")
                break
            argument = text[place:end].strip()
            place = end + 2
        else:
            # Other people write [[ too: without a colon only our own names are meant for us.
            if name in _MARKERS:
                steps[-1].unknown.append(f"{name} without a colon")
            continue
        if name == "then":
            steps.append(Found())
        elif name in _MARKERS:
            _MARKERS[name](steps[-1], argument)
        else:
            steps[-1].unknown.append(name)
    return steps


def _call_end(text: str, place: int) -> int:
    """Where a call's marker ends: its JSON may hold brackets of its own."""
    tool = _CALL.match(text, place)
    if tool is not None:
        try:
            _, stop = json.JSONDecoder().raw_decode(text, tool.end())
        except (ValueError, RecursionError):
            stop = tool.end()
        end = _END.match(text, stop)
        if end is not None:
            return end.end() - 2
    return text.find("]]", place)


def _say(found: Found, argument: str) -> None:
    found.say = argument


def _think(found: Found, argument: str) -> None:
    found.think = argument


def _refuse(found: Found, argument: str) -> None:
    found.refuse = True


def _echo(found: Found, argument: str) -> None:
    found.echo = True


def _call(found: Found, argument: str) -> None:
    """`tool {json}`, `tool` or nothing; several calls are several markers."""
    words = argument.split(None, 1)
    name, rest = words[0] if words else "", words[1] if len(words) > 1 else ""
    try:
        right = not rest or isinstance(json.loads(rest), dict)
    except (ValueError, RecursionError):
        right = False
    if right:
        found.calls = [*found.calls, CallPlan(name, rest)]
    else:
        found.unknown.append(f"call with arguments that are no JSON object: {rest[:_SHOWN]}")


def _stream(found: Found, argument: str) -> None:
    said = _STREAM.fullmatch(argument)
    if said is None:
        found.unknown.append(f"stream: {argument}")
        return
    found.tokens = int(said[1])
    found.rate = float(said[2] or 0)


def _slow_first(found: Found, argument: str) -> None:
    if argument.isdecimal():
        found.first_ms = int(argument)
    else:
        found.unknown.append(f"slow-first: {argument}")


def _finish(found: Found, argument: str) -> None:
    if argument in FINISHES:
        found.finish = argument
    else:
        found.unknown.append(f"finish: {argument}")


def _fail(found: Found, argument: str) -> None:
    said = _FAIL.fullmatch(argument)
    word = said[1] if said is not None else ""
    # The value becomes a header: nothing that could end it.
    printable = said is not None and all(32 <= ord(one) < 127 for one in said[4] or "")
    if said is None or not printable or not (word in FAULTS or (word.isdecimal() and 400 <= int(word) <= 599)):
        found.unknown.append(f"fail: {argument}")
        return
    found.fail = word
    found.fail_at = int(said[2]) if said[2] else 2
    found.code, found.retry_after = said[3], said[4]


def _usage(found: Found, argument: str) -> None:
    values: dict[str, Any] = {}
    for word in argument.split():
        name, _, value = word.partition("=")
        if word in USAGE_MANNERS:
            values["manner"] = word
        elif name in ("prompt", "completion", "cached", "reasoning") and value.isdecimal():
            values[name] = int(value)
        else:
            found.unknown.append(f"usage: {word}")
            return
    if not values:
        found.unknown.append("usage: says nothing")
        return
    found.usage = UsagePlan(**values)


_MARKERS: dict[str, Callable[[Found, str], None]] = {
    "say": _say,
    "think": _think,
    "refuse": _refuse,
    "echo": _echo,
    "call": _call,
    "stream": _stream,
    "slow-first": _slow_first,
    "finish": _finish,
    "fail": _fail,
    "usage": _usage,
}
