"""Twin of following.py."""

import asyncio

from conflux import following
from conflux.following import Follower
from conflux.neutral.errors import StoreError


async def test_what_is_heard_while_catching_up_is_caught_up_with_too() -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    times: list[int] = []

    async def catch_up() -> None:
        times.append(1)
        begun.set()
        await go.wait()

    follower = Follower(catch_up, print)
    follower.hear()  # before it begins
    follower.begin()
    await begun.wait()
    begun.clear()
    follower.hear()
    follower.hear()
    go.set()
    await begun.wait()
    assert len(times) == 2
    await follower.aclose()


async def test_a_failure_is_told_and_tried_again(monkeypatch) -> None:
    monkeypatch.setattr(following, "_AGAIN", 0.0)
    done = asyncio.Event()
    told: list[str] = []

    async def catch_up() -> None:
        if not told:
            raise StoreError("the database is away")
        done.set()

    follower = Follower(catch_up, told.append)
    follower.begin()
    follower.hear()
    await done.wait()
    assert len(told) == 1 and "the database is away" in told[0]
    await follower.aclose()


async def test_what_begins_later_is_taken_over_when_it_begins() -> None:
    done = asyncio.Event()
    waits: list[float | None] = [0.0, None]

    async def catch_up() -> None:
        done.set()

    async def due() -> float | None:
        return waits.pop(0)

    follower = Follower(catch_up, print, due)
    follower.begin()
    await done.wait()
    await follower.aclose()


async def test_a_store_that_is_away_is_asked_again(monkeypatch) -> None:
    monkeypatch.setattr(following, "_AGAIN", 0.0)
    done, told = asyncio.Event(), list[str]()

    async def catch_up() -> None:
        done.set()

    async def due() -> float | None:
        if not told:
            raise StoreError("the database is away")
        return None

    follower = Follower(catch_up, told.append, due)
    follower.begin()
    await done.wait()
    await follower.aclose()


async def test_closing_one_that_never_began() -> None:
    async def nothing() -> None:
        pass

    await Follower(nothing, print).aclose()
