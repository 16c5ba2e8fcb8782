"""Twin of stores/receipts.py. Rows of the ledger's own making are listed in faces/admin/test_books.py."""

from typing import Any

import pytest

from conflux.neutral.ledger import ID_CHANCES
from conflux.stores.people import People
from conflux.stores.receipts import Receipts
from conflux.stores.refunds import refund
from conflux.stores.rows import REQUEST
from tests.stores.books import order

PUT = f"INSERT INTO request ({', '.join(REQUEST)}) VALUES ({', '.join('?' * len(REQUEST))})"


@pytest.fixture
async def receipts(ledger, clock):
    people = People(ledger, lambda: None, clock)
    await people.create_workspace("acme")
    await people.create_user("acme", "ann", "member")

    def put(run):
        for n in range(6):
            fields: dict[str, Any] = dict.fromkeys(REQUEST, 0)
            fields |= {"id": (1000 + n) * ID_CHANCES + n, "created": 1000 + n, "cost": n, "latency_ms": 10 * n}
            fields |= dict.fromkeys(("key_id", "user_id", "workspace_id"), 1 + n % 2)
            fields |= {"storefront": "conflux", "requested_model": f"m{n % 3}", "served_model": "m0", "status": 200}
            fields |= {"ending": "failed" if n == 5 else "done", "provenance": "provider", "price_version": "1"}
            fields |= {"first_byte_ms": None, "detail": "[[],[],[],{}]"}
            fields |= {"input": 1, "audio": 2, "output": 3, "reasoning": 4}
            run.execute(PUT, tuple(fields[name] for name in REQUEST))

    await ledger.write(put)
    await ledger.rebuild()
    return Receipts(ledger)


async def test_what_was_given_back_stands_beside_the_cost(receipts, ledger):
    number = (await receipts.rows(1, None, {}))[0].number
    await ledger.write(lambda run: refund(run, number, 2))
    assert [(row.cost, row.refunded) for row in await receipts.rows(2, None, {})] == [(5, 2), (4, 0)]


async def costs(receipts, limit=10, before=None, **where):
    return [row.cost for row in await receipts.rows(limit, before, where)]


async def test_the_newest_first_page_by_page(receipts):
    first = await receipts.rows(4, None, {})
    assert [row.cost for row in first] == [5, 4, 3, 2]
    assert await costs(receipts, before=first[-1].number) == [1, 0]
    assert (first[0].key, first[0].user, first[0].workspace) == ("key_2", "ann", "acme")
    assert (first[0].input_tokens, first[0].output_tokens, first[0].first_byte_ms) == (3, 7, None)


@pytest.mark.parametrize(("where", "found"), [
    ({"key": "key_2"}, [5, 3, 1]), ({"key": "nonsense"}, []), ({"workspace": "acme"}, [5, 3, 1]),
    ({"workspace": "none"}, []), ({"user": "acme/ann", "ending": "done"}, [3, 1]), ({"user": "acme/none"}, []),
    ({"model": "m1"}, [4, 1]), ({"model": "m0"}, [5, 4, 3, 2, 1, 0]), ({"since": 1002, "until": 1004}, [3, 2]),
    ({"storefront": "conflux", "status": 200, "simulated": False}, [5, 4, 3, 2, 1, 0]), ({"simulated": True}, []),
    ({"key": None}, [5, 4, 3, 2, 1, 0]),
])  # fmt: skip
async def test_by_what_is_on_them(receipts, where, found):
    assert await costs(receipts, **where) == found


async def test_whose_one_is(receipts):
    (row,) = await receipts.rows(1, None, {})
    whose = await receipts.whose(row.number)
    assert (whose.workspace, whose.user) == ("acme", "ann") and await receipts.whose(7) is None


async def test_how_models_did_lately(receipts):
    found = {one.model: one for one in await receipts.recent(1002)}
    assert {name: (one.requests, one.failed) for name, one in found.items()} == {
        "m2": (2, 1),
        "m0": (1, 0),
        "m1": (1, 0),
    }
    assert found["m2"].latency_ms == 35 and found["m2"].first_byte_ms is None


async def test_how_long_requests_took_span_by_span(receipts):
    async def paces(by, **where):
        found = await receipts.pace(1000, 1006, 2, by, where)
        return [(one.number, one.name, one.requests, one.failed, one.latency_ms, one.slowest_ms) for one in found]

    assert await paces("storefront") == [
        (500, "conflux", 2, 0, 5, 10), (501, "conflux", 2, 0, 25, 30), (502, "conflux", 2, 1, 45, 50)]  # fmt: skip
    assert {one[1] for one in await paces("user")} == {"default/default", "acme/ann"}
    assert {one[1] for one in await paces("key")} == {"key_1", "key_2"}
    assert [one[:3] for one in await paces("model", model="m1")] == [(500, "m1", 1), (502, "m1", 1)]
    assert await receipts.pace(1002, 1002, 2, "model", {}) == []


async def test_which_targets_were_chosen_span_by_span(ledger, receipts):
    def put(run):
        for n, target in enumerate(("a", "a", "b", None)):
            run.execute("INSERT INTO attempt (request_id, n, target, provider_cost) VALUES (?, 0, ?, ?)",
                        ((1000 + n) * ID_CHANCES + n, target, 5 if n else None))  # fmt: skip

    await ledger.write(put)
    assert await receipts.chosen_over(1000, 1006, 2) == [(500, "a", 2, 5), (501, "b", 1, 5)]
    assert await receipts.chosen_over(1001, 1002, 1) == [(1001, "a", 1, 5)]


async def test_what_is_open(ledger, receipts):
    assert await receipts.open() == (0, None)
    held = order(60)
    await ledger.reserve(held)
    assert await receipts.open() == (1, held.created)


FAR = 4_070_908_800_000  # 2099: beyond what ids reach


async def test_moments_beyond_the_last_id_are_the_end(receipts):
    assert await costs(receipts, until=FAR) == await costs(receipts)
    assert await costs(receipts, since=FAR) == []
    assert await receipts.recent(FAR) == [] and await receipts.chosen(FAR) == {}
    assert await receipts.chosen_over(FAR, FAR + 1, 1) == []
    assert await receipts.pace(FAR, FAR + 1, 1, "model", {"since": FAR}) == []
