"""Twin of stores/usage.py."""

from typing import Any

import pytest

from conflux.neutral.reports import DIMENSIONS, UsageAsked
from conflux.stores.usage import Usage
from tests.stores.books import DAY, NOON, ending, order

TODAY = NOON // DAY


@pytest.fixture
async def filled(ledger):
    """Each request costs another power of two, so that a sum says which are in it."""

    def people(run):
        run.execute("INSERT INTO workspace VALUES (2, 'acme', 0)")
        run.execute("INSERT INTO app_user VALUES (2, 2, 'ann', 0)")

    await ledger.write(people)
    plan: tuple[dict[str, Any], ...] = (
        {"tags": {"team": "red", "user": "x"}},
        {"tags": {"team": "blue"}, "caller_key": 2, "caller_user": 2, "caller_workspace": 2},
        {"moment": NOON - DAY, "tags": {"team": "red"}},
        {"storefront": "inference", "requested_model": "m"},
        {"simulated": True},
        {"moment": NOON - 40 * DAY},
    )
    for place, fields in enumerate(plan):
        one = order(1000, **fields)
        await ledger.reserve(one)
        await ledger.settle(ending(one.request_id, 1 << place, served_model="s"))
    return Usage(ledger)


def shown(rows):
    return [(*row.names, *((row.tag,) if row.tag else ()), row.figures[0], row.figures[1]) for row in rows]


def asked(*by, days=30, **rest):
    return UsageAsked(first=TODAY - days + 1, last=TODAY, by=by, **rest)


BY = {
    "day": [(TODAY - 1, 1, 4), (TODAY, 3, 11), (TODAY, 1, 16)],
    "model": [("conflux/one", 3, 7), ("conflux/one", 1, 16), ("m", 1, 8)],
    "served_model": [("s", 4, 15), ("s", 1, 16)],
    "key": [("1", 3, 13), ("1", 1, 16), ("2", 1, 2)],
    "user": [("acme/ann", 1, 2), ("default/default", 3, 13), ("default/default", 1, 16)],
    "workspace": [("acme", 1, 2), ("default", 3, 13), ("default", 1, 16)],
    "storefront": [("conflux", 3, 7), ("conflux", 1, 16), ("inference", 1, 8)],
}


@pytest.mark.parametrize("dimension", DIMENSIONS)
async def test_by_each_dimension(filled, dimension):
    assert shown(await filled.sums(asked(dimension))) == BY[dimension]


async def test_by_two_in_the_order_asked_for(filled):
    rows = shown(await filled.sums(asked("storefront", "day")))
    assert rows == [("conflux", TODAY - 1, 1, 4), ("conflux", TODAY, 2, 3), ("conflux", TODAY, 1, 16),
                    ("inference", TODAY, 1, 8)]  # fmt: skip


async def test_by_a_tag_and_what_is_without(filled):
    rows = await filled.sums(asked(tag="team"))
    assert [(row.tag, row.simulated, row.figures[1]) for row in rows] == [
        ("blue", False, 2), ("red", False, 5), (None, False, 8), (None, True, 16),
    ]  # fmt: skip
    by_day = await filled.sums(asked("day", tag="user"))
    assert [(row.names[0] - TODAY, row.tag, row.figures[1]) for row in by_day] == [
        (-1, None, 4), (0, "x", 1), (0, None, 10), (0, None, 16),
    ]  # fmt: skip


async def test_days_are_both_within_and_a_key_sees_its_own(filled):
    assert shown(await filled.sums(asked(days=41))) == [(5, 47), (1, 16)]
    assert shown(await filled.sums(asked(key=2))) == [(1, 2)]
    assert shown(await filled.sums(UsageAsked(first=TODAY - 1, last=TODAY - 1))) == [(1, 4)]
    assert await filled.sums(asked(key=9)) == []


@pytest.mark.parametrize(
    ("dimension", "value", "cost"),
    [("model", "m", 8), ("served_model", "s", 15), ("user", "acme/ann", 2), ("workspace", "default", 13),
     ("storefront", "inference", 8), ("workspace", "nobody's", 0), ("model", "'; DROP TABLE entry --", 0)],
)  # fmt: skip
async def test_only_these(filled, dimension, value, cost):
    rows = await filled.sums(asked(where=((dimension, value),)))
    assert sum(row.figures[1] for row in rows if not row.simulated) == cost


async def test_a_key_by_its_id(filled, ledger):
    await ledger.write(
        lambda run: (
            run.execute(
                "INSERT INTO api_key VALUES (2, ?, 'p', 'l', 'n', 's', 1, 1, NULL, 0, 0, 0, 0, NULL, NULL)", (b"",)
            ).rowcount
        )
    )
    assert shown(await filled.sums(asked("key", where=(("key", "key_2"),)))) == [("key_2", 1, 2)]
