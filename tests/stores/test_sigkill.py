"""A process that hammers the ledger, killed at random moments.

Law: the child says on a pipe what was promised to it, in order, and the kernel keeps what was said. Whatever it was
promised must be in the file; the file must be in order after recovery, however often that is killed too.
"""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.stores.sqlite_verify import verify
from tests.stores.books import environment

ROUNDS = int(os.environ.get("TEST_KILLS", "6"))

CHILD = """
import asyncio, os, random, sys
from pathlib import Path
from conflux.neutral.ledger import Checkpoint, Ending
from conflux.stores import sqlite_writer
from conflux.stores.sqlite_ledger import SqliteLedger
from tests.stores.books import ending, order

sqlite_writer._PAGES_PER_CHECKPOINT = 40  # so that kills meet checkpoints too
chance = random.Random(int(sys.argv[2]))

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

async def caller(ledger, base, scopes):
    n = base
    while True:
        n += 64
        asked = order(100, request_id=n, input_floor=7, scopes=scopes)
        await ledger.reserve(asked)
        say("reserved", n)
        await ledger.start(n)
        say("started", n)
        if chance.random() < 0.3:
            ledger.checkpoint(Checkpoint(request_id=n, amount=chance.randrange(100)))
        charge = chance.randrange(120)
        say("settled", n, await ledger.settle(ending(n, charge, chance.choice((Ending.DONE, Ending.CUT)))))

async def main():
    ledger = SqliteLedger.open(Path(sys.argv[1]))
    found = await ledger.recover()
    scopes = (await ledger.set_budget("key", 1, "total", 10**15), await ledger.set_budget("key", 1, "day", None))
    say("ready")
    base = (int(sys.argv[2]) + 1) << 40
    await asyncio.gather(*(caller(ledger, base + n, scopes) for n in range(16)))

asyncio.run(main())
"""


def _killed_round(path: Path, seed: int, chance: random.Random) -> dict[int, list[str]]:
    """What the child was promised, by request."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(seed)],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None and child.stderr is not None
    # Killed after a random amount of promises, not of time: it has always done something, on any machine.
    wanted, said = chance.randrange(1, 30_000), b""
    while len(said) < wanted and (more := os.read(child.stdout.fileno(), 4096)):
        said += more
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read()
    assert child.wait() == -signal.SIGKILL, child.stderr.read().decode()
    child.stdout.close()
    child.stderr.close()
    promised: dict[int, list[str]] = {}
    for line in said.decode().splitlines():
        words = line.split()
        if len(words) > 1:
            promised.setdefault(int(words[1]), []).append(" ".join([words[0], *words[2:]]))
    return promised


async def _recover(path: Path) -> int:
    ledger = SqliteLedger.open(path)
    found = await ledger.recover()
    await ledger.aclose()
    return found.requests


def test_what_was_promised_is_there_and_the_books_are_in_order(tmp_path, empty):
    path = tmp_path / "conflux.db"
    path.write_bytes(empty)
    chance = random.Random(11)
    settled = 0
    for seed in range(ROUNDS):
        promised = _killed_round(path, seed, chance)
        report = verify(path)  # before recovery: open requests are no drift
        assert report.ok, report
        connection = sqlite3.connect(path)
        holds = dict(connection.execute("SELECT request_id, started FROM hold").fetchall())
        costs = dict(connection.execute("SELECT id, cost FROM request").fetchall())
        connection.close()
        for number, words in promised.items():
            assert number in holds or number in costs, words
            if "started" in words:
                assert number in costs or holds[number] == 1
            for word in words:
                if word.startswith("settled"):
                    settled += 1
                    assert costs[number] == int(word.split()[1])
        assert not set(holds) & set(costs)
    assert settled > 0
    assert asyncio.run(_recover(path)) == len(holds)
    report = verify(path)
    assert report.ok and report.checked_open == 0, report
    connection = sqlite3.connect(path)
    crashed = connection.execute(
        "SELECT started, min(cost), max(cost) FROM request WHERE ending = 'crashed' GROUP BY 1"
    )
    for started, least, most in crashed.fetchall():
        assert (least >= 7 and most <= 100) if started else most == 0
    connection.close()
