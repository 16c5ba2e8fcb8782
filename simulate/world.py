"""A whole gateway over played upstreams, ledger and clients, under a steady load.

Law: everything between the face and the sockets is the real thing: Gateway, Passage, Tries, Attempt, HealthBook.
What is played only writes down what happened; judging is the scenario's business.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from conflux.catalogue.catalogue import Catalogue, build
from conflux.dialects import DIALECTS
from conflux.neutral.ledger import Checkpoint, Receipt, Reservation, Settlement
from conflux.neutral.money import PriceSheet
from conflux.neutral.ports import Headers, Ledger, ServiceAccount, Transport
from conflux.neutral.records import Caller, Capability, Model, Pool, Provider, Storefront, Target
from conflux.policy.rates import RateBook
from conflux.relay.aside import Aside
from conflux.relay.counting import Count, Sizes
from conflux.relay.gateway import Gateway
from conflux.relay.live import build_snapshot
from conflux.relay.parts import Incoming, Outcome, Parts
from conflux.relay.snapshot import Snapshot
from conflux.routing.health import HealthBook
from simulate.upstreams import WRONG, Trouble, Upstreams
from simulate.virtual import VirtualClock, run

STREAMED = 0.8  # of the requests
_CALLER = Caller(key_id=1, name="load", storefront="shop", workspace_id=1, workspace="default", user_id=1,
                 user="default")  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What is simulated: so many alike targets, so many requests a second, and what goes wrong when."""

    targets: int
    troubles: dict[int, Trouble] = field(default_factory=dict)
    rate: float = 40.0
    seconds: float = 90.0
    hedge: bool = False


@dataclass
class Seen:
    """One request, as its client saw it."""

    began: float
    ended: float = 0.0
    first: float | None = None  # when its first content came
    good: bool = False
    status: int = 0
    target: int | None = None  # that answered
    sends: int = 0


@dataclass
class Run:
    setting: Setting
    requests: list[Seen]
    sent: list[tuple[float, int]]
    in_flight: list[float]  # by target: seconds of answers under way, over the whole run
    wrong: int = 0  # answers of another model that went out

    def between(self, begin: float, end: float) -> list[Seen]:
        return [one for one in self.requests if begin <= one.began < end]

    def share(self, target: int, begin: float, end: float) -> float:
        """Of what was answered, by the time it was asked."""
        served = [one.target for one in self.between(begin, end) if one.target is not None]
        return served.count(target) / len(served) if served else 0.0


def simulate(setting: Setting, seed: int) -> Run:
    async def main() -> Run:
        return await _Simulation(setting, seed).run()

    return run(main)


class _Simulation:
    def __init__(self, setting: Setting, seed: int) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._setting = setting
        self._chance = random.Random(f"load {seed}")
        self._upstreams = Upstreams(loop, random.Random(f"upstreams {seed}"), setting.troubles)
        snapshot = build_snapshot(_catalogue(setting), {"env:A": "a"}.get, DIALECTS, simulator=None,
                                  keep_simulator=False)  # fmt: skip
        self.ledger = PlayedLedger()
        self._gateway = gateway_over(snapshot, self._upstreams, self.ledger, _CALLER, seed)
        self._requests: list[Seen] = []
        self._in_flight = [0.0] * setting.targets
        self._wrong = 0

    async def run(self) -> Run:
        tasks = []
        while self._loop.time() < self._setting.seconds:
            tasks.append(asyncio.create_task(self._one()))
            await asyncio.sleep(self._chance.expovariate(self._setting.rate))
        await asyncio.gather(*tasks)
        return Run(self._setting, self._requests, self._upstreams.sent, self._in_flight, self._wrong)

    async def _one(self) -> None:
        seen = Seen(self._loop.time())
        self._requests.append(seen)
        stream = self._chance.random() < STREAMED
        client = PlayedClient(self._loop)
        turn = {"role": "user", "content": f"say {len(self._requests)}"}
        body = {"model": "shop/one", "messages": [turn], **({"stream": True} if stream else {})}
        await self._gateway.generate(
            Incoming(dialect="openai-chat", body=json.dumps(body).encode(), secret="k", headers=[], mount=None), client
        )
        seen.ended = self._loop.time()
        seen.first, seen.status = client.first, client.status
        seen.good = client.status == 200 and (b"[DONE]" in client.body if stream else True)
        end = self.ledger.ends.pop(asyncio.current_task())
        seen.sends = len(end.calls)
        last = end.calls[-1] if end.calls else None
        if last is not None and last.status != "failed" and last.target is not None:
            seen.target = int(last.target.split("/")[0].removeprefix("p"))
            self._in_flight[seen.target] += seen.ended - seen.began
            self._wrong += WRONG.encode() in client.body


async def _quarter() -> Count:
    """Played time stands still for no thread, so the tokenizer here is one that needs none to load."""
    return lambda text: -(-len(text) // 4)


def gateway_over(
    snapshot: Snapshot,
    transport: Transport,
    ledger: Ledger,
    caller: Caller,
    seed: int,
    load: Callable[[], Awaitable[Count]] = _quarter,
) -> Gateway:
    """The real one, in the running loop's time."""
    loop = asyncio.get_running_loop()
    return Gateway(
        Parts(
            clock=VirtualClock(loop),
            ledger=ledger,
            keys=_Keys(caller),
            transport=transport,
            tokens=_NoTokens(),
            snapshot=lambda: snapshot,
            health=HealthBook(),
            sizes=Sizes(load),
            aside=Aside(),
            below=random.Random(f"router {seed}").randrange,
            meter=_Meter(),
            rates=RateBook(),
            later=loop.call_later,
            keep_alive=15.0,
        )
    )


def _catalogue(setting: Setting) -> Catalogue:
    providers = [
        Provider(id=f"p{number}", base_url=f"https://t{number}.test/v1", dialects=("openai-chat",),
                 credentials=("env:A",), configured=True)
        for number in range(setting.targets)
    ]  # fmt: skip
    pond = tuple(Target(provider=one.id, model=f"model-{n}") for n, one in enumerate(providers))
    pool = Pool(id="pond", targets=pond, hedge=setting.hedge)
    # What every provider also sells, so that its name is known.
    other = Pool(id="other", targets=tuple(Target(provider=one.id, model=WRONG) for one in providers))
    front = Storefront(id="shop", name="Shop", mount="/", key_prefixes=("k",), model_echo="upstream")
    model = Model(storefront="shop", id="shop/one", name="One", pool="pond", capabilities=frozenset(Capability),
                  price=PriceSheet(input=1_000_000, output=2_000_000))  # fmt: skip
    return build([front], [model], [pool, other], providers)


class PlayedLedger:
    """Implements ports.Ledger: everything is committed at once."""

    def __init__(self) -> None:
        self.ends: dict[asyncio.Task[None] | None, Settlement] = {}  # by who asked: each request has its own task

    async def reserve(self, order: Reservation) -> None: ...
    async def start(self, request_id: int) -> None: ...
    def checkpoint(self, mark: Checkpoint, told: Callable[[bool], None] | None = None, *, hurry: bool = False) -> None:
        if told is not None:
            told(True)

    async def settle(self, end: Settlement) -> int:
        self.ends[asyncio.current_task()] = end
        return end.charge

    async def receipt(self, request_id: int) -> Receipt | None:
        return None


class _Keys:
    """Implements ports.KeyBook: there is one caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def known(self, secret: str) -> Caller | bool | None:
        return self._caller

    async def find(self, secret: str) -> Caller | None:
        return self._caller


class _NoTokens:
    """Implements ports.Tokens: nobody here has an account."""

    def held(self, account: ServiceAccount) -> bytes | None:
        return None

    async def line(self, account: ServiceAccount) -> bytes:
        return b""

    def forget(self, account: ServiceAccount) -> None: ...


class _Meter:
    def began(self) -> None: ...
    def ended(self, outcome: Outcome | None) -> None: ...


class PlayedClient:
    """Implements relay's Exchange: patient, and quick to read."""

    gone = False

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.status = 0
        self.headers: Headers = []
        self.body = b""
        self.first: float | None = None

    def on_gone(self, call: Callable[[], None]) -> None: ...
    def serving(self, storefront: Storefront) -> None: ...

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        self.status, self.headers, self.body, self.first = status, headers, body, self._loop.time()

    async def begin(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers

    def push(self, data: bytes) -> bool:
        if self.first is None and b"word" in data:
            self.first = self._loop.time()
        self.body += data
        return True

    async def drained(self) -> None: ...

    async def finish(self, data: bytes) -> None:
        self.body += data
