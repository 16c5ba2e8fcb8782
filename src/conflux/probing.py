"""Looking by itself whether targets see: at registration, weekly, and where there is doubt.

Law: only where the owner turned it on, one target at a time, and in one process of several. No question is asked that
could pass the day's cap; what nobody knows the price of is not asked. Doubt is written down by whoever met it, and only
where somebody asks again: else a yes would be lost for good. A failure is a line in the log and the next try. Waiting,
time and asking are given, so weeks of it are tested in milliseconds.
"""

import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from conflux.neutral.errors import GatewayError, StoreError
from conflux.neutral.money import usd
from conflux.neutral.probes import Finding, ProbeBook
from conflux.neutral.records import Capability, Model, Storefront
from conflux.relay.found_out import stated
from conflux.relay.snapshot import LiveTarget, Snapshot
from conflux.routing.doubts import Doubts
from conflux.routing.probe_plan import day_of, due, spent_on

EVERY = 60.0  # seconds between two looks
SEES = Capability.VISION
_USUAL = 4  # all usual questions together cost less than this part of what one may cost


class Asked(NamedTuple):
    """A target, and in whose name it is asked."""

    front: Storefront
    model: Model
    target: LiveTarget


class Means(NamedTuple):
    cap: Callable[[], int | None]  # nano-USD a day; None: switched off, or another process does it
    asks: Callable[[], bool]  # does any process?
    book: ProbeBook
    doubts: Doubts
    snapshot: Callable[[], Snapshot]
    examine: Callable[[Storefront, Model, LiveTarget, Capability, int], Awaitable[Finding]]  # for so much at most
    most_cost: Callable[[LiveTarget, Model], int | None]  # of a question
    refresh: Callable[[], Awaitable[None]]
    now: Callable[[], float]
    log: Callable[[str], None]


class Prober:
    def __init__(self, means: Means) -> None:
        self._means = means
        self._spent = 0
        self._day = -1
        self._counted: set[tuple[str, int]] = set()  # the day's examinations, by target and moment
        self._dear: set[str] = set()  # targets that were said to be too dear for a day

    async def forever(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        while True:
            await sleep(EVERY)
            try:
                await self.look()
            except (StoreError, GatewayError) as error:
                self._means.log(f"targets were not examined: {error}")
            except Exception:  # noqa: BLE001 edge: one bad look must not end all others
                self._means.log("examining targets failed:\n" + traceback.format_exc())

    async def look(self) -> None:
        """Doubts first, then whoever is due."""
        means = self._means
        await self._doubted()
        if means.cap() is None:
            return
        findings = {one.target: one for one in await means.book.findings() if one.capability is SEES}
        now = means.now()
        self._begin_day(day_of(now), findings)
        waiting = sorted((due(findings.get(one.target.key), one.target.key), one.target.key, one)
                         for one in targets(means.snapshot()))  # fmt: skip
        for moment, _, one in waiting:
            cap, most = means.cap(), means.most_cost(one.target, one.model)
            if moment > now or cap is None:
                return
            if most is None:
                continue
            # Beside the dearest question the usual ones before it have room, or it would end in the middle every day.
            wanted = most + most // _USUAL
            if self._spent + wanted <= cap:
                await self._ask(one, findings.get(one.target.key), cap - self._spent)
            elif wanted > cap and one.target.key not in self._dear:
                self._dear.add(one.target.key)
                means.log(f"{one.target.key}: not examined: a question may cost {usd(most)} USD, a day {usd(cap)}: "
                          f"raise probing.cents_per_day, or `conflux probe {one.model.id}`")  # fmt: skip

    async def _ask(self, one: Asked, before: Finding | None, room: int) -> None:
        means = self._means
        found = await means.examine(one.front, one.model, one.target, SEES, room)
        self._spent += found.cost
        kept = await means.book.keep(found)
        self._counted.add((kept.target, kept.tried))
        why = f": {found.evidence[-1]}" if found.holds is None and found.evidence else ""
        means.log(f"{kept.target}: vision: {_word(found.holds)}, for {usd(found.cost)} USD{why}")
        if before is None or before.holds is not kept.holds:
            await means.refresh()

    async def _doubted(self) -> None:
        means = self._means
        there = {one.target.key: one.model for one in targets(means.snapshot())}
        changed = False
        for name in means.doubts.there():
            model = there.get(name)
            if not means.asks():
                means.log(f"{name}: refused the pictures of two keys: `conflux probe` finds out whether it sees")
            elif model is not None and await means.book.doubt(name, SEES, believed=stated(model, SEES) is True):
                means.log(f"{name}: refused the pictures of two keys, though it was believed to see: unknown now")
                changed = True
            means.doubts.settled(name)  # not before it is written down
        if changed:
            await means.refresh()

    def _begin_day(self, day: int, findings: dict[str, Finding]) -> None:
        """What a process that ran before has spent today counts too, and what `conflux probe` has."""
        if day != self._day:
            self._day, self._spent, self._dear = day, 0, set()
            self._counted.clear()
        new = [one for one in findings.values() if (one.target, one.tried) not in self._counted]
        self._spent += spent_on(day, new)
        self._counted.update((one.target, one.tried) for one in new)


def targets(snapshot: Snapshot) -> Iterator[Asked]:
    """Each live target that may be asked what it sees, once."""
    seen = set()
    for (name, _), model in snapshot.catalogue.models.items():
        if model.kind != "chat" or model.flux is not None or model.account or not model.enabled:
            continue
        for target in snapshot.targets(model, test=False):
            if target.key not in seen and not target.live.provider.simulated:
                seen.add(target.key)
                yield Asked(snapshot.catalogue.storefronts[name], model, target)


def _word(holds: bool | None) -> str:
    return "nothing found out" if holds is None else "yes" if holds else "no"
