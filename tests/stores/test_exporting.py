"""Twin of stores/exporting.py."""

import pytest
from msgspec.structs import replace

from conflux.neutral.reports import Span
from conflux.stores import exporting
from conflux.stores.exporting import asked_of, count, receipts
from tests.stores.books import DAY, NOON, ending, full_ending, order

TODAY = NOON // DAY
EVER = Span(0, 3_000_000)


@pytest.fixture
async def filled(ledger):
    made = []
    for moment in (NOON - DAY, NOON, NOON + DAY):
        one = order(100, moment=moment, tags={"team": "ö"})
        await ledger.reserve(one)
        await ledger.settle(full_ending(one.request_id))
        made.append(one.request_id)
    return made


async def test_every_receipt_once_and_as_it_is(monkeypatch, ledger, filled):
    monkeypatch.setattr(exporting, "_PAGE", 2)
    found = await ledger.read(lambda run: list(receipts(run, EVER)))
    assert [one.receipt.request_id for one in found] == filled
    for one in found:
        assert one.receipt == await ledger.receipt(one.receipt.request_id)
        assert (one.key, one.user, one.workspace) == ("key_1", "default", "default")
        assert (one.variance, one.provider_cost, one.tags) == (0, 40, {"team": "ö"})


async def test_days_are_both_within(ledger, filled):
    span = Span(TODAY, TODAY)
    assert await ledger.read(lambda run: [one.receipt.request_id for one in receipts(run, span)]) == filled[1:2]
    assert await ledger.read(lambda run: count(run, Span(TODAY - 1, TODAY))) == 2
    assert await ledger.read(lambda run: count(run, EVER)) == 3


async def test_what_a_provider_was_asked(ledger, filled):
    simulated = order(100, simulated=True)
    await ledger.reserve(simulated)
    await ledger.settle(full_ending(simulated.request_id))
    found = await ledger.read(lambda run: list(asked_of(run, "d", EVER)))
    assert [(one.request_id, one.upstream_id, one.model, one.cost) for one in found] == [
        (number, "chatcmpl-é", "e", 40) for number in filled
    ]
    assert await ledger.read(lambda run: list(asked_of(run, "nobody", EVER))) == []


async def test_a_provider_s_models_may_hold_slashes(ledger):
    one = order(100)
    await ledger.reserve(one)
    calls = full_ending(1).calls[1:]
    await ledger.settle(ending(one.request_id, 5, calls=(replace(calls[0], target="router/acme/one/cloud", cost=5),)))
    (found,) = await ledger.read(lambda run: list(asked_of(run, "router", EVER)))
    assert found.model == "acme/one"
