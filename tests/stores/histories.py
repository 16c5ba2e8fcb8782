"""The ledger against a tiny model, in random histories: every invariant after every step.

Law: the model is sums over plain dictionaries and shares no code with the ledger. The same histories on either
database; test_histories.py tries a few, `./run histories` 10,000 and keeps what it found in bench/results/.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from conflux.neutral.errors import ConfigError, GatewayError, Kind, NoSuch
from conflux.neutral.ledger import Checkpoint, Ending, Line
from conflux.neutral.records import Scope
from conflux.neutral.usage import Usage
from conflux.stores.ledger import BookLedger
from conflux.stores.migrate import migrate
from conflux.stores.postgres_ledger import PostgresLedger
from conflux.stores.postgres_migrate import migrate_postgres
from conflux.stores.postgres_run import connect
from conflux.stores.refunds import refund
from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.stores.sqlite_verify import examine
from tests.stores.books import NOON, Clock, ending, order
from tests.stores.conftest import empty_again
from tests.stores.postgres_books import die

STEPS = 25
PIECE = 250  # histories
RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results" / "histories.md"

KEYS = (1, 2)
STOREFRONTS = ("conflux", "inference")
SCOPES = (("key", 1), ("key", 2), ("user", 1), ("workspace", 1), ("storefront", "conflux"))
WINDOWS = ("total", "day", "week", "month")
# Few and round, so that sums meet caps exactly.
amounts = st.sampled_from([0, 1, 10, 25, 50])
caps = st.sampled_from([None, 0, 50, 75, 100, 200])


def window_name(window: str, moment: float) -> str:
    """The calendar's own words for a window, so that no arithmetic is shared."""
    date = datetime.fromtimestamp(moment, UTC)
    year, week, _ = date.isocalendar()
    names = {"total": "", "day": f"{date:%Y-%m-%d}", "week": f"{year} {week}", "month": f"{date:%Y-%m}"}
    return names[window]


class Asked:
    """What the model knows of one request."""

    def __init__(self, made: Any, moment: float) -> None:
        self.made = made
        self.moment = moment
        self.started = False
        self.mark: int | None = None
        self.cost: int | None = None
        self.paid = 0
        self.refunded = False

    def counts_for(self, kind: str, owner: object) -> bool:
        mine = {"key": self.made.caller_key, "user": 1, "workspace": 1, "storefront": self.made.storefront}
        return bool(mine[kind] == owner) and not self.made.simulated

    @property
    def held(self) -> int:
        return self.made.amount if self.cost is None and not self.made.simulated else 0


def stated(run: Any) -> dict[int, int]:
    """What the lines of each receipt add up to, where they say anything."""
    rows = run.execute("SELECT id, detail FROM request").fetchall()
    sums = {number: sum(line[3] for line in json.loads(detail)[0]) for number, detail in rows}
    return {number: total for number, total in sums.items() if total}


class OnSqlite:
    """A file of its own. It dies as a process does: what was committed is there, and nothing more."""

    def __init__(self, empty: bytes) -> None:
        self.empty = empty

    async def begin(self, clock: Clock) -> BookLedger:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "conflux.db"
        self.path.write_bytes(self.empty)
        return await self.open(clock)

    async def open(self, clock: Clock) -> BookLedger:
        return SqliteLedger.open(self.path, clock)

    async def kill(self, ledger: BookLedger) -> None:
        files = [self.path.with_name(self.path.name + end) for end in ("", "-wal")]
        left = {file: file.read_bytes() for file in files}
        await ledger.aclose()
        for file, content in left.items():
            file.write_bytes(content)

    async def verify(self, ledger: BookLedger) -> Any:
        return await ledger.read(examine)

    def end(self) -> None:
        self.folder.cleanup()


class OnPostgres:
    """One database for all, empty at the beginning of each."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def begin(self, clock: Clock) -> BookLedger:
        await empty_again(self.url)
        return await self.open(clock)

    async def open(self, clock: Clock) -> BookLedger:
        return await PostgresLedger.open(self.url, clock)

    async def kill(self, ledger: BookLedger) -> None:
        """And its lease is over: nobody waits for it here."""
        assert isinstance(ledger, PostgresLedger)
        await die(ledger)
        connection = await connect(self.url, "test")
        await connection.execute("UPDATE owner SET gone = 1")
        await connection.close()

    async def verify(self, ledger: BookLedger) -> Any:
        return await ledger.verify()

    def end(self) -> None:
        pass


class Histories(RuleBasedStateMachine):
    house: OnSqlite | OnPostgres
    requests = Bundle("requests")

    @initialize(chosen=st.lists(st.tuples(st.sampled_from(SCOPES), st.sampled_from(WINDOWS), caps), max_size=4))
    def begin(self, chosen: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = Clock(NOON)
        self.all: list[Asked] = []
        self.budgets: dict[tuple[str, Any, str], int | None] = {}
        self.scopes: dict[tuple[str, Any, str], Scope] = {}
        self.ledger = self.run(self.house.begin(self.clock))
        for (kind, owner), window, cap in chosen:
            self.give_budget((kind, owner), window, cap)

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.run(self.ledger.aclose())
            self.loop.close()
            self.house.end()

    # -- what the model says

    def stand(self, kind: str, owner: object, window: str, moment: float) -> tuple[int, int]:
        name = window_name(window, moment)
        mine = [
            one for one in self.all if one.counts_for(kind, owner) and window_name(window, one.moment) == name
        ]  # fmt: skip
        return sum(one.paid for one in mine), sum(one.held for one in mine)

    def full(self, asked: Asked) -> list[str]:
        """The windows of the budgets that the request does not fit into."""
        found = []
        for (kind, owner, window), cap in self.budgets.items():
            if cap is not None and asked.counts_for(kind, owner):
                posted, held = self.stand(kind, owner, window, asked.moment)
                if posted + held + asked.made.amount > cap:
                    found.append(window)
        return found

    def ended(self, asked: Asked, charge: int, delivered: bool) -> int:
        charge = charge if delivered else 0
        asked.cost = charge if asked.made.simulated else min(charge, asked.made.amount)
        asked.paid = 0 if asked.made.simulated else asked.cost
        return asked.cost

    # -- steps

    @rule(
        target=requests,
        amount=amounts,
        floor=amounts,
        key=st.sampled_from(KEYS),
        storefront=st.sampled_from(STOREFRONTS),
        simulated=st.booleans() | st.just(False),
        count=st.integers(1, 4),
        started=st.booleans(),
    )
    def reserve(
        self, amount: int, floor: int, key: int, storefront: str, simulated: bool, count: int, started: bool
    ) -> Any:
        """Several at once, which are decided in their order."""
        moment = self.clock.moment
        asked = [
            Asked(order(amount, moment=moment, caller_key=key, storefront=storefront, simulated=simulated,
                        input_floor=floor), moment)
            for _ in range(count)
        ]  # fmt: skip

        async def all_at_once() -> list[Any]:
            return await asyncio.gather(*(self.ledger.reserve(one.made) for one in asked), return_exceptions=True)

        for one, found in zip(asked, self.run(all_at_once()), strict=True):
            full = self.full(one)
            if not full:
                assert found is None
                self.all.append(one)
            else:
                assert isinstance(found, GatewayError)
                assert found.kind is (Kind.PAYMENT_REQUIRED if "total" in full else Kind.RATE_LIMITED)
                assert (found.retry_after is None) == ("total" in full)
        admitted = [one for one in asked if one in self.all]
        if started:
            for made in admitted:
                self.start(made)
        return multiple(*admitted)

    def start(self, asked: Asked) -> None:
        self.run(self.ledger.start(asked.made.request_id))
        asked.started = True

    @rule(asked=requests)
    def start_it(self, asked: Asked) -> None:
        if asked.cost is None:
            self.start(asked)

    @rule(asked=requests, amount=amounts)
    def checkpoint(self, asked: Asked, amount: int) -> None:
        self.ledger.checkpoint(Checkpoint(request_id=asked.made.request_id, amount=amount, usage=Usage(output=amount)))
        if asked.cost is None:
            asked.mark = amount

    @rule(
        asked=requests,
        charge=amounts | st.just(90),
        how=st.sampled_from([one for one in Ending if one != "crashed"]),
        back=st.just(0) | amounts | st.none(),
    )
    def settle(self, asked: Asked, charge: int, how: Ending, back: int | None) -> None:
        """And perhaps it is given back at once, or a part of it."""
        lines = (Line("input", 1, 0, charge // 3), Line("output", 1, 0, charge - charge // 3)) if charge else ()
        end = ending(asked.made.request_id, charge, how, provider_cost=charge // 2, lines=lines)
        cost = self.run(self.ledger.settle(end))
        if asked.cost is None:
            self.ended(asked, charge, asked.started or how == "done")
        assert cost == asked.cost
        if back != 0:
            self.give_back(asked, back)

    @rule(asked=consumes(requests), charge=amounts)
    def settle_and_leave(self, asked: Asked, charge: int) -> None:
        """Its caller is cancelled: the settlement happens all the same."""

        async def leave() -> None:
            waiting = asyncio.ensure_future(self.ledger.settle(ending(asked.made.request_id, charge)))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        self.run(leave())
        if asked.cost is None:
            self.ended(asked, charge, True)

    @rule(asked=requests, amount=amounts | st.none())
    def give_back(self, asked: Asked, amount: int | None) -> None:
        """Once, and never more than was paid."""
        work = self.ledger.write(lambda run: refund(run, asked.made.request_id, amount))
        given = asked.cost if amount is None else amount
        if asked.cost is None:
            refused: type[Exception] | None = NoSuch
        elif asked.refunded or asked.made.simulated or not 0 < (given or 0) <= asked.cost:
            refused = ConfigError
        else:
            refused = None
            asked.refunded = True
            asked.paid -= given or 0
        try:
            self.run(work)
        except (NoSuch, ConfigError) as error:
            assert type(error) is refused, error
        else:
            assert refused is None

    @rule(hours=st.sampled_from([1, 13, 24, 24 * 7, 24 * 30, -24]))
    def time_passes(self, hours: int) -> None:
        self.clock.moment += hours * 3600

    @rule(scope=st.sampled_from(SCOPES), window=st.sampled_from(WINDOWS), cap=caps)
    def give_budget(self, scope: tuple[str, Any], window: str, cap: int | None) -> None:
        name = (scope[0], scope[1], window)
        self.scopes[name] = self.run(self.ledger.set_budget(*name, cap))
        self.budgets[name] = cap

    @rule(gently=st.booleans())
    def crash_and_recover(self, gently: bool) -> None:
        """Gently: what was queued is written. Else as with SIGKILL: what had been committed, and nothing more."""
        if gently:
            self.run(self.ledger.aclose())
        else:
            self.run(self.ledger.write(lambda run: None))  # so that checkpoints are either there or were never said
            self.run(self.house.kill(self.ledger))
        self.ledger = self.run(self.house.open(self.clock))
        opened = [one for one in self.all if one.cost is None]
        found = self.run(self.ledger.recover())
        for one in opened:
            charge = max(one.mark or 0, one.made.input_floor)
            self.ended(one, charge, one.started)
        assert (found.requests, found.started) == (len(opened), sum(one.started for one in opened))
        assert found.charged == sum(one.cost or 0 for one in opened)

    @rule()
    def rebuild(self) -> None:
        assert self.run(self.ledger.rebuild()) == 0

    # -- what must always hold

    @invariant()
    def books_and_model_say_the_same(self) -> None:
        if not hasattr(self, "ledger"):
            return
        report, rows, windows, stated, used = self.run(self.look())
        assert used == sum(one.paid for one in self.all)
        assert stated == {number: cost for number, cost in rows.items() if cost}
        assert report.ok, report
        assert report.checked_requests == sum(one.cost is not None for one in self.all)
        assert report.checked_open == sum(one.cost is None for one in self.all) == self.ledger.open_requests
        assert rows == {one.made.request_id: one.cost for one in self.all if one.cost is not None}
        for (kind, owner, window), found in windows.items():
            assert found == self.stand(kind, owner, window, self.clock.moment), (kind, owner, window)

    async def look(self) -> Any:
        """After a job, since that waits for the steps that were queued before it."""
        await self.ledger.write(lambda run: None)
        report = await self.house.verify(self.ledger)
        rows = await self.ledger.read(lambda run: dict(run.execute("SELECT id, cost FROM request").fetchall()))
        windows = {}
        for name, scope in self.scopes.items():
            (stand,) = await self.ledger.standing((scope,))
            windows[name] = (stand.posted, stand.held)
        used = "SELECT coalesce(sum(cost), 0) FROM usage_day WHERE simulated = 0"
        (paid,) = await self.ledger.read(lambda run: run.execute(used).fetchone())
        return report, rows, windows, await self.ledger.read(stated), int(paid)


def try_histories(found: OnSqlite | OnPostgres, count: int) -> int:
    """Raises for the first that goes wrong, made as short as it can be. How many steps were made, rules and looks."""

    class These(Histories):
        house = found
        made = 0

        def check_invariants(self, *args: Any, **rest: Any) -> Any:
            These.made += 1
            return super().check_invariants(*args, **rest)

    run_state_machine_as_test(
        These,
        settings=settings(
            max_examples=count, stateful_step_count=STEPS, suppress_health_check=list(HealthCheck), print_blob=True,
            deadline=None, database=None, derandomize=False,
        ),
    )  # fmt: skip
    return These.made


def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        connection = sqlite3.connect(path, isolation_level=None)
        migrate(connection)
        connection.close()
        return path.read_bytes()


async def _schema(url: str) -> None:
    connection = await connect(url, "test")
    await migrate_postgres(connection, url)
    await connection.close()


def _keep(name: str, count: int, made: int, minutes: float) -> None:
    """A row for each database: the last run of it."""
    head = [
        "# Random histories of the ledger", "",
        "`./run histories`: reserve, start, checkpoint, settle, leave, crash, recover, refund, budgets, windows that",
        "roll over. Every invariant is checked against a tiny model after each step.", "",
        "| database | histories | steps | broken invariants | minutes | day |", "| --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    rows = RESULTS.read_text().splitlines()[len(head) :] if RESULTS.exists() else []
    row = f"| {name} | {count:,} | {made:,} | 0 | {minutes:.0f} | {time.strftime('%Y-%m-%d')} |"
    RESULTS.write_text("\n".join([*head, *sorted([row, *(one for one in rows if f"| {name} |" not in one)])]) + "\n")


def _try_and_keep(name: str, house: OnSqlite | OnPostgres, count: int) -> None:
    """In pieces, so that one sees how far it is and a run that is stopped has not been for nothing."""
    began, made = time.monotonic(), 0
    for done in range(0, count, PIECE):
        made += try_histories(house, min(PIECE, count - done))
        _keep(name, min(done + PIECE, count), made, (time.monotonic() - began) / 60)
        print(f"{min(done + PIECE, count):,} of {count:,} histories, {made:,} steps", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run histories", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), default="sqlite")
    asked = parser.parse_args()
    if asked.on == "sqlite":
        _try_and_keep(asked.on, OnSqlite(_empty()), asked.count)
    else:
        from tests.postgres import Server

        server = Server()
        try:
            url = server.url(server.database())
            asyncio.run(_schema(url))
            _try_and_keep(asked.on, OnPostgres(url), asked.count)
        finally:
            server.close()
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
