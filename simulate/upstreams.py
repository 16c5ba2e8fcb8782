"""Upstreams that fail by the clock.

Law: a fault is a row: what it does to one request. When it holds is the scenario's business. Chance comes from the
seed alone.
"""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from conflux.neutral.errors import TransportError
from conflux.neutral.ports import Headers, Outbound

FIRST = 0.3  # seconds to the first token, the median
SPREAD = 0.25  # sigma of its logarithm
GAP = 0.25  # between two pieces of an answer
PIECES = 4
SLOWER = 10
WRONG = "other-model"


@dataclass
class Plan:
    """What is about to happen to one request."""

    first: float
    gap: float = GAP
    status: int = 200
    headers: Headers = field(default_factory=list)
    model: str = ""
    stalls_after: int | None = None  # pieces
    empty: bool = False


def _refuse(plan: Plan, call: Outbound) -> float:
    raise TransportError("connect", "connection refused", sent=False, answered=False)


def _black_hole(plan: Plan, call: Outbound) -> float:
    plan.first = call.first_byte_timeout + 1
    return plan.first


def _busy(plan: Plan, call: Outbound) -> float:
    plan.status, plan.first = 429, 0.005
    return plan.first


def _error(plan: Plan, call: Outbound) -> float:
    plan.status, plan.first = 500, 0.005
    return plan.first


def _stall(plan: Plan, call: Outbound) -> float:
    plan.stalls_after = 2
    return plan.first


def _slow(plan: Plan, call: Outbound) -> float:
    plan.first, plan.gap = plan.first * SLOWER, plan.gap * SLOWER
    return plan.first


def _wrong(plan: Plan, call: Outbound) -> float:
    plan.model = WRONG
    return plan.first


def _empty(plan: Plan, call: Outbound) -> float:
    plan.empty = True
    return plan.first


FAULTS: dict[str, Callable[[Plan, Outbound], float]] = {
    "refuse": _refuse,
    "black-hole": _black_hole,
    "429": _busy,
    "500": _error,
    "stall": _stall,
    "slow": _slow,
    "wrong-model": _wrong,
    "empty": _empty,
}


@dataclass(frozen=True)
class Trouble:
    """A target's fault from one moment to another; `every`: on and off again, so many seconds each."""

    fault: str
    begin: float
    end: float
    every: float | None = None
    share: float = 1.0  # of its requests

    def holds(self, now: float) -> bool:
        if not self.begin <= now < self.end:
            return False
        return self.every is None or int((now - self.begin) / self.every) % 2 == 0


class Upstreams:
    """Implements ports.Transport for any number of targets, known by their host: tN.test."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random, troubles: dict[int, Trouble]) -> None:
        self._loop = loop
        self._chance = chance
        self._troubles = troubles
        self.sent: list[tuple[float, int]] = []  # when, to whom

    async def send(self, call: Outbound) -> "Answer":
        number = int(call.origin.removeprefix("https://t").removesuffix(".test"))
        now = self._loop.time()
        self.sent.append((now, number))
        plan = Plan(FIRST * self._chance.lognormvariate(0, SPREAD), model=f"model-{number}")
        trouble = self._troubles.get(number)
        if trouble is not None and trouble.holds(now) and (trouble.share == 1 or self._chance.random() < trouble.share):
            FAULTS[trouble.fault](plan, call)
        stream = b'"stream":true' in call.body
        wait = plan.first if stream or plan.status != 200 else plan.first + plan.gap * PIECES
        if wait > call.first_byte_timeout:
            await asyncio.sleep(call.first_byte_timeout)
            raise TransportError("head", "no answer in time", sent=True, answered=False, timeout=True)
        await asyncio.sleep(wait)
        return Answer(plan, call, stream=stream)


class Answer:
    """Implements ports.Inbound."""

    def __init__(self, plan: Plan, call: Outbound, *, stream: bool) -> None:
        self._plan = plan
        self._call = call
        self.given = 0
        self.status = plan.status
        self.headers = plan.headers
        self._pieces = _streamed(plan.model) if stream else [_whole(plan.model)]
        if plan.status != 200:
            self._pieces = [b'{"error":{"message":"no","type":"t"}}']
        elif plan.empty:
            self._pieces = []

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)

    async def chunk(self) -> bytes:
        if self.given == self._plan.stalls_after:
            await asyncio.sleep(self._call.idle_timeout)
            raise TransportError("body", "silent for too long", sent=True, answered=True, timeout=True)
        if self.given >= len(self._pieces):
            return b""
        if self.given:
            await asyncio.sleep(self._plan.gap)
        self.given += 1
        return self._pieces[self.given - 1]

    async def read(self) -> bytes:
        found = b""
        while data := await self.chunk():
            found += data
        return found

    async def stream(self, sink: Callable[[bytes], bool]) -> bool:
        while data := await self.chunk():
            if not sink(data):
                return True
        return False

    def finish(self) -> None:
        self.close()

    def close(self) -> None:
        self.given = len(self._pieces) + 1


_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def _event(model: str, **fields: Any) -> bytes:
    base = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": model}
    return b"data: " + json.dumps(base | fields).encode() + b"\n\n"


@cache
def _streamed(model: str) -> list[bytes]:
    def choice(delta: dict[str, str], end: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "finish_reason": end}]

    said = [_event(model, choices=choice({"role": "assistant", "content": "word "})) for _ in range(PIECES - 1)]
    last = _event(model, choices=choice({}, "stop")) + _event(model, choices=[], usage=_USAGE) + b"data: [DONE]\n\n"
    return [*said, last]


@cache
def _whole(model: str) -> bytes:
    message = {"role": "assistant", "content": "word " * PIECES}
    return json.dumps({
        "id": "a", "object": "chat.completion", "created": 1, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": _USAGE,
    }).encode()  # fmt: skip
