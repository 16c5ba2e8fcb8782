"""Tasks over models whose true nature is known: what the choice costs beside the best there could be.

Law: everything between the face and the sockets is the real thing; the models' true speed, length, failures and
quality are made up by the seed, and the router is told none of it but prices, tiers and what its answers teach. Each
choice is judged by what it costs in expectation, so that luck does not count. Costs are the router's own: money,
seconds, failures and quality in dollars.
"""

import asyncio
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from conflux.catalogue.catalogue import build
from conflux.dialects import DIALECTS
from conflux.neutral.errors import TransportError
from conflux.neutral.money import PriceSheet
from conflux.neutral.ports import Headers, Inbound, Outbound
from conflux.neutral.records import Caller, Capability, Model, Pool, Provider, Storefront, Target, Tier
from conflux.relay.gateway import Gateway
from conflux.relay.live import build_snapshot
from conflux.relay.parts import Incoming
from conflux.relay.snapshot import Snapshot
from conflux.routing.board import WORSE
from conflux.routing.opinions import FULL, Subject, Sum
from conflux.routing.prefer import BALANCED, PRESETS, USD
from conflux.routing.tasks import TASKS, expected_quality
from simulate.virtual import run
from simulate.world import PlayedClient, PlayedLedger, gateway_over

ASKED = ("simple_chat", "summarize", "code_gen", "creative", "deep_reasoning")
REQUESTS = 2000  # in which it is learned what the models are like
LATER = 2000  # more, in which that must pay
CHANGE = 1000  # when something gets worse
AFTER = 500  # requests in which a change for the better is found out
DOMINATED = 500  # requests, each played twice
_IDLE = 0.02  # of the requests: a model with less is only tried out
_LATE = 50  # choices of a task that tell where it usually goes
OPINIONS = 0.3  # of the answers are judged
_TIERS = (Tier.CORE, Tier.CORE, Tier.PRO, Tier.PRO, Tier.PRO, Tier.ULTRA, Tier.ULTRA, Tier.ULTRA)
_PRICES = {Tier.CORE: (0.1, 0.6), Tier.PRO: (0.3, 2.0), Tier.ULTRA: (0.8, 5.0)}  # dollars a million tokens in
_EVERYTHING = frozenset(Capability) - {Capability.IMAGE_OUTPUT}
_CALLER = Caller(key_id=1, name="load", storefront="shop", workspace_id=1, workspace="default", user_id=1,
                 user="default")  # fmt: skip


@dataclass
class Nature:
    """What a model is truly like."""

    model: Model
    first: float
    pace: float
    wordy: float  # times the task's usual length
    success: float
    better: float  # than its tier promises

    def cost(self, task: str, tokens: int) -> float:
        """What it costs to ask it, in expectation, in nano-USD: the router's own sum over the true figures."""
        preset, found = PRESETS[BALANCED], TASKS[task]
        price = self.model.price
        assert price.input is not None and price.output is not None, "what is asked has a price"
        length = found.length * self.wordy
        money = (tokens * price.input + length * price.output) / 1000
        seconds = self.first + length * self.pace
        quality = self.quality(task)
        return (money + preset.second * seconds + preset.failure * (1 - self.success)
                + preset.quality * found.worth * USD * (1 - quality))  # fmt: skip

    def quality(self, task: str) -> float:
        return min(0.99, max(0.05, expected_quality(TASKS[task], self.model) + self.better))

    def serves(self, task: str) -> bool:
        ranks = list(Tier)
        return self.model.tier is not None and ranks.index(self.model.tier) >= ranks.index(TASKS[task].tier)


@dataclass(frozen=True)
class Step:
    """What changes when so many requests were made."""

    at: int
    what: str  # slower | dearer | back (who got slow is as it was) | quicker (who is not asked)


@dataclass
class Choice:
    task: str
    tokens: int
    model: str
    reason: str
    costs: dict[str, float]  # of each that could have been asked
    seconds: float  # the chosen one takes, in expectation


@dataclass
class Played:
    choices: list[Choice]
    stepped: str = ""  # the model that got worse

    def clearly_worse(self, begin: int, end: int = 1 << 40) -> float:
        """How much of a stretch went to the model that got worse, where another was clearly better."""
        part = self.choices[begin:end]
        return sum(
            one.model == self.stepped and one.costs[one.model] > WORSE * min(one.costs.values()) for one in part
        ) / len(part)

    def total(self, upto: int = 1 << 40) -> float:
        return sum(one.costs[one.model] for one in self.choices[:upto])

    def oracle(self, upto: int = 1 << 40) -> float:
        return sum(min(one.costs.values()) for one in self.choices[:upto])

    @property
    def asked(self) -> int:
        return len(self.choices)

    def random(self) -> float:
        return sum(sum(one.costs.values()) / len(one.costs) for one in self.choices)

    def static(self, *, by_task: bool) -> float:
        """The best there is for one who knows everything, and may choose once: for all tasks, or for each."""
        tasks = [[one for one in self.choices if one.task == name] for name in {one.task for one in self.choices}]
        groups = tasks if by_task else [self.choices]
        return sum(
            min(
                sum(one.costs[name] for one in group)
                for name in group[0].costs
                if all(name in one.costs for one in group)
            )
            for group in groups
        )

    def frozen(self, at: int) -> float:
        """From then on, of one who stays for each task with what the router last chose most for it."""
        found = {}
        for task in sorted({one.task for one in self.choices}):
            late = [one.model for one in self.choices[:at] if one.task == task][-_LATE:]
            found[task] = max(sorted(set(late)), key=late.count)
        return sum(one.costs[found[one.task]] for one in self.choices[at:])

    def part(self, begin: int, end: int = 1 << 40) -> "Played":
        return Played(self.choices[begin:end], self.stepped)

    def chosen(self) -> "Played":
        """Without what was only tried out."""
        return Played([one for one in self.choices if one.reason != "explored"], self.stepped)

    def regret(self, begin: int = 0, end: int = 1 << 40) -> float:
        """Of the oracle's cost, in a stretch."""
        part = self.part(begin, end)
        return part.total() / part.oracle() - 1


def natures(chance: random.Random, *, judged: bool = True) -> list[Nature]:
    found = []
    for place, tier in enumerate(_TIERS):
        low, high = _PRICES[tier]
        price = math.exp(chance.uniform(math.log(low), math.log(high)))
        pico = int(price * 1_000_000)
        model = Model(storefront="shop", id=f"m{place}", name="M", pool=f"m{place}", tier=tier,
                      capabilities=_EVERYTHING, price=PriceSheet(input=pico, output=4 * pico),
                      safe_context=1_000_000)  # fmt: skip
        found.append(Nature(model, chance.uniform(0.2, 2.0), 1 / chance.uniform(30, 200), chance.uniform(0.9, 3.0),
                            chance.uniform(0.95, 0.999), chance.gauss(0, 0.02) * judged))  # fmt: skip
    return found


def snapshot_of(models: list[Nature]) -> Snapshot:
    providers = [Provider(id=one.model.id, base_url=f"https://{one.model.id}.test/v1", dialects=("openai-chat",),
                          credentials=("env:A",), configured=True) for one in models]  # fmt: skip
    pools = [Pool(id=one.model.id, targets=(Target(provider=one.model.id, model=one.model.id),)) for one in models]
    front = Storefront(id="shop", name="Shop", mount="/", key_prefixes=("k",), header_prefix="shop")
    return build_snapshot(build([front], [one.model for one in models], pools, providers), {"env:A": "a"}.get, DIALECTS,
                          simulator=None, keep_simulator=False)  # fmt: skip


def tasks(requests: int, seed: int, *steps: Step, dominated: bool = False, judged: bool = True) -> Played:
    """Not `judged`: nobody says what an answer was worth, and each model is as good as is stated of it."""

    async def main() -> Played:
        return await _Play(requests, seed, steps, dominated=dominated, judged=judged).run()

    return run(main)


class _Play:
    def __init__(self, requests: int, seed: int, steps: tuple[Step, ...], *, dominated: bool, judged: bool) -> None:
        self._natures = {one.model.id: one for one in natures(random.Random(f"natures {seed}"), judged=judged)}
        self._judged = judged
        if dominated:
            worst = max(self._natures.values(), key=lambda one: one.model.price.input or 0)
            pico = 3 * (worst.model.price.input or 0)
            price = PriceSheet(input=pico, output=4 * pico)
            model = msgspec.structs.replace(worst.model, id="z", pool="z", price=price, quality=0.05,
                                            quality_source="made up")  # fmt: skip
            self._natures["z"] = replace(worst, model=model, first=5.0, pace=0.1, success=0.9)
        self._requests = requests
        self._steps = {one.at: one.what for one in steps}
        self._chance = random.Random(f"tasks {seed}")
        self._luck = random.Random(f"luck {seed}")
        self._sums: dict[Subject, Sum] = {}
        self._choices: list[Choice] = []
        self._stepped = ""
        self._asked = ("", 0)
        ledger = PlayedLedger()
        self._ledger = ledger
        self._snapshot = snapshot_of([*self._natures.values()])
        gateway = gateway_over(self._snapshot, self, ledger, _CALLER, seed)
        self._gateway = Gateway(msgspec.structs.replace(gateway.parts, snapshot=lambda: self._snapshot))

    async def run(self) -> Played:
        for number in range(self._requests):
            if number in self._steps:
                self._change(self._steps[number])
            await self._one(number)
            await asyncio.sleep(self._chance.expovariate(1))
        return Played(self._choices, self._stepped)

    def _change(self, what: str) -> None:
        """What was asked most of late gets worse, or is again what it was; or one that is not asked gets better."""
        if what == "back":
            self._paced(self._stepped, 1 / 3)
            return
        late = [one.model for one in self._choices[-200:]]
        if what == "quicker":
            idle = [name for name in sorted(self._natures) if late.count(name) < _IDLE * len(late)]
            self._stepped = min(idle, key=self._dearness)
            self._paced(self._stepped, 1 / 3)
            return
        name = self._stepped = max(sorted(set(late)), key=late.count)
        nature = self._natures[name]
        if what == "slower":
            self._paced(name, 3)
            return
        price = nature.model.price
        assert price.input is not None, "what is asked has a price"
        dear = PriceSheet(input=100 * price.input, output=400 * price.input)
        self._natures[name] = replace(nature, model=msgspec.structs.replace(nature.model, price=dear))
        self._snapshot = snapshot_of([*self._natures.values()])

    def _dearness(self, name: str) -> float:
        """Times what the best would have cost, of late, where it could be asked."""
        costs = [one.costs for one in self._choices[-200:] if name in one.costs]
        return sum(one[name] / min(one.values()) for one in costs) / len(costs)

    def _paced(self, name: str, times: float) -> None:
        nature = self._natures[name]
        self._natures[name] = replace(nature, first=times * nature.first, pace=times * nature.pace)

    async def _one(self, number: int) -> None:
        task = self._chance.choice(ASKED)
        tokens = int(min(60_000, self._chance.lognormvariate(math.log(1_500), 1.2)))
        body = {"task_type": task, "stream": True, "user": str(number),
                "messages": [{"role": "user", "content": f"{number} " + "word" * tokens}]}  # fmt: skip
        client = PlayedClient(asyncio.get_running_loop())
        self._asked = (task, tokens)
        await self._gateway.generate(
            Incoming(dialect="openai-chat", body=json.dumps(body).encode(), secret="k", headers=[], mount=None), client
        )
        end = self._ledger.ends.pop(asyncio.current_task())
        name = end.calls[0].model
        nature = self._natures[name]
        told = dict(client.headers)
        costs = {one.model.id: one.cost(task, tokens) for one in self._natures.values() if one.serves(task)}
        self._choices.append(Choice(task, tokens, name, told.get(b"x-shop-route-reason", b"").decode(), costs,
                                    nature.first + nature.pace * TASKS[task].length * nature.wordy))  # fmt: skip
        if self._judged and client.status == 200 and self._chance.random() < OPINIONS:
            self._judge(name, task)

    def _judge(self, name: str, task: str) -> None:
        """As a caller would: good or bad."""
        good = self._luck.random() < self._natures[name].quality(task)
        subject = Subject("shop", name, task, False)
        before = self._sums.get(subject, Sum(0, 0))
        self._sums[subject] = Sum(before.voices + 1, before.score + (FULL if good else -FULL))
        self._gateway.parts.health.measures.opinions.take_over(dict(self._sums))

    async def send(self, call: Outbound) -> Inbound:
        """Implements ports.Transport."""
        nature = self._natures[call.origin.removeprefix("https://").removesuffix(".test")]
        task, tokens = self._asked
        if self._luck.random() > nature.success:
            raise TransportError("connect", "connection refused", sent=False, answered=False)
        await asyncio.sleep(nature.first * _about_one(self._luck, 0.25))
        length = max(2, int(TASKS[task].length * nature.wordy * _about_one(self._luck, 0.3)))
        return _Stream(nature, tokens, length)


def _about_one(chance: random.Random, spread: float) -> float:
    """Its mean is one: what is judged in expectation must be what is met in expectation."""
    return chance.lognormvariate(-spread * spread / 2, spread)


class _Stream:
    """Implements ports.Inbound: a first word, the rest, and how much it was."""

    def __init__(self, nature: Nature, tokens: int, length: int) -> None:
        self.status = 200
        self.headers: Headers = []
        self._nature = nature
        self._length = length
        usage = {"prompt_tokens": tokens, "completion_tokens": length, "total_tokens": tokens + length}
        self._left = [_event(nature, "word"), _event(nature, "word", usage)]

    def header(self, name: bytes) -> bytes | None:
        return None

    async def chunk(self) -> bytes:
        if not self._left:
            return b""
        if len(self._left) == 1:
            await asyncio.sleep(self._length * self._nature.pace)
        return self._left.pop(0)

    async def read(self) -> bytes:
        raise AssertionError("all that is asked here is streamed")

    async def stream(self, sink: Callable[[bytes], bool]) -> bool:
        while data := await self.chunk():
            if not sink(data):
                return True
        return False

    def finish(self) -> None:
        self.close()

    def close(self) -> None:
        self._left.clear()


def _event(nature: Nature, text: str, usage: dict[str, int] | None = None) -> bytes:
    base = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": nature.model.id}
    end = None if usage is None else "stop"
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": end}
    data = b"data: " + json.dumps({**base, "choices": [choice]}).encode() + b"\n\n"
    if usage is None:
        return data
    return data + b"data: " + json.dumps({**base, "choices": [], "usage": usage}).encode() + b"\n\ndata: [DONE]\n\n"


def changed_by_a_dominated_one(seed: int) -> Played:
    """What one more model changes that is worse in everything: the choices that are not the same."""
    plain, more = (tasks(DOMINATED, seed, dominated=dominated) for dominated in (False, True))
    pairs = zip(plain.choices, more.choices, strict=True)
    return Played([one for one, other in pairs if (one.model, one.reason) != (other.model, other.reason)])
