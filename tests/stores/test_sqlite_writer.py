"""Twin of stores/sqlite_writer.py: batches, cancellation, bad steps, failing disks."""

import asyncio
import functools
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from conflux.neutral.errors import GatewayError, StoreError
from conflux.neutral.ledger import Checkpoint, Ending
from conflux.neutral.usage import Provenance, Usage
from conflux.stores import sqlite_writer
from conflux.stores.sqlite_ledger import SqliteLedger
from tests.stores.books import ending, environment, order

# -- batches


@pytest.fixture
def kind() -> str:
    return "sqlite"


async def test_what_comes_at_once_is_one_transaction(ledger):
    await asyncio.gather(*(ledger.reserve(order()) for _ in range(64)))
    assert ledger.batches == 1


async def test_a_batch_is_bounded(ledger):
    await asyncio.gather(*(ledger.reserve(order()) for _ in range(1000)))
    assert ledger.batches == 4


async def test_what_comes_during_a_commit_makes_up_the_next(ledger):
    asked = [order() for _ in range(20)]

    async def run(one):
        await ledger.reserve(one)
        await ledger.settle(ending(one.request_id))

    await asyncio.gather(*(run(one) for one in asked))
    assert ledger.batches == 2


async def test_a_lone_request_costs_two_commits(ledger):
    asked = order()
    await ledger.reserve(asked)
    await ledger.settle(ending(asked.request_id))
    assert ledger.batches == 2


async def test_a_future_is_resolved_only_after_its_rows_can_be_read(books, ledger):
    async def run():
        asked = order()
        await ledger.reserve(asked)
        other = sqlite3.connect(books.path)
        count = other.execute("SELECT count(*) FROM hold WHERE request_id = ?", (asked.request_id,)).fetchone()[0]
        other.close()
        return count

    assert await asyncio.gather(*(run() for _ in range(30))) == [1] * 30


async def test_a_checkpoint_is_written_soon_though_nobody_waits(books, ledger):
    asked = order()
    await ledger.reserve(asked)
    await ledger.start(asked.request_id)
    for amount in (1, 2, 3):
        ledger.checkpoint(Checkpoint(request_id=asked.request_id, amount=amount, usage=Usage(output=amount)))
    async with asyncio.timeout(10):
        while await books.one("SELECT checkpoint FROM hold") != 3:
            await asyncio.sleep(0)
    await ledger.write(lambda run: None)  # the disk's thread has counted what the file shows
    assert ledger.batches == 3


@pytest.mark.parametrize("hurry", [False, True])
async def test_who_asks_is_told_when_a_checkpoint_is_committed_and_of_what_is_not_open_that_it_never_is(
    books, ledger, hurry
):
    asked = order()
    await ledger.reserve(asked)
    for number, committed in ((asked.request_id, 9), (asked.request_id + 1, None)):
        told = asyncio.get_running_loop().create_future()
        ledger.checkpoint(Checkpoint(request_id=number, amount=9), told.set_result, hurry=hurry)
        assert await told is (committed is not None)
        assert await books.one("SELECT checkpoint FROM hold") == 9


async def test_many_checkpoints_and_the_log_stays_small(books, ledger, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "_PAGES_PER_CHECKPOINT", 50)
    for _ in range(60):
        asked = [order() for _ in range(20)]
        await asyncio.gather(*(ledger.reserve(one) for one in asked))
        await asyncio.gather(*(ledger.settle(ending(one.request_id)) for one in asked))
    assert books.path.stat().st_size > 100_000
    assert Path(f"{books.path}-wal").stat().st_size < 2_000_000
    assert books.clean()


async def test_closing_writes_what_is_queued(books, ledger):
    asked = [order() for _ in range(300)]
    waiting = [asyncio.ensure_future(ledger.reserve(one)) for one in asked]
    await asyncio.sleep(0)
    await ledger.aclose()
    await asyncio.gather(*waiting)
    assert not Path(f"{books.path}-wal").exists()
    await books.open()
    assert (await books.ledger.recover()).requests == 300


# -- cancellation


async def test_a_cancelled_settle_happens_all_the_same(books, ledger):
    asked = order()
    await ledger.reserve(asked)
    waiting = asyncio.ensure_future(ledger.settle(ending(asked.request_id, 50)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await ledger.settle(ending(asked.request_id, 99)) == 50
    assert books.clean()


async def test_a_cancelled_reservation_is_given_back(books, ledger):
    scope = await ledger.set_budget("key", 1, "total", 1000)
    asked = order()
    waiting = asyncio.ensure_future(ledger.reserve(asked))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(10):
        while (found := await ledger.receipt(asked.request_id)) is None:
            await asyncio.sleep(0)
    assert (found.ending, found.cost) == (Ending.CANCELLED, 0)
    assert [(one.posted, one.held) for one in await ledger.standing((scope,))] == [(0, 0)]
    assert ledger.open_requests == 0
    assert books.clean()


async def test_a_cancelled_refusal_leaves_nothing(books, ledger):
    await ledger.set_budget("key", 1, "total", 10)
    waiting = asyncio.ensure_future(ledger.reserve(order(11)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await ledger.reserve(order(10))
    assert await books.one("SELECT count(*) FROM request") == 0


# -- steps that cannot be written


async def test_a_bad_step_fails_alone(books, ledger):
    scope = await ledger.set_budget("key", 1, "total", 10_000)
    asked = [order(scopes=(scope,)) for _ in range(20)]
    asked[7] = order(requested_model="\ud800")
    asked[13] = order(caller_user=1 << 70)
    found = await asyncio.gather(*(ledger.reserve(one) for one in asked), return_exceptions=True)
    assert [n for n, one in enumerate(found) if one is not None] == [7, 13]
    for n in (7, 13):
        assert isinstance(found[n], StoreError) and "cannot write this" in str(found[n])
    assert await books.one("SELECT count(*) FROM hold") == 18
    assert [(one.posted, one.held) for one in await ledger.standing((scope,))] == [(0, 1800)]
    assert ledger.healthy
    assert books.clean()


async def test_refusals_in_a_spoiled_batch_stay_refusals(books, ledger):
    await ledger.set_budget("key", 1, "total", 300)
    asked = [order(200), order(200), order(requested_model="\ud800", caller_key=2), order(100)]
    found = await asyncio.gather(*(ledger.reserve(one) for one in asked), return_exceptions=True)
    assert [type(one) for one in found] == [type(None), GatewayError, StoreError, type(None)]
    assert books.clean()


@pytest.mark.parametrize(
    "bad",
    [
        {"served_model": "\ud800"},
        {"usage": Usage(input=1 << 70)},
        {"dropped": ("\udfff",)},
    ],
)
async def test_an_ending_that_cannot_be_written_is_written_bare(books, ledger, bad):
    scope = await ledger.set_budget("key", 1, "total", 10_000)
    asked = [order() for _ in range(5)]
    await asyncio.gather(*(ledger.reserve(one) for one in asked))
    ends = [ending(one.request_id, 60, **(bad if n == 2 else {})) for n, one in enumerate(asked)]
    assert await asyncio.gather(*(ledger.settle(end) for end in ends)) == [60] * 5
    found = await ledger.receipt(asked[2].request_id)
    assert found is not None and found.provenance is Provenance.QUARANTINED and found.cost == 60
    assert [(one.posted, one.held) for one in await ledger.standing((scope,))] == [(300, 0)]
    assert ledger.healthy and ledger.open_requests == 0
    assert books.clean()


async def test_a_row_changed_behind_our_back_is_found_out_and_read_again(books, ledger):
    scope = await ledger.set_budget("key", 1, "total", 1000)
    asked = order(100)
    await ledger.reserve(asked)
    other = sqlite3.connect(books.path)
    other.execute("UPDATE budget_window SET posted = 950")
    other.commit()
    other.close()
    await ledger.settle(ending(asked.request_id, 40))
    assert [(one.posted, one.held) for one in await ledger.standing((scope,))] == [(990, 0)]
    with pytest.raises(GatewayError):
        await ledger.reserve(order(100))


async def test_someone_else_writing_is_waited_for(books, ledger):
    other = sqlite3.connect(books.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(ledger.reserve(order()))
    for _ in range(3):
        await ledger.receipt(1)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    await waiting
    assert ledger.healthy


async def test_someone_else_writing_for_too_long_is_trouble(books, ledger, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "_BUSY_PATIENCE", 0.02)
    monkeypatch.setattr(sqlite_writer, "_PROBE_DELAY", 0.02)
    other = sqlite3.connect(books.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await ledger.reserve(order())
    assert not ledger.healthy
    other.execute("ROLLBACK")
    other.close()
    await _healthy(ledger)
    await ledger.reserve(order())


# -- jobs


async def test_a_job_that_fails_changes_nothing_and_hurts_nobody(books, ledger):
    def job(run):
        run.execute("UPDATE meta SET probes = 99")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await ledger.write(job)
    assert await books.one("SELECT probes FROM meta") == 0
    await ledger.reserve(order())
    assert ledger.healthy


async def test_jobs_and_batches_do_not_meet(books, ledger):
    asked = [order() for _ in range(50)]
    jobs = [ledger.write(lambda run: run.execute("UPDATE meta SET probes = probes + 1")) for _ in range(10)]
    await asyncio.gather(*(ledger.reserve(one) for one in asked), *jobs)
    assert await books.one("SELECT probes FROM meta") == 10
    assert await books.one("SELECT count(*) FROM hold") == 50


async def test_a_job_behind_a_bad_step_is_not_forgotten(books, ledger):
    bad = asyncio.ensure_future(ledger.reserve(order(requested_model="\ud800")))
    await asyncio.sleep(0)
    await ledger.write(lambda run: run.execute("UPDATE meta SET probes = 7"))
    with pytest.raises(StoreError):
        await bad
    assert await books.one("SELECT probes FROM meta") == 7


async def test_a_job_sees_the_steps_queued_before_it(books, ledger):
    waiting = [asyncio.ensure_future(ledger.reserve(order())) for _ in range(20)]
    await asyncio.sleep(0)
    assert await ledger.write(lambda run: run.execute("SELECT count(*) FROM hold").fetchone()) == (20,)
    await asyncio.gather(*waiting)


# -- failing disks


class Flaky(sqlite3.Connection):
    """Fails every COMMIT while told so."""

    failing = False

    def execute(self, sql, *rest):
        if sql == "COMMIT" and Flaky.failing:
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *rest)


async def _healthy(ledger):
    async with asyncio.timeout(20):
        while not ledger.healthy:
            await asyncio.sleep(0.005)


@pytest.fixture
async def flaky(tmp_path, monkeypatch, clock, empty):
    (tmp_path / "conflux.db").write_bytes(empty)
    monkeypatch.setattr(sqlite_writer, "_PROBE_DELAY", 0.01)
    monkeypatch.setattr(sqlite3, "connect", functools.partial(sqlite3.connect, factory=Flaky))
    ledger = SqliteLedger.open(tmp_path / "conflux.db", clock)
    yield ledger
    Flaky.failing = False
    await ledger.aclose()


async def test_a_failing_commit_fails_everyone_and_mends_itself(flaky):
    scope = await flaky.set_budget("key", 1, "total", 1_000_000)
    Flaky.failing = True
    found = await asyncio.gather(*(flaky.reserve(order()) for _ in range(300)), return_exceptions=True)
    assert all(isinstance(one, StoreError) and "disk I/O error" in str(one) for one in found)
    assert not flaky.healthy and "disk I/O error" in str(flaky.trouble)
    for waiting in (flaky.reserve(order()), flaky.start(1), flaky.settle(ending(1)), flaky.write(lambda run: None)):
        with pytest.raises(StoreError):
            await waiting
    flaky.checkpoint(Checkpoint(request_id=1, amount=1))
    await asyncio.sleep(0.05)  # a few probes fail
    assert not flaky.healthy
    Flaky.failing = False
    await _healthy(flaky)
    assert [(one.posted, one.held) for one in await flaky.standing((scope,))] == [(0, 0)]
    asked = order()
    await flaky.reserve(asked)
    assert await flaky.settle(ending(asked.request_id, 30)) == 30
    assert [(one.posted, one.held) for one in await flaky.standing((scope,))] == [(30, 0)]


async def test_endings_that_failed_are_written_when_the_disk_is_back(flaky):
    scope = await flaky.set_budget("key", 1, "total", 1000)
    streamed, plain, left, unbegun, later = order(), order(), order(), order(), order()
    for one in (streamed, plain, left, unbegun, later):
        await flaky.reserve(one)
    await flaky.start(streamed.request_id)
    Flaky.failing = True
    with pytest.raises(StoreError):
        await flaky.settle(ending(streamed.request_id, 70))
    with pytest.raises(StoreError):
        await flaky.settle(ending(plain.request_id, 60))
    with pytest.raises(StoreError):
        await flaky.start(unbegun.request_id)
    Flaky.failing = False
    await _healthy(flaky)
    # Of the stream, the customer has its content; the plain answer was withheld, the other stream never began.
    assert await flaky.settle(ending(streamed.request_id, 1)) == 70
    assert await flaky.settle(ending(plain.request_id, 1)) == 0
    assert await flaky.settle(ending(unbegun.request_id, 1)) == 0
    assert flaky.open_requests == 2
    Flaky.failing = True
    with pytest.raises(StoreError):
        await flaky.start(later.request_id)
    Flaky.failing = False
    await _healthy(flaky)
    assert await flaky.settle(ending(later.request_id, 1)) == 0
    assert await flaky.settle(ending(left.request_id, 5)) == 5
    assert [(one.posted, one.held) for one in await flaky.standing((scope,))] == [(75, 0)]


async def test_a_reservation_that_failed_holds_nothing_even_if_it_reached_the_disk(flaky, monkeypatch):
    """A COMMIT may fail after the rows are safe; then the reservation is there, and nobody's."""
    scope = await flaky.set_budget("key", 1, "total", 1000)

    def late(self, sql, *rest):
        found = sqlite3.Connection.execute(self, sql, *rest)
        if sql == "COMMIT" and Flaky.failing:
            raise sqlite3.OperationalError("disk I/O error")
        return found

    monkeypatch.setattr(Flaky, "execute", late)
    Flaky.failing = True
    asked = order()
    with pytest.raises(StoreError):
        await flaky.reserve(asked)
    Flaky.failing = False
    await _healthy(flaky)
    assert await flaky.settle(ending(asked.request_id, 50)) == 0  # ended before anyone asked
    assert [(one.posted, one.held) for one in await flaky.standing((scope,))] == [(0, 0)]


async def test_a_settlement_that_reached_the_disk_is_not_refused(flaky, monkeypatch):
    """COMMIT fails after the rows are safe: whoever was charged gets what is paid for."""
    scope = await flaky.set_budget("key", 1, "total", 1000)
    asked = order()
    await flaky.reserve(asked)

    def late(self, sql, *rest):
        found = sqlite3.Connection.execute(self, sql, *rest)
        if sql == "COMMIT" and Flaky.failing:
            Flaky.failing = False
            raise sqlite3.OperationalError("disk I/O error")
        return found

    monkeypatch.setattr(Flaky, "execute", late)
    Flaky.failing = True
    assert await flaky.settle(ending(asked.request_id, 50)) == 50
    assert [(one.posted, one.held) for one in await flaky.standing((scope,))] == [(50, 0)]


async def test_a_job_meets_a_failing_disk(flaky):
    Flaky.failing = True
    with pytest.raises(StoreError, match="disk I/O error"):
        await flaky.set_budget("key", 1, "total", 5)
    assert not flaky.healthy
    Flaky.failing = False
    await _healthy(flaky)
    await flaky.set_budget("key", 1, "total", 5)


async def test_closing_while_the_disk_fails(flaky):
    Flaky.failing = True
    with pytest.raises(StoreError):
        await flaky.reserve(order())
    async with asyncio.timeout(10):
        await flaky.aclose()


async def test_a_full_disk_by_page_limit(books, ledger, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "_PROBE_DELAY", 0.01)
    await ledger.reserve(order())
    pages = await books.one("PRAGMA page_count")
    await ledger.write(lambda run: run.execute(f"PRAGMA max_page_count = {pages + 3}").fetchall())
    failed = 0
    for _ in range(20):
        found = await asyncio.gather(*(ledger.reserve(order()) for _ in range(100)), return_exceptions=True)
        failed += sum(isinstance(one, StoreError) for one in found)
        if failed:
            break
    assert failed and "full" in str(ledger.trouble)
    # The probe's fresh connection has no such limit: the cause is gone.
    await _healthy(ledger)
    await ledger.reserve(order())
    assert books.clean()


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from conflux.neutral.errors import StoreError
from conflux.stores import sqlite_writer
from conflux.stores.sqlite_ledger import SqliteLedger
from tests.stores.books import order, ending

sqlite_writer._PROBE_DELAY = 0.02

async def main(path):
    ledger = SqliteLedger.open(path)
    scope = await ledger.set_budget("key", 1, "total", 10**9)
    wal = Path(str(path) + "-wal")
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 50_000, hard))
    kept, failed = [], 0
    while not failed:
        asked = [order(1) for _ in range(50)]
        found = await asyncio.gather(*(ledger.reserve(one) for one in asked), return_exceptions=True)
        kept += [one for one, what in zip(asked, found) if what is None]
        failed += sum(isinstance(one, StoreError) for one in found)
    assert not ledger.healthy
    await asyncio.sleep(0.1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    while not ledger.healthy:
        await asyncio.sleep(0.01)
    (stand,) = await ledger.standing((scope,))
    assert (stand.posted, stand.held) == (0, len(kept)), (stand, len(kept))
    for one in kept:
        assert await ledger.settle(ending(one.request_id, 1)) == 1
    await ledger.aclose()
    print(len(kept) > 0, failed > 0)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_full_disk_by_a_limit_of_the_system(tmp_path, books):
    """Real writes that fail: every file of a child process is limited in size."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "full.db")],
        env=environment(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("True True", "")
    books.path = tmp_path / "full.db"
    assert books.clean()
