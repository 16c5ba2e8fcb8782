"""On which thread the writer commits."""

import asyncio
import threading

import pytest

from conflux.stores import sqlite_writer
from tests.stores.books import ending, order


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def threads(monkeypatch):
    """On which threads commits were made."""
    seen, commit = [], sqlite_writer.Writer._commit

    def noted(self):
        seen.append(threading.current_thread().name)
        return commit(self)

    monkeypatch.setattr(sqlite_writer.Writer, "_commit", noted)
    return seen


async def test_a_lone_request_on_a_quick_disk_goes_to_no_other_thread(ledger, threads, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "_MOMENT", 3600.0)
    first, second = order(), order()
    await ledger.reserve(first)
    await ledger.settle(ending(first.request_id))
    assert threads == ["MainThread"] * 2
    await ledger.reserve(first := order())
    threads.clear()
    await ledger.reserve(second)  # beside another
    assert threads == ["ledger-disk"]
    await asyncio.gather(*(ledger.settle(ending(one.request_id)) for one in (first, second)))
    assert threads == ["ledger-disk"] * 2


async def test_a_slow_disk_holds_nobody_up(ledger, threads, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "_MOMENT", 0.0)
    await ledger.reserve(order())
    assert threads == ["ledger-disk"]
