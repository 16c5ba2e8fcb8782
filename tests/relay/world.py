"""A whole gateway in which everything outside is played: clock, ledger, keys, upstreams, the client's end.

Law: the fakes only write down what happened, in one journal, and what must never happen, in `violations`; judging is
the tests' business. Nothing waits for real time: every wait is a point, and at any point the client may leave or the
server may stop.
"""

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

from conflux.catalogue.catalogue import Catalogue
from conflux.dialects import DIALECTS
from conflux.neutral.errors import GatewayError, IdTaken, Kind, StoreError
from conflux.neutral.ledger import Checkpoint, Ending, Receipt, Reservation, Settlement
from conflux.neutral.ports import Headers, Inbound, Outbound, ServiceAccount, TokenRefused
from conflux.neutral.records import Storefront
from conflux.policy.rates import RateBook
from conflux.relay.aside import Aside
from conflux.relay.counting import Count, Sizes
from conflux.relay.gateway import Gateway
from conflux.relay.live import build_snapshot, simulator_provider
from conflux.relay.parts import Incoming, Outcome, Parts
from conflux.relay.snapshot import Snapshot
from conflux.routing.health import HealthBook
from tests.policy.samples import caller
from tests.relay.answers import CANARY, Answer, whole
from tests.relay.key_book import Keys
from tests.relay.shops import shop

KEY = "sh_key"


class Purse:
    """Implements ports.Tokens: what each account gets is written down beforehand."""

    def __init__(self) -> None:
        self.ready: bytes | None = None
        self.answers: list[bytes | TokenRefused] = []
        self.forgotten = 0

    def held(self, account: ServiceAccount) -> bytes | None:
        return self.ready

    async def line(self, account: ServiceAccount) -> bytes:
        found = self.answers.pop(0)
        if isinstance(found, TokenRefused):
            raise found
        return found

    def forget(self, account: ServiceAccount) -> None:
        self.forgotten += 1


def quarter(text: str) -> int:
    return -(-len(text) // 4)


async def at_hand() -> Count:
    """A tokenizer that nobody has to load."""
    return quarter


class World:
    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *answers: Answer,
        secrets: dict[str, str] | None = None,
        simulated: bool = False,
    ) -> None:
        self.journal: list[str] = []
        self.violations: list[str] = []
        self.told = False  # the client asked to be told how far it is: its stream begins at once
        self.points = 0
        self.at: int | None = None
        self.disturb: Callable[[], None] = lambda: None
        self.task: asyncio.Task[None] | None = None
        self.clock = Clock()
        self.ledger = Ledger(self)
        self.upstream = Upstream(self, list(answers))
        self.client = Client(self)
        self.keys = Keys({KEY: caller()})
        self.meter = Meter()
        self.health = HealthBook()
        self.rates = RateBook()
        self.tokens = Purse()
        chance = random.Random(1)
        self.snapshot: Snapshot = build_snapshot(
            catalogue or shop(),
            (secrets or {"env:A": "secret-a", "env:B": "secret-b"}).get,
            DIALECTS,
            simulator=simulator_provider(1),
            keep_simulator=simulated,
        )
        self.parts = Parts(
            clock=self.clock,
            ledger=self.ledger,
            keys=self.keys,
            transport=self.upstream,
            tokens=self.tokens,
            snapshot=lambda: self.snapshot,
            health=self.health,
            sizes=Sizes(at_hand),
            aside=Aside(),
            below=chance.randrange,
            meter=self.meter,
            rates=self.rates,
            later=self.clock.later,
            keep_alive=15.0,
        )
        self.gateway = Gateway(self.parts)

    def note(self, what: str) -> None:
        self.journal.append(what)

    def must(self, good: bool, what: str) -> None:
        if not good:
            self.violations.append(what)

    async def point(self) -> None:
        """Where a real part would wait: the disturbance comes while nobody runs."""
        if self.points == self.at:
            asyncio.get_running_loop().call_soon(self.disturb)
        self.points += 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def run(
        self,
        body: bytes,
        *,
        secret: str | None = KEY,
        mount: Storefront | None = None,
        headers: Headers | None = None,
    ) -> Exception | None:
        """One request to its end; what it raised, where it did."""
        incoming = Incoming(dialect="openai-chat", body=body, secret=secret, mount=mount, headers=headers or [])
        before = asyncio.all_tasks()
        self.task = asyncio.create_task(self.gateway.generate(incoming, self.client))
        done, _ = await asyncio.wait({self.task}, timeout=20)
        self.must(bool(done), "it never ended")
        self.must(asyncio.all_tasks() == before, "a task is left over")
        if self.task.cancelled():
            self.note("cancelled")
            return None
        error = self.task.exception()
        assert error is None or isinstance(error, Exception)
        return error

    def stop(self) -> None:
        """As the server does it when its patience is over."""
        assert self.task is not None
        self.task.cancel("Task cancelled, timeout graceful shutdown exceeded")

    # -- what every request must keep, however it ended

    def check(self) -> None:
        self.must(self.ledger.holds == {}, "a hold is open")
        self.must(len({(end.ending, end.charge) for end in self.ledger.asked}) <= 1, "settled in two ways")
        sends = [place for place, what in enumerate(self.journal) if what == "send"]
        self._before("reserved", sends)
        # A stream that was kept alive began before there was content; all others begin with it.
        first = ("push",) if self.told or "idle" in self.journal else ("begin", "push")
        content = [place for place, what in enumerate(self.journal) if what in first]
        self._before("started", content)
        ends = [place for place, what in enumerate(self.journal) if what in ("reply 200", "finish")]
        self._before("settled", ends)
        self.must(all(one.closed for one in self.upstream.opened), "an answer was not closed")
        self.must(all(one.cancelled for one in self.clock.timers), "a timer is left over")
        self.must(self.meter.open == 0, "the meter still counts it")
        self.must(self.rates.running() == 0, "a slot is still taken")
        names = [target.key for pool in self.snapshot.pools.values() for target in pool]
        self.must(all(self.health.of(name).in_flight == 0 for name in names), "a target still has it in flight")
        seen = self.client.seen.lower()
        self.must(CANARY.encode() not in seen and b"secret-" not in seen, f"the client saw {seen!r}")
        assert self.violations == []

    def _before(self, first: str, then: list[int]) -> None:
        if then:
            self.must(first in self.journal[: then[0]], f"{self.journal[then[0]]} before {first}")

    @property
    def settled(self) -> Settlement:
        (end,) = self.ledger.settled.values()
        return end


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.25
        self.ticks = 1000.0
        self.timers: list[Timer] = []

    def later(self, seconds: float, call: Callable[[], None]) -> "Timer":
        timer = Timer(self.ticks + seconds, call)
        self.timers.append(timer)
        return timer

    def pass_by(self, seconds: float) -> None:
        """Time goes on, and what was to happen meanwhile happens."""
        self.ticks += seconds
        due = [one for one in self.timers if one.at <= self.ticks]
        self.timers = [one for one in self.timers if one.at > self.ticks]
        for one in due:
            one.call()

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.ticks


class Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.cancelled = False
        self._call = call

    def call(self) -> None:
        if not self.cancelled:
            self._call()

    def cancel(self) -> None:
        self.cancelled = True


class Ledger:
    """Implements ports.Ledger. A step whose caller stopped waiting was written, or (`lossy`) was not."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.lossy = False
        self.failures: dict[str, Exception] = {}
        self.cap: int | None = None  # what no hold may pass
        self.taken = 0  # how many of the next ids somebody else has
        self.reserved: list[Reservation] = []
        self.holds: dict[int, Reservation] = {}
        self.marks: list[Checkpoint] = []
        self.asked: list[Settlement] = []
        self.settled: dict[int, Settlement] = {}
        self.receipts: dict[int, Receipt] = {}

    async def _step(self, name: str, write: Callable[[], int]) -> int:
        failure = self.failures.get(name)
        if failure is not None:
            await self._world.point()
            raise failure
        if self.lossy:
            await self._world.point()
            found = write()
        else:
            found = write()
            await self._world.point()
        self._world.note(name)
        return found

    async def reserve(self, order: Reservation) -> None:
        def write() -> int:
            self.reserved.append(order)
            if self.cap is not None and order.amount > self.cap:
                raise GatewayError(Kind.PAYMENT_REQUIRED, "spent")
            if self.taken:
                self.taken -= 1
                raise IdTaken("taken")
            self.holds[order.request_id] = order
            return 0

        try:
            await self._step("reserved", write)
        except asyncio.CancelledError:
            if self.holds.pop(order.request_id, None) is not None:
                end = Settlement(request_id=order.request_id, ending=Ending.CANCELLED, charge=0, status=499)
                self.settled[order.request_id] = end
            raise

    async def start(self, request_id: int) -> None:
        def write() -> int:
            self._world.must(request_id in self.holds, "started what is not open")
            return 0

        await self._step("started", write)

    def checkpoint(self, mark: Checkpoint, told: Callable[[bool], None] | None = None, *, hurry: bool = False) -> None:
        self._world.must(mark.request_id in self.holds, "a checkpoint of what is not open")
        self.marks.append(mark)
        if told is not None:
            self.commit(mark, told)

    def commit(self, mark: Checkpoint, told: Callable[[bool], None]) -> None:
        """At once; tests put slower ones in its place."""
        told(True)

    async def settle(self, end: Settlement) -> int:
        self.asked.append(end)

        def write() -> int:
            if end.request_id not in self.settled:
                if end.request_id not in self.holds:
                    raise StoreError("never reserved")
                self.settled[end.request_id] = end
                del self.holds[end.request_id]
            return self.settled[end.request_id].charge

        return await self._step("settled", write)

    async def receipt(self, request_id: int) -> Receipt | None:
        return self.receipts.get(request_id)


class Meter:
    """Implements relay's Meter."""

    def __init__(self) -> None:
        self.open = 0
        self.outcomes: list[Outcome | None] = []

    def began(self) -> None:
        self.open += 1

    def ended(self, outcome: Outcome | None) -> None:
        self.open -= 1
        self.outcomes.append(outcome)


class Upstream:
    """Implements ports.Transport: each request gets the next answer of the script."""

    def __init__(self, world: World, script: list[Answer]) -> None:
        self._world = world
        self.script = script
        self.calls: list[Outbound] = []
        self.opened: list[Opened] = []

    async def send(self, call: Outbound) -> Inbound:
        self._world.note("send")
        self.calls.append(call)
        answer = self.script.pop(0) if self.script else whole()
        await self._world.point()
        if answer.fault is not None:
            raise answer.fault
        opened = Opened(self._world, answer)
        self.opened.append(opened)
        return opened

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(call.body) for call in self.calls]


class Opened:
    """Implements ports.Inbound."""

    def __init__(self, world: World, answer: Answer) -> None:
        self._world = world
        self._pieces = list(answer.pieces)
        self.status = answer.status
        self.headers = answer.headers
        self.closed = False
        self.given = b""  # what was handed over

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)

    async def chunk(self) -> bytes:
        await self._world.point()
        self._world.must(not self.closed, "read after it was closed")
        while self._pieces:
            piece = self._pieces.pop(0)
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, asyncio.Event):
                await piece.wait()
                continue
            if isinstance(piece, bytes):
                self.given += piece
                return piece
            piece()
        return b""

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
        self.closed = True

    def close(self) -> None:
        self.closed = True

    @property
    def content_bytes(self) -> int:
        """The text that was handed over, counted by the upstream itself."""
        size = 0
        for line in self.given.split(b"\n"):
            if line.startswith(b"data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    size += len(((choice["delta"].get("content")) or "").encode())
        return size


class Client:
    """Implements relay's Exchange. Keeps every byte that went out before the client left."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._watcher: Callable[[], None] | None = None
        self.gone = False
        self.slow = False  # every push asks for a pause
        self.status: int | None = None
        self.headers: Headers = []
        self.body = b""
        self.ended = False
        self.storefront: Storefront | None = None
        self.replies = 0

    @property
    def seen(self) -> bytes:
        return repr(self.headers).encode() + self.body

    @property
    def text(self) -> dict[bytes, bytes]:
        return dict(self.headers)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        payloads = [line[6:] for line in self.body.split(b"\n") if line.startswith(b"data: ")]
        return [json.loads(one) if one != b"[DONE]" else "DONE" for one in payloads]

    @property
    def content(self) -> str:
        choices = [choice for one in self.events if one != "DONE" for choice in one.get("choices", [])]
        return "".join(choice["delta"].get("content") or "" for choice in choices)

    def leave(self) -> None:
        self.gone = True
        call, self._watcher = self._watcher, None
        if call is not None:
            call()

    def on_gone(self, call: Callable[[], None]) -> None:
        if self.gone:
            call()
        else:
            self._watcher = call

    def serving(self, storefront: Storefront) -> None:
        self.storefront = storefront

    def _out(self, what: str, data: bytes) -> None:
        self._world.must(not self.ended, f"{what} after the end")
        if not self.gone:
            self._world.note(what)
            self.body += data

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        self._world.must(self.status is None, "a second head")
        self._out(f"reply {status}", body)
        self.status, self.headers, self.ended = status, headers, True
        await self._world.point()

    async def begin(self, status: int, headers: Headers) -> None:
        self._world.must(self.status is None, "a second head")
        self._out("begin", b"")
        self.status, self.headers = status, headers
        await self._world.point()

    def push(self, data: bytes) -> bool:
        self._world.must(self.status is not None, "content before the head")
        idle = data[:1] == b":" or b'"delta":{},"finish_reason":null' in data
        self._out("idle" if idle else "push", data)
        return not self.slow

    async def drained(self) -> None:
        await self._world.point()

    async def finish(self, data: bytes) -> None:
        self._world.must(self.status is not None, "an end before the head")
        self._out("finish", data)
        self.ended = True
        await self._world.point()
