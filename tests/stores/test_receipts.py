"""Twin of stores/receipts.py. Rows of the ledger's own making are listed in faces/admin/test_books.py."""

from typing import Any

import pytest

from conflux.neutral.ledger import ID_CHANCES
from conflux.stores.people import People
from conflux.stores.receipts import Receipts
from conflux.stores.rows import REQUEST

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
