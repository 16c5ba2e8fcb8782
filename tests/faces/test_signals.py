"""Signals of a process that plays a server: heard in order, the second one in a hurry."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from conflux.faces.signals import Signals


class Played:
    def __init__(self) -> None:
        self.reloads = 0
        self.signals = Signals(self._reload)

    async def _reload(self) -> None:
        self.reloads += 1


@pytest.fixture
async def played() -> AsyncIterator[Played]:
    one = Played()
    one.signals.listen()
    yield one
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().remove_signal_handler(number)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "patient"), [(signal.SIGTERM, True), (signal.SIGINT, False)])
async def test_the_second_is_in_a_hurry(played: Played, number: signal.Signals, patient: bool) -> None:
    signals = played.signals
    send(number)
    await signals.stop.wait()
    assert (signals.patient, signals.hurry.is_set()) == (patient, False)
    send(signal.SIGINT)
    await signals.hurry.wait()
    assert signals.patient is patient


async def test_a_supervisor_is_given_a_moment_that_a_second_signal_ends(played: Played) -> None:
    signals = played.signals
    send(signal.SIGTERM)
    await signals.stop.wait()
    await signals.grace(0.01)
    waiting = asyncio.create_task(signals.grace(3600))
    await asyncio.sleep(0)
    assert not waiting.done()
    send(signal.SIGTERM)
    await waiting


async def test_who_sits_at_a_keyboard_is_not_kept(played: Played) -> None:
    send(signal.SIGINT)
    await played.signals.stop.wait()
    await played.signals.grace(3600)


async def test_hangup_reloads(played: Played) -> None:
    send(signal.SIGHUP)
    while not played.reloads:
        await asyncio.sleep(0)
    assert not played.signals.stop.is_set()
