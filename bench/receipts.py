"""What the admin API's pages take over 100,000 receipts: `python -m bench.receipts`; keeps bench/results/receipts.md.

Law: a whole gateway and its own HTTP client, in one process. Of each page the quickest of several asks, since a
neighbour only ever adds; its CPU, client and server together, stands beside it.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from conflux.neutral.ledger import ID_CHANCES
from conflux.stores.rows import ATTEMPT, REQUEST
from tests.faces.admin.gate import Gate, gate

PLACE = Path(__file__).resolve().parent / "results" / "receipts.md"
_LIMIT_MS = 200
_ROUNDS = 7
_EVERY_MS = 25_000  # a receipt: a month of them
_PEOPLE, _WORKSPACES, _MODELS = 50, 10, 70


def _put(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def fill(file: Path, count: int, now: int) -> None:
    chance = random.Random(1)
    requests, attempts = [], []
    detail = '[[["input",900,435000,391500]],[["direct","m","done",830,null,1000,null]],[],{}]'
    for number in range(count):
        moment, whose = now - (count - number) * _EVERY_MS, number % _PEOPLE
        model = f"conflux/model-{chance.randrange(_MODELS)}"
        fields: dict[str, Any] = dict.fromkeys(REQUEST, 0) | {
            "id": moment * ID_CHANCES + number % 100, "created": moment, "key_id": 2 + whose, "user_id": 2 + whose,
            "workspace_id": 2 + whose % _WORKSPACES, "storefront": "conflux", "requested_model": model,
            "served_model": model, "ending": "failed" if chance.random() < 0.01 else "done", "cost": 1000,
            "input": 900, "output": 100, "provenance": "provider", "price_version": "1", "status": 200,
            "latency_ms": chance.randrange(5000), "first_byte_ms": 90, "detail": detail,
        }  # fmt: skip
        requests.append(tuple(fields[name] for name in REQUEST))
        attempts.append((fields["id"], 0, f"local/m{number % 30}/cloud", 500, None))
    with sqlite3.connect(file) as run:
        run.executemany(_put("request", REQUEST), requests)
        run.executemany(_put("attempt", ATTEMPT), attempts)
    run.close()


async def measure(g: Gate) -> list[tuple[str, int, float, float]]:
    """(what was asked, rows, milliseconds, CPU milliseconds)."""
    house = g.house
    cursor = None
    for _ in range(20):
        cursor = (await house.get("/receipts", limit=500, **({"cursor": cursor} if cursor else {})))["next"]
    asked: list[tuple[str, dict[str, Any]]] = [
        ("/receipts", {"limit": 50}),
        ("/receipts", {"limit": 500}),
        ("/receipts", {"limit": 50, "cursor": cursor}),
        ("/receipts", {"key": "key_30"}),
        ("/receipts", {"model": "conflux/model-3"}),
        ("/receipts", {"model": "none"}),
        ("/receipts", {"ending": "failed", "limit": 500}),
        ("/receipts", {"ending": "crashed"}),
        ("/receipts", {"status": 503}),
        ("/receipts", {"workspace": "w3", "user": "u3"}),
        ("/receipts", {"since": "2026-11-01", "until": "2026-11-02"}),
        ("/usage", {"group_by": "day,model"}),
        ("/usage", {"group_by": "day,user"}),
        ("/performance", {"group_by": "model"}),
        ("/performance", {"group_by": "user", "workspace": "w3"}),
        ("/targets/usage", {"by": "day", "limit": 500}),
        ("/pools", {"limit": 500}),
        ("/models", {"limit": 500}),
        ("/audit", {"limit": 500}),
        ("/ledger", {}),
    ]
    found = []
    for path, params in asked:
        rows, best, cpu = 0, float("inf"), float("inf")
        for _ in range(_ROUNDS):
            began, worked = time.perf_counter(), time.process_time()
            answer = await house.get(path, **params)
            best, cpu = min(best, time.perf_counter() - began), min(cpu, time.process_time() - worked)
            rows = len(answer.get("data", ()))
        shown = "&".join(f"{name}={value if name != 'cursor' else '…'}" for name, value in params.items())
        found.append((f"{path}?{shown}" if shown else path, rows, best * 1000, cpu * 1000))
    return found


async def run(count: int, folder: Path) -> list[tuple[str, int, float, float]]:
    async with gate(folder) as g:
        for number in range(_PEOPLE):
            await g.do("keys.create", workspace=f"w{number % _WORKSPACES}", user=f"u{number}", name="k")
        await asyncio.to_thread(fill, folder / "data" / "conflux.db", count, int(time.time() * 1000))
        await g.do("ledger.rebuild")
        return await measure(g)


def report(count: int, found: list[tuple[str, int, float, float]]) -> str:
    worst, most = max(row[2] for row in found), max(row[3] for row in found)
    lines = [
        "# Pages of the admin API",
        "",
        f"{count:,} receipts in SQLite; the quickest of {_ROUNDS} asks, over HTTP, in one process with its client;"
        f" load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores. Made by `python -m bench.receipts`.",
        f"A page may take {_LIMIT_MS} ms. The slowest took {worst:.0f} ms beside its neighbours, and at most"
        f" {most:.0f} ms of CPU.",
        "",
        "| asked | rows | ms | CPU ms |",
        "| --- | ---: | ---: | ---: |",
        *(f"| `{name}` | {rows} | {wall:.0f} | {cpu:.0f} |" for name, rows, wall, cpu in found),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(count, Path(folder)))
    told = report(count, found)
    PLACE.write_text(told, encoding="utf-8")
    print(told)
    return int(any(row[2] > _LIMIT_MS for row in found))


if __name__ == "__main__":
    raise SystemExit(main())
