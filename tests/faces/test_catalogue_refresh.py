"""The hourly look: when it is taken, what is said of it, and that nothing ends it but its owner."""

import asyncio
from typing import Any

import pytest

from conflux.faces.catalogue_refresh import OFF, QUIET_START, Means, refresh_forever, told
from conflux.neutral.errors import ConfigError, StoreError

HOUR = 3600.0


class Played:
    """Hours of it, without waiting: ends after so many sleeps."""

    def __init__(self, sleeps: int, **how: Any) -> None:
        self.slept: list[float] = []
        self.said: list[str] = []
        self.synced = 0
        self.interval: float | None = how.get("interval", HOUR)
        self.last: int | None = how.get("last")
        self.chance: float = how.get("chance", 0.0)
        self.error: Exception | None = how.get("error")
        self._sleeps = sleeps

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) > self._sleeps:
            raise asyncio.CancelledError

    async def sync(self) -> Any:
        self.synced += 1
        if self.error is not None:
            raise self.error
        return {"sources": [], "proposals": {"new": 2, "open": 2}}

    async def last_tried(self) -> int | None:
        return self.last

    async def run(self) -> "Played":
        means = Means(
            interval=lambda: self.interval, last_tried=self.last_tried, sync=self.sync, now=lambda: 10_000.0,
            sleep=self.sleep, chance=lambda: self.chance, log=self.said.append,
        )  # fmt: skip
        with pytest.raises(asyncio.CancelledError):
            await refresh_forever(means)
        return self


async def test_every_hour_after_a_quiet_start() -> None:
    played = await Played(3).run()
    assert (played.slept, played.synced) == ([QUIET_START, HOUR, HOUR, HOUR], 3)


async def test_not_everywhere_at_the_same_second() -> None:
    played = await Played(2, chance=0.5).run()
    assert played.slept == [QUIET_START + HOUR / 20, HOUR * 1.05, HOUR * 1.05]


@pytest.mark.parametrize(
    ("last", "first"), [(10_000 - 600, 3000.0), (10_000 - 7200, QUIET_START), (10_000 + 99_999, HOUR)]
)
async def test_a_gateway_that_starts_often_does_not_ask_more_often(last: int, first: float) -> None:
    assert (await Played(1, last=last).run()).slept[0] == first


async def test_switched_off_it_only_waits_to_be_switched_on() -> None:
    played = await Played(3, interval=None).run()
    assert (played.slept, played.synced) == ([OFF] * 4, 0)


@pytest.mark.parametrize("error", [ConfigError(["broken"]), StoreError("broken"), ValueError("broken")])
async def test_a_failure_is_said_and_tried_again(error: Exception) -> None:
    played = await Played(2, error=error).run()
    assert played.synced == 2 and len(played.said) == 2
    assert all("broken" in line for line in played.said)


def test_what_is_told_is_what_somebody_should_read() -> None:
    calm = {"provider": "up", "outcome": "ok", "detail": "", "vanished": [], "back": [], "notes": ["m: odd"]}
    assert told({"sources": [calm], "proposals": {"new": 0, "open": 5}}) == []
    loud = {**calm, "outcome": "alarm", "detail": "the list is empty", "vanished": ["a"], "back": ["b"]}
    assert told({"sources": [loud, calm], "proposals": {"new": 3, "open": 5}}) == [
        "catalogue: up: alarm: the list is empty",
        "catalogue: up does not list a any more",
        "catalogue: up lists b again",
        "catalogue: 3 new proposals: `conflux catalogue diff` shows them",
    ]
