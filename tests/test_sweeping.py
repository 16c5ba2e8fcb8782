"""Twin of sweeping.py: again and again, resting between pieces, whatever fails."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from conflux.neutral.errors import StoreError
from conflux.sweeping import EVERY, REST, sweep_forever


async def test_it_sweeps_rests_and_survives_what_fails() -> None:
    slept: list[float] = []
    said: list[str] = []
    outcomes: list[Exception | None] = [None, StoreError("the disk is full"), RuntimeError("a defect"), None]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if not outcomes and seconds == EVERY:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    async def sweep(rest: Callable[[], Awaitable[None]]) -> dict[str, int]:
        outcome = outcomes.pop(0)
        await rest()
        if outcome is not None:
            raise outcome
        return {}

    with pytest.raises(asyncio.CancelledError):
        await sweep_forever(sweep, sleep, said.append)
    assert slept == [EVERY, REST] * 4 + [EVERY]
    assert "the disk is full" in said[0] and "Traceback" not in said[0]
    assert "a defect" in said[1] and "Traceback" in said[1]
