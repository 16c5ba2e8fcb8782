"""Twin of probing.py: who is examined when, for how much, and what doubt does; weeks of it in played time, by the real
examination over a played provider."""

import asyncio
import json
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from conflux.catalogue.catalogue import Catalogue
from conflux.neutral.errors import StoreError
from conflux.neutral.money import PriceSheet
from conflux.neutral.ports import Inbound, Outbound
from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability
from conflux.probing import EVERY, SEES, Means, Prober, targets
from conflux.relay.live import with_statuses
from conflux.relay.probing import examine, most_cost
from conflux.relay.snapshot import Snapshot
from conflux.routing.probe_plan import AGAIN, EARLY, WEEK
from conflux.routing.swatches import COLOURS, swatch
from tests.relay.answers import Answer, whole
from tests.relay.shops import PRICE, shop
from tests.relay.world import Upstream, World

PICTURES = {swatch(colour).partition(",")[2]: colour for colour in COLOURS}
DAY = 86_400.0
OPEN: dict[str, Any] = {"capabilities": frozenset({Capability.TEXT}), "assumed": frozenset({"capabilities"})}
FREE = PriceSheet(input=0, output=0)


def sees(colour: str) -> Answer:
    return whole(colour or "I see none.")


def counted(asked: int, said: int) -> dict[str, int]:
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def thinks(colour: str) -> Answer:
    return whole(colour or "I see none.", used=counted(300, 300))


def drops(colour: str) -> Answer:
    return whole("I see none.")


def refuses(colour: str) -> Answer:
    body = json.dumps({"error": {"message": "no image input here", "type": "invalid_request_error"}}).encode()
    return Answer([body], 400) if colour else whole("Which picture?")


def down(colour: str) -> Answer:
    return Answer([b"{}"], 503)


class Eyes(Upstream):
    """A provider that answers by the colour it is shown."""

    def __init__(self, world: World, reply: Callable[[str], Answer]) -> None:
        super().__init__(world, [])
        self.reply = reply

    async def send(self, call: Outbound) -> Inbound:
        body = call.body.decode()
        self.script = [self.reply(next((colour for data, colour in PICTURES.items() if data in body), ""))]
        return await super().send(call)


class Rows:
    """Implements probes.ProbeBook, as the store does."""

    def __init__(self) -> None:
        self.rows: dict[str, Finding] = {}

    async def findings(self) -> list[Finding]:
        return [*self.rows.values()]

    async def keep(self, finding: Finding) -> Finding:
        known = self.rows.get(finding.target)
        if finding.holds is None:
            finding = replace(known or replace(finding, found=0), tried=finding.tried, cost=finding.cost)
        self.rows[finding.target] = finding
        return finding

    async def doubt(self, target: str, capability: Capability, *, believed: bool) -> bool:
        known = self.rows.get(target)
        if not believed if known is None else known.holds is not True:
            return False
        self.rows[target] = Finding(target=target, capability=capability, holds=None)
        return True


class House:
    def __init__(self, catalogue: Catalogue, reply: Callable[[str], Answer] = sees, cap: int | None = 10**9) -> None:
        self.world = World(catalogue)
        self.configured = self.snapshot = self.world.snapshot
        self.eyes = Eyes(self.world, reply)
        self.book = Rows()
        self.cap = cap
        self.asks = cap is not None
        self.said: list[str] = []
        self.parts = replace(self.world.parts, transport=self.eyes, below=random.Random(5).randrange)
        self.prober = self.another()

    def another(self) -> Prober:
        """As after a start."""
        return Prober(Means(lambda: self.cap, lambda: self.asks, self.book, self.world.health.doubts, self.current,
                            self.examine, most_cost, self.refresh, self.world.clock.time,
                            self.said.append))  # fmt: skip

    def current(self) -> Snapshot:
        return self.snapshot

    async def examine(self, *what: Any) -> Finding:
        return await examine(self.parts, *what)

    async def refresh(self) -> None:
        self.snapshot = with_statuses(self.configured, [], 1, await self.book.findings())

    @property
    def usable(self) -> bool:
        return SEES in self.snapshot.catalogue.models["shop", "shop/one"].capabilities

    async def wait(self, seconds: float, step: float = 600.0) -> list[float]:
        """Looks as time goes; when somebody was asked, in seconds from now."""
        began, asked = self.world.clock.time(), []
        while self.world.clock.time() < began + seconds:
            before = len(self.eyes.calls)
            await self.prober.look()
            if len(self.eyes.calls) > before:
                asked.append(self.world.clock.time() - began)
            self.world.clock.now += step
        return asked


async def test_a_new_target_is_asked_at_once_then_weekly_and_a_yes_makes_it_usable() -> None:
    house = House(shop(**OPEN))
    assert not house.usable
    asked = await house.wait(30 * DAY)
    assert house.usable and asked[0] == 0
    pauses = [later - sooner for sooner, later in pairwise(asked)]
    assert len(pauses) >= 4 and all((1 - EARLY) * WEEK <= one <= WEEK + 600 for one in pauses)
    assert len(set(pauses)) > 1
    assert all("vision: yes" in line for line in house.said)


@pytest.mark.parametrize("reply", [drops, refuses])
async def test_a_no_keeps_it_off_and_what_is_stated_stays(reply: Callable[[str], Answer]) -> None:
    for how, usable in ((OPEN, False), ({}, True)):  # the second states that it sees
        house = House(shop(**how), reply)
        assert len(await house.wait(DAY)) == 1
        assert [one.holds for one in house.book.rows.values()] == [False] and house.usable is usable


async def test_who_is_down_is_asked_again_in_hours_and_keeps_what_was_known() -> None:
    house = House(shop(**OPEN), down)
    asked = await house.wait(DAY)
    assert 4 <= len(asked) <= 6 and all(AGAIN * (1 - EARLY) <= later - sooner <= AGAIN + 600
                                        for sooner, later in pairwise(asked))  # fmt: skip
    house.eyes.reply = sees
    await house.wait(DAY)
    house.eyes.reply = down
    assert len(await house.wait(14 * DAY)) >= 2 and house.usable


async def test_two_refused_pictures_are_doubt_and_it_is_asked_at_once() -> None:
    house = House(shop(**OPEN))
    await house.wait(DAY)
    (name,) = house.book.rows
    house.eyes.reply = down
    house.world.health.doubts.refused(name, 1)
    assert await house.wait(DAY) == [] and house.usable
    house.world.health.doubts.refused(name, 2)
    assert (await house.wait(600))[0] == 0
    assert not house.usable and house.book.rows[name].holds is None
    house.eyes.reply = sees
    await house.wait(DAY)
    assert house.usable


def refused_twice(house: House) -> str:
    (one,) = targets(house.snapshot)
    for key in (1, 2):
        house.world.health.doubts.refused(one.target.key, key)
    return one.target.key


async def test_another_process_writes_doubt_down_too_and_the_catalogue_s_word_stands() -> None:
    house = House(shop(), cap=None)  # it is stated that it sees; nobody ever asked
    house.asks = True
    name = refused_twice(house)
    assert await house.wait(DAY) == []
    assert house.book.rows[name].holds is None and house.usable
    blind = House(shop(**OPEN), cap=None)
    blind.asks = True
    refused_twice(blind)
    await blind.wait(DAY)
    assert blind.book.rows == {}  # nobody believed that it sees


async def test_where_nobody_would_ask_again_doubt_is_a_line_in_the_log_and_the_yes_stays() -> None:
    house = House(shop(**OPEN))
    await house.wait(DAY)
    house.cap, house.asks = None, False
    house.said.clear()
    refused_twice(house)
    await house.wait(DAY)
    assert house.usable and len(house.said) == 1 and "`conflux probe`" in house.said[0]


async def test_doubt_that_could_not_be_written_down_is_written_down_later() -> None:
    house = House(shop(**OPEN))
    await house.wait(DAY)
    name, writes = refused_twice(house), house.book.doubt

    async def full(*_: object, **__: object) -> bool:
        raise StoreError("the disk is full")

    house.eyes.reply = down
    house.book.doubt = full  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        await house.prober.look()
    house.book.doubt = writes  # type: ignore[method-assign]
    await house.prober.look()
    assert house.book.rows[name].holds is None and not house.usable


async def test_nobody_is_asked_for_more_than_the_day_may_cost_and_all_in_the_end() -> None:
    (one,) = targets(World(shop()).snapshot)
    most = most_cost(one.target, one.model)
    assert most is not None
    cap = most + most // 4
    house = House(shop(6, **OPEN), thinks, cap)
    for day in range(6):
        await house.wait(DAY, 3 * 3600)
        assert day < len(house.book.rows) <= day + 2  # one a day, and midnight lies between: two could cost too much
        house.prober = house.another()  # who starts anew has not forgotten
    assert house.usable and all(0 < one.cost <= cap for one in house.book.rows.values())


async def test_who_turns_out_dear_is_stopped_before_the_day_s_cap_is_passed() -> None:
    (one,) = targets(World(shop()).snapshot)
    most = most_cost(one.target, one.model)
    assert most is not None
    house = House(shop(**OPEN), lambda colour: whole(colour or "none", used=counted(5_000, 1_024)), 2 * most)
    await house.prober.look()
    (found,) = house.book.rows.values()
    assert found.holds is None and most < found.cost <= 2 * most and 1 < len(house.eyes.calls) < 4
    assert "nothing found out" in house.said[0] and "than the day has left" in house.said[0]


async def test_what_was_asked_by_hand_counts_against_the_day_once() -> None:
    (one,) = targets(World(shop()).snapshot)
    most = most_cost(one.target, one.model)
    assert most is not None
    house = House(shop(2, **OPEN), cap=2 * most)
    first, second = targets(house.snapshot)
    found = await house.examine(first.front, first.model, first.target, SEES)
    await house.book.keep(replace(found, cost=most))
    for _ in range(3):
        await house.prober.look()
    assert [*house.book.rows] == [first.target.key]
    house.world.clock.now += DAY
    await house.prober.look()
    assert second.target.key in house.book.rows


async def test_who_is_too_dear_for_any_day_is_said_to_be_once_a_day() -> None:
    (one,) = targets(World(shop()).snapshot)
    most = most_cost(one.target, one.model)
    assert most is not None
    house = House(shop(**OPEN), cap=most + most // 4 - 1)
    await house.wait(2 * DAY)
    assert 2 <= len(house.said) <= 3 and all("raise probing.cents_per_day" in line for line in house.said)


async def test_what_nobody_knows_the_price_of_is_not_asked_and_what_is_free_is() -> None:
    assert await House(shop(price=PriceSheet(), **OPEN)).wait(DAY) == []
    assert len(await House(shop(price=FREE, **OPEN), cap=1).wait(DAY)) == 1
    assert len(await House(shop(price=PriceSheet(), of_target={"cost": PRICE}, **OPEN)).wait(DAY)) == 1


async def test_it_may_be_switched_on_and_off_and_panels_and_the_simulator_are_not_asked() -> None:
    house = House(shop(**OPEN), cap=None)
    assert await house.wait(DAY) == []
    house.cap = 10**9
    assert len(await house.wait(DAY)) == 1
    house.cap = None
    assert await house.wait(14 * DAY) == []
    assert [*targets(World(shop(of_provider={"configured": False, "credentials": ("env:NONE",)})).snapshot)] == []
    assert [*targets(World(shop(kind="embedding")).snapshot)] == []
    assert [*targets(World(shop(enabled=False)).snapshot)] == []


async def test_one_bad_look_does_not_end_all_others() -> None:
    house, slept = House(shop(**OPEN)), []
    outcomes: list[Exception] = [StoreError("the disk is full"), RuntimeError("a defect")]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 3:
            raise asyncio.CancelledError

    async def broken() -> list[Finding]:
        if outcomes:
            raise outcomes.pop(0)
        return []

    house.book.findings = broken  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await house.prober.forever(sleep)
    assert slept == [EVERY] * 4 and len(house.book.rows) == 1
    assert "the disk is full" in house.said[0] and "a defect" in house.said[1]
