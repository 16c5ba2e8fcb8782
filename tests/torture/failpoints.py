"""Places where a gateway under torture dies by itself, once.

Law: they are put between the gateway's parts by the hook of wiring.open_gateway, which the program never gives; see
test_failpoints.py. Who dies here dies as by any SIGKILL: nothing is closed, nothing is said.
"""

import asyncio
import os
import signal
from typing import Any

import msgspec

from conflux.wiring import Running

PLACES = ("reserve", "dispatch", "started", "checkpoint", "settle", "last byte")
POINTS = tuple(f"{side} {place}" for place in PLACES for side in ("before", "after"))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Armed:
    """Kills this process at the nth visit of one point."""

    def __init__(self, point: str, visit: int) -> None:
        assert point in POINTS, point
        self._point = point
        self._left = visit

    def visit(self, point: str) -> None:
        if self.due(point):
            die()

    def due(self, point: str) -> bool:
        if point == self._point:
            self._left -= 1
        return point == self._point and self._left == 0

    def hook(self, running: Running) -> None:
        parts = running.gateway.parts
        between = msgspec.structs.replace(
            parts, ledger=_Ledger(parts.ledger, self), transport=_Transport(parts.transport, self)
        )
        running.gateway.parts = between
        running.gateway = _Gateway(running.gateway, self)  # type: ignore[assignment]


class _Around:
    def __init__(self, inner: Any, armed: Armed) -> None:
        self._inner = inner
        self._armed = armed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Ledger(_Around):
    async def reserve(self, order: Any) -> None:
        self._armed.visit("before reserve")
        await self._inner.reserve(order)
        self._armed.visit("after reserve")

    async def start(self, number: int) -> None:
        self._armed.visit("before started")
        await self._inner.start(number)
        self._armed.visit("after started")

    def checkpoint(self, mark: Any, *told: Any, **how: Any) -> None:
        self._armed.visit("before checkpoint")
        self._inner.checkpoint(mark, *told, **how)
        if self._armed.due("after checkpoint"):
            self._dying = asyncio.ensure_future(self._written())

    async def _written(self) -> None:
        await self._inner.write(lambda run: None)  # comes after what was queued before it
        die()

    async def settle(self, end: Any) -> int:
        self._armed.visit("before settle")
        cost: int = await self._inner.settle(end)
        self._armed.visit("after settle")
        return cost


class _Transport(_Around):
    async def send(self, call: Any) -> Any:
        self._armed.visit("before dispatch")
        answer = await self._inner.send(call)
        self._armed.visit("after dispatch")
        return answer


class _Gateway(_Around):
    async def generate(self, incoming: Any, exchange: Any) -> None:
        await self._inner.generate(incoming, _Exchange(exchange, self._armed))


class _Exchange(_Around):
    async def reply(self, status: int, headers: Any, body: bytes) -> None:
        await self._last(self._inner.reply(status, headers, body))

    async def finish(self, data: bytes) -> None:
        await self._last(self._inner.finish(data))

    async def _last(self, write: Any) -> None:
        self._armed.visit("before last byte")
        await write
        if self._armed.due("after last byte"):
            await asyncio.sleep(0.02)  # the loop hands the bytes to the kernel when it comes round
            die()
