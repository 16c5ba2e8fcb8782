"""The torture run: requests without end, SIGKILL at random moments and at every failpoint, then the reckoning.

Law: who is killed when is drawn from the seed. Clients ask again until somebody answers; what came of it is judged by
reckoning.py from the logs of both ends.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec

from tests.torture.failpoints import POINTS
from tests.torture.gateways import MODEL, Gateway, Site
from tests.torture.reckoning import Answer, Wrong, reckon
from tests.torture.upstream import Upstream

READY_MOST = 5.0  # seconds
LEASE = 10.0
_POINT_PATIENCE = 120.0
_PAUSE = 0.25  # of a client that got no answer
DATABASE = "the database"
RANDOM = "random"


@dataclass
class Result:
    answers: list[Answer] = field(default_factory=list)
    refused: int = 0
    unreached: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    ready_seconds: list[float] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)  # failpoints that were never reached
    start_cpu: float = 0.0
    open_seconds: float = 0.0  # how long after the last kill something was open
    wrong: Wrong = field(default_factory=Wrong)
    differing: int = 0  # surfaces that do not say the same sum
    verify: dict[str, int] = field(default_factory=dict)

    @property
    def drift(self) -> dict[str, int]:
        return {name: count for name, count in self.verify.items() if not name.startswith("checked")}

    def problems(self) -> list[str]:
        found = [f"{name}: {count}" for name, count in {**self.wrong.counts(), **self.drift}.items() if count]
        found += [f"never reached: {one}" for one in self.unmet]
        if self.verify.get("checked_open") or self.open_seconds > 2 * LEASE:
            found.append(f"{self.verify.get('checked_open')} open, {self.open_seconds:.1f} s after the last kill")
        if self.differing:
            found.append(f"{self.differing} surfaces show another sum than the receipts")
        if max(self.ready_seconds) > READY_MOST:
            found.append(f"a start took {max(self.ready_seconds):.1f} s")
        return found

    def rows(self) -> list[tuple[str, object, object]]:
        """What, how much was found, and how much is demanded."""
        whole = sum(answer.whole for answer in self.answers)
        points = sum(count for name, count in self.kills.items() if name in POINTS)
        counted = [(name.replace("_", " "), count, 0) for name, count in self.wrong.counts().items()]
        return [
            ("requests answered", len(self.answers), ""),
            ("of them streamed", sum(one.stream for one in self.answers), ""),
            ("whole", whole, ""),
            ("cut by a kill", len(self.answers) - whole, ""),
            ("tries while it was down", self.refused + self.unreached, ""),
            ("SIGKILL at random moments", self.kills.get(RANDOM, 0), ""),
            ("SIGKILL at failpoints", points, ""),
            ("SIGQUIT of the database", self.kills.get(DATABASE, 0), ""),
            ("failpoints never reached", len(self.unmet), 0),
            ("slowest start, s", round(max(self.ready_seconds), 2), f"at most {READY_MOST:g}"),
            ("the most a start took of the processor, s", round(self.start_cpu, 2), ""),
            *counted,
            ("surfaces that show another sum than the receipts", self.differing, 0),
            ("open after the last kill for, s", round(self.open_seconds, 1), f"at most {2 * LEASE:g}"),
        ]


@dataclass
class Plan:
    requests: int
    random_kills: int
    points: tuple[str, ...] = POINTS
    at_once: int = 32
    database_kills: int = 0
    seed: int = 1


class Torture:
    def __init__(self, site: Site, upstream: Upstream, plan: Plan) -> None:
        self._site = site
        self._upstream = upstream
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._begun = 0
        self._apart = 0  # requests between two strikes
        self._key = ""
        self._allowed = 0  # how many may have begun: whoever is to be killed must meet some
        self.result = Result()

    async def run(self) -> Result:
        plan, result = self._plan, self.result
        self._key = await self._site.start()
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            numbers = iter(range(plan.requests))

            async def caller() -> None:
                for number in numbers:
                    while self._begun >= self._allowed:
                        await asyncio.sleep(0.005)
                    self._begun += 1
                    await self._request(session, number)

            callers = [asyncio.create_task(caller()) for _ in range(plan.at_once)]
            await self._strike_all(callers)
            await asyncio.gather(*callers)
            # A last kill with nothing under way, so that everything left open meets recovery.
            for gateway in self._site.gateways:
                await self._kill(gateway)
            await self._quiet(session)
            result.start_cpu = max(one.start_cpu for one in self._site.gateways)
            receipts = await self._site.gateways[0].receipts()
            result.wrong = reckon(result.answers, self._upstream.served, receipts)
            result.verify = msgspec.json.decode(await self._site.gateways[0].command("ledger", "verify", "--json"))
            result.differing = await self._surfaces(session, receipts)
        await self._site.stop()
        return result

    # -- what is killed

    async def _strike_all(self, callers: list["asyncio.Task[None]"]) -> None:
        plan = self._plan
        strikes = [*plan.points, *[RANDOM] * plan.random_kills, *[DATABASE] * plan.database_kills]
        self._chance.shuffle(strikes)
        self._apart = apart = plan.requests * 9 // 10 // len(strikes)
        for place, strike in enumerate(strikes):
            self._allowed = max(self._allowed, apart * (place + 1))
            while self._begun < apart * (place + 1) and not all(one.done() for one in callers):
                await asyncio.sleep(0.002)
            await asyncio.sleep(self._chance.random() * 0.05)
            gateway = self._site.gateways[place % len(self._site.gateways)]
            if strike == DATABASE:
                await self._lose_database()
            elif strike == RANDOM:
                await self._kill(gateway)
                self.result.kills[RANDOM] = self.result.kills.get(RANDOM, 0) + 1
            else:
                await self._meet(gateway, strike, self._chance.randint(1, max(1, apart // 16)), callers)
        self._allowed = plan.requests

    async def _meet(self, gateway: Gateway, point: str, visit: int, callers: list["asyncio.Task[None]"]) -> None:
        """Start it so that it dies by itself, and wait until it has."""
        self._allowed = self._begun
        await gateway.kill()
        self.result.ready_seconds.append(await gateway.start(point, visit))
        self._allowed = self._begun + self._apart
        dead = asyncio.ensure_future(gateway.running.wait())
        waiting = asyncio.ensure_future(asyncio.wait(callers))
        await asyncio.wait({dead, waiting}, timeout=_POINT_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if dead.done():
            self.result.kills[point] = 1
        else:
            dead.cancel()
            self.result.unmet.append(point)
        await self._kill(gateway)

    async def _kill(self, gateway: Gateway) -> None:
        await gateway.kill()
        self.result.ready_seconds.append(await gateway.start())

    async def _lose_database(self) -> None:
        server = self._site.server
        assert server is not None
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(self._chance.random() * 4)
        await asyncio.to_thread(server.start)
        self.result.kills[DATABASE] = self.result.kills.get(DATABASE, 0) + 1

    # -- the clients

    async def _request(self, session: aiohttp.ClientSession, number: int) -> None:
        """Ask until somebody answers: while the server is down nobody does."""
        stream = number % 2 == 0
        tokens = self._chance.randrange(16, 640) if stream else self._chance.randrange(1, 400)
        pace = self._chance.choice((50, 100, 200))
        tries = 0
        while True:
            tries += 1
            answer = Answer(f"{number}.{tries}", stream)
            gateway = self._site.gateways[(number // 2 + tries) % len(self._site.gateways)]
            try:
                await self._ask(session, gateway.port, answer, f"{answer.name} {tokens} {pace}")
            except (aiohttp.ClientError, ConnectionError, TimeoutError):
                self.result.unreached += not answer.status
                await asyncio.sleep(_PAUSE)
            if answer.content_bytes or answer.whole:
                self.result.answers.append(answer)
                return
            self.result.refused += answer.status not in (0, 200)

    async def _ask(self, session: aiohttp.ClientSession, port: int, answer: Answer, text: str) -> None:
        body = {"model": MODEL, "stream": answer.stream, "user": answer.name,
                "messages": [{"role": "user", "content": text}]}  # fmt: skip
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        async with session.post(url, json=body, headers=self._who) as response:
            answer.status = response.status
            if response.status != 200:
                await asyncio.sleep(_PAUSE)
                return
            answer.request_id = response.headers["x-request-id"]
            if not answer.stream:
                found = await response.json()
                answer.content_bytes = len((found["choices"][0]["message"]["content"] or "").encode())
                answer.whole = True
                return
            async for line in response.content:
                if line.startswith(b"data: [DONE]"):
                    answer.whole = True
                elif line.startswith(b"data: "):
                    for choice in msgspec.json.decode(line[6:]).get("choices", ()):
                        answer.content_bytes += len((choice["delta"].get("content") or "").encode())

    # -- afterwards

    @property
    def _who(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}"}

    async def _get(self, session: aiohttp.ClientSession, path: str) -> Any:
        async with session.get(f"http://127.0.0.1:{self._site.gateways[0].port}{path}", headers=self._who) as response:
            return await response.json()

    async def _quiet(self, session: aiohttp.ClientSession) -> None:
        """Until nothing is held any more."""
        began = time.monotonic()
        while True:
            (budget,) = (await self._get(session, "/v1/key"))["budgets"]
            self.result.open_seconds = time.monotonic() - began
            if Decimal(budget["held_usd"]) == 0 or self.result.open_seconds > 3 * LEASE:
                return
            await asyncio.sleep(0.1)

    async def _surfaces(self, session: aiohttp.ClientSession, receipts: list[dict[str, Any]]) -> int:
        """Of the key's budget, its usage and its usage by day and model: how many do not show what the receipts do."""
        right = sum(Decimal(one["cost_usd"]) for one in receipts)
        (budget,) = (await self._get(session, "/v1/key"))["budgets"]
        usage = await self._get(session, "/v1/usage?group_by=day,model")
        tagged = await self._get(session, "/v1/usage?group_by=tag:user")
        sums = [
            Decimal(budget["spent_usd"]),
            Decimal(usage["total"]["cost_usd"]),
            sum((Decimal(one["cost_usd"]) for one in usage["data"]), Decimal(0)),
            sum((Decimal(one["cost_usd"]) for one in tagged["data"]), Decimal(0)),
        ]
        return sum(one != right for one in sums)
