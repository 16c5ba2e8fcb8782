"""./run torture: kills, races and the reckoning, on SQLite and on PostgreSQL; kept in bench/results.

Law: a run on one database is kept under its name (torture-sqlite.md, torture-postgresql.md), one on both in torture.md.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from conflux.stores.postgres_ledger import PostgresLedger
from conflux.stores.sqlite_ledger import SqliteLedger
from tests.postgres import Server
from tests.stores.books import DAY, NOON
from tests.torture.gateways import ROOT, Site
from tests.torture.kill import Plan, Result, Torture
from tests.torture.race import HELD, exact, is_near, near
from tests.torture.upstream import Upstream

_N, _ROUNDS, _REPLICAS = 25, 100, 3
_LATER, _COST = 1000, 30  # days: the second race has windows of its own; of a hold of 100


async def torture(plan: Plan, replicas: int, server: Server | None) -> Result:
    upstream = Upstream()
    await upstream.start()
    with tempfile.TemporaryDirectory(prefix="conflux-torture-") as folder:
        site = Site(Path(folder), upstream.port, replicas, server)
        try:
            return await Torture(site, upstream, plan).run()
        finally:
            for gateway in site.gateways:
                if gateway.process is not None:
                    await gateway.kill()
            await upstream.stop()


async def race(server: Server | None) -> tuple[list[int], list[int]]:
    """How many of 10 n were let in, in each round; and what was spent where holds are larger than what it costs."""
    if server is None:
        with tempfile.TemporaryDirectory(prefix="conflux-race-") as folder:
            path = Path(folder) / "conflux.db"
            first = SqliteLedger.open(path)
            await first.set_budget("key", 1, "day", _N * HELD)
            await first.aclose()
            return await _races(str(path), None, 1)
    url = server.url(server.database())
    ledger = await PostgresLedger.open(url)
    try:
        await ledger.set_budget("key", 1, "day", _N * HELD)
        return await _races(url, ledger, _REPLICAS)
    finally:
        await ledger.aclose()


async def _races(where: str, ledger: PostgresLedger | None, processes: int) -> tuple[list[int], list[int]]:
    let_in = await exact(where, ledger, NOON, processes=processes, n=_N, rounds=_ROUNDS)
    spent = await near(where, ledger, NOON + _LATER * DAY, processes=processes, n=_N, rounds=_ROUNDS, cost=_COST)
    return let_in, spent


def report(kind: str, result: Result, raced: list[int], spent: list[int], seconds: float) -> str:
    rows: Iterable[tuple[object, object, object]] = [
        *result.rows(),
        (f"rounds of a budget for {_N}, {10 * _N} at once: let in exactly {_N}", sum(one == _N for one in raced),
         _ROUNDS),
        ("rounds where holds are larger than costs, all ask until refused: less than a hold below the cap, never above",
         sum(is_near(one, _N) for one in spent), _ROUNDS),
    ]  # fmt: skip
    lines = "\n".join(f"| {what} | {found} | {wanted} |" for what, found, wanted in rows)
    verify = "\n".join(f"{name:20} {count}" for name, count in result.verify.items())
    return (
        f"## {kind}\n\n{seconds:.0f} s\n\n| what | found | demanded |\n| --- | --- | --- |\n{lines}\n\n"
        f"`conflux ledger verify` after it:\n\n```\n{verify}\n```\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run torture", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    asked = parser.parse_args()
    command = f"./run torture --requests {asked.requests} --kills {asked.kills} --seed {asked.seed}"
    parts = [f"# The last torture run\n\n`{command}`, {time.strftime('%Y-%m-%d')}\n"]
    bad = False
    for kind, replicas in (("sqlite", 1), ("postgresql", 2)):
        if asked.only not in (None, kind):
            continue
        began = time.monotonic()
        server = Server() if kind == "postgresql" else None
        try:
            plan = Plan(asked.requests, asked.kills, at_once=asked.at_once, seed=asked.seed,
                        database_kills=0 if server is None else 3)  # fmt: skip
            result = asyncio.run(torture(plan, replicas, server))
            raced, spent = asyncio.run(race(server))
        finally:
            if server is not None:
                server.close()
        name = "SQLite, one process" if server is None else f"PostgreSQL, {replicas} gateways; the race: {_REPLICAS}"
        parts.append(report(name, result, raced, spent, time.monotonic() - began))
        print(parts[-1])
        problems = [*result.problems(), *(f"let in {one} of {_N}" for one in raced if one != _N),
                    *(f"spent {one} of {_N * HELD}" for one in spent if not is_near(one, _N))]  # fmt: skip
        for kinds in vars(result.wrong).values():
            problems += kinds[:20]
        print("\n".join(problems), file=sys.stderr)
        bad = bad or bool(problems)
    kept = ROOT / "bench" / "results" / f"torture{'-' + asked.only if asked.only else ''}.md"
    kept.write_text("\n".join(parts))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
