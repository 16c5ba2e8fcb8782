"""Twin of stores/responses.py: a key's own, for a time, and not too many."""

import pytest

from conflux.neutral.ports import StoredResponse
from conflux.stores.responses import DAY, ResponseRows, kept_responses
from tests.stores.books import Clock


def response(name: str, *items: str) -> StoredResponse:
    return StoredResponse([{"id": one, "said": "ö"} for one in items], {"id": name, "output": [{"id": f"out_{name}"}]})


@pytest.fixture
def rows(ledger, clock: Clock) -> ResponseRows:
    found = kept_responses(ledger, keep_days=2, most_bytes=9, most_per_key=3, now=lambda: clock.moment / 1000)
    assert found is not None and found.most_bytes == 9
    return found


def test_kept_for_no_time_is_not_kept() -> None:
    assert kept_responses(None, keep_days=0, most_bytes=1, most_per_key=1) is None  # type: ignore[arg-type]


async def test_a_key_finds_its_own_and_no_other_does(rows: ResponseRows) -> None:
    await rows.put(1, response("resp_a", "item_1"))
    await rows.put(2, response("resp_a", "item_2"))
    assert await rows.get(1, "resp_a") == response("resp_a", "item_1")
    assert await rows.get(3, "resp_a") is None and await rows.get(1, "resp_b") is None
    assert await rows.item(1, "item_1") == {"id": "item_1", "said": "ö"}
    assert await rows.item(1, "out_resp_a") == {"id": "out_resp_a"}
    assert await rows.item(2, "item_1") is None and await rows.item(1, "item_2") is None


async def test_what_is_deleted_is_gone(rows: ResponseRows, books) -> None:
    await rows.put(1, response("resp_a", "item_1"))
    assert not await rows.delete(2, "resp_a")
    assert await rows.delete(1, "resp_a") and not await rows.delete(1, "resp_a")
    assert await rows.get(1, "resp_a") is None and await rows.item(1, "item_1") is None
    assert await books.one("SELECT count(*) FROM stored_item") == 0


async def test_it_is_gone_when_its_time_is_over_and_swept_by_the_next(rows: ResponseRows, books, clock: Clock) -> None:
    await rows.put(1, response("resp_a", "item_1"))
    clock.moment += (2 * DAY - 1) * 1000
    assert await rows.get(1, "resp_a") is not None
    clock.moment += 1000
    assert await rows.get(1, "resp_a") is None and await rows.item(1, "item_1") is None
    assert not await rows.delete(1, "resp_a")
    await rows.put(2, response("resp_b"))
    assert await books.one("SELECT count(*) FROM stored_response") == 1
    assert await books.one("SELECT count(*) FROM stored_item") == 1


async def test_the_oldest_of_a_key_give_way(rows: ResponseRows, clock: Clock) -> None:
    await rows.put(2, response("resp_other"))
    for number in range(5):
        clock.moment += 1000
        await rows.put(1, response(f"resp_{number}"))
    assert [await rows.get(1, f"resp_{number}") is not None for number in range(5)] == [False, False, True, True, True]
    assert await rows.get(2, "resp_other") is not None


async def test_an_item_in_two_responses_is_found(rows: ResponseRows) -> None:
    await rows.put(1, response("resp_a", "item_1"))
    await rows.put(1, response("resp_b", "item_1", "item_2"))
    assert await rows.item(1, "item_1") is not None and await rows.item(1, "item_2") is not None
