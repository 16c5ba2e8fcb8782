"""Twin of stores/catalogue.py."""

import pytest

from conflux.catalogue.changes import ACCEPTED, OBSOLETE, OPEN, REJECTED, Change
from conflux.catalogue.proposals import Sighting
from conflux.catalogue.provider_lists import Found
from conflux.stores.catalogue import CatalogueRows
from tests.stores.books import NOON


@pytest.fixture
def catalogue(ledger, clock):
    return CatalogueRows(ledger, clock)


def price(text: str, old: str = "1", model: str = "m") -> Change:
    return Change(table="model", key=("shop", model), field="price", fields={"price": {"input": text}},
                  old={"price": {"input": old}}, source="up")  # fmt: skip


async def states(catalogue) -> list[str]:
    return [one.state for one in await catalogue.changes()]


async def test_a_sighting_comes_back_as_it_was_and_replaces_the_one_before(catalogue, books, clock):
    one = Sighting(
        provider="up", tried=9, good=8, outcome="alarm", detail="é", missing={"b": 5},
        models={"a": Found(context=1, price={"input": "0.1"}, lacks=("tools",)), "b": Found()},
    )  # fmt: skip
    file = Sighting(provider="up", kind="file")
    for sighting in (Sighting(provider="up"), file, one):
        await catalogue.see(sighting)
    assert await catalogue.sightings() == [file, one]
    again = CatalogueRows(await books.reopen(), clock)
    assert await again.sightings() == [file, one]


async def test_a_proposal_is_made_once(catalogue):
    assert await catalogue.propose([price("2"), price("2", model="n")]) == 2
    assert await catalogue.propose([price("2"), price("2", model="n")]) == 0
    first, second = await catalogue.changes(OPEN)
    assert (first.id, first.seen, first.state, first.decided) == (1, NOON, OPEN, None)
    assert (second.table, second.key, second.fields, second.old) == (
        "model", ("shop", "n"), {"price": {"input": "2"}}, {"price": {"input": "1"}},
    )  # fmt: skip


async def test_what_nobody_proposes_any_more_is_obsolete(catalogue):
    await catalogue.propose([price("2")])
    assert await catalogue.propose([price("3")]) == 1
    assert await states(catalogue) == [OBSOLETE, OPEN]
    assert await catalogue.propose([price("3", old="7")]) == 1  # what it would replace is another
    assert await states(catalogue) == [OBSOLETE, OBSOLETE, OPEN]
    assert await catalogue.propose([]) == 0
    assert await catalogue.changes(OPEN) == []


async def test_what_is_obsolete_is_forgotten_in_time_and_what_was_decided_never(catalogue, clock):
    await catalogue.propose([price("2"), price("5", model="n"), price("6", model="o")])
    await catalogue.decide([2], ACCEPTED, "ann")
    await catalogue.decide([3], REJECTED, "ann")
    await catalogue.propose([price("3")])
    clock.moment += 29 * 86_400
    await catalogue.propose([price("3")])
    assert await states(catalogue) == [OBSOLETE, ACCEPTED, REJECTED, OPEN]
    clock.moment += 2 * 86_400
    await catalogue.propose([price("3")])
    assert await states(catalogue) == [ACCEPTED, REJECTED, OPEN]


async def test_what_was_rejected_is_not_proposed_again_but_another_figure_is(catalogue):
    await catalogue.propose([price("2")])
    await catalogue.decide([1], REJECTED, "ann")
    assert await catalogue.propose([price("2")]) == 0
    assert await catalogue.propose([price("2", old="5")]) == 0
    assert await catalogue.propose([price("3")]) == 1
    assert await states(catalogue) == [REJECTED, OPEN]


async def test_who_decided_and_when_is_kept_for_every_time(catalogue, clock, books):
    await catalogue.propose([price("2")])
    clock.moment += 10
    await catalogue.decide([1], ACCEPTED, "ann")
    (one,) = await catalogue.changes(ACCEPTED)
    assert (one.decided, one.decided_by, one.effective_at) == (NOON + 10, "ann", NOON + 10)
    clock.moment += 10
    await catalogue.decide([1], REJECTED, "bob")
    (one,) = await catalogue.changes()
    assert (one.state, one.decided, one.decided_by, one.effective_at) == (REJECTED, NOON + 20, "bob", NOON + 10)
    await catalogue.decide([1], ACCEPTED, "eve")  # decided is decided
    await catalogue.decide([99], REJECTED, "eve")
    assert await states(catalogue) == [REJECTED]
    rows = await books.ledger.read(
        lambda run: run.execute("SELECT change_id, state, decided, decided_by FROM catalogue_decision").fetchall()
    )
    assert rows == [(1, ACCEPTED, NOON + 10, "ann"), (1, REJECTED, NOON + 20, "bob")]


async def test_imported_rows_are_decided_as_they_come(catalogue):
    row = Change(table="model", key=("shop", "x"), field="row", fields={"pool": "p"}, source="own.csv")
    assert await catalogue.add_accepted([row, row], "ann") == [1, 2]
    one, _ = await catalogue.changes(ACCEPTED)
    assert (one.fields, one.source, one.decided_by, one.effective_at) == ({"pool": "p"}, "own.csv", "ann", NOON)
    assert await catalogue.propose([]) == 0
    assert await states(catalogue) == [ACCEPTED, ACCEPTED]
