"""Twin of stores/answers.py: on both databases, a name is taken with the hold and answered with the settlement."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conflux.neutral.errors import GatewayError, Kind, StoreError
from conflux.neutral.ledger import Ending, Kept, Once
from conflux.stores.answers import AnswerRows, kept_answers
from conflux.stores.conversations import Box
from tests.stores.books import DAY, NOON, Clock, ending, order

NAME, BODY, OTHER = b"n" * 32, b"b" * 32, b"o" * 32


def sealed_for(place: str, text: bytes) -> bytes:
    return place.encode() + b"|" + text[::-1]


def opened_for(place: str, text: bytes) -> bytes:
    assert text.startswith(place.encode() + b"|")
    return text[len(place) + 1 :][::-1]


@pytest.fixture
def rows(ledger, clock: Clock) -> AnswerRows:
    found = kept_answers(ledger, Box(sealed_for, opened_for), keep_hours=24, most_bytes=9, now=clock)
    assert found is not None and (found.seconds, found.most_bytes) == (DAY, 9)
    return found


def once(name: bytes = NAME, body: bytes = BODY, moment: float = NOON) -> Once:
    return Once(name=name, body=body, expires=int(moment) + DAY)


def asking(name: bytes = NAME, body: bytes = BODY, moment: float = NOON) -> Any:
    return order(10, moment=moment, once=once(name, body, moment))


def answered(made: Any, sealed: bytes | None = b"sealed", how: Ending = Ending.DONE) -> Any:
    return ending(made.request_id, 7, how, kept=Kept(name=made.once.name, sealed=sealed))


async def refused(ledger, made: Any) -> GatewayError:
    with pytest.raises(GatewayError) as error:
        await ledger.reserve(made)
    return error.value


def test_kept_for_no_time_is_not_kept() -> None:
    assert kept_answers(None, None, keep_hours=0, most_bytes=1) is None  # type: ignore[arg-type]


async def test_a_name_is_under_way_then_answered(ledger, rows: AnswerRows, books) -> None:
    assert await rows.find(NAME) is None
    first = asking()
    await ledger.reserve(first)
    found = await rows.find(NAME)
    assert found is not None and (found.body, found.sealed, found.request_id) == (BODY, None, first.request_id)
    error = await refused(ledger, asking())
    assert (error.kind, error.retry_after) == (Kind.CONFLICT, 1)
    assert (await refused(ledger, asking(body=OTHER))).kind is Kind.MISMATCH
    await ledger.settle(answered(first))
    found = await rows.find(NAME)
    assert found is not None and (found.sealed, found.cost) == (b"sealed", 7)
    assert (await refused(ledger, asking())).kind is Kind.CONFLICT
    assert (await refused(ledger, asking(body=OTHER))).kind is Kind.MISMATCH
    assert await books.one("SELECT count(*) FROM request") == 1
    assert books.clean()


async def test_what_ended_without_an_answer_frees_its_name_for_any_body(ledger, rows: AnswerRows) -> None:
    for how in (Ending.FAILED, Ending.CUT, Ending.CANCELLED):
        made = asking()
        await ledger.reserve(made)
        await ledger.settle(answered(made, None, how))
        assert await rows.find(NAME) is None
    await ledger.reserve(asking(body=OTHER))


async def test_who_cannot_pay_takes_no_name(ledger, rows: AnswerRows) -> None:
    await ledger.set_budget("key", 1, "total", 5)
    assert (await refused(ledger, asking())).kind is Kind.PAYMENT_REQUIRED
    assert await rows.find(NAME) is None
    await ledger.reserve(order(5, once=once()))
    assert await rows.find(NAME) is not None


async def test_after_its_time_a_name_is_free_and_an_answer_gone(ledger, rows: AnswerRows, clock: Clock) -> None:
    first = asking()
    await ledger.reserve(first)
    await ledger.settle(answered(first))
    clock.moment = NOON + DAY - 1
    assert await rows.find(NAME) is not None
    clock.moment = NOON + DAY
    assert await rows.find(NAME) is None
    await ledger.reserve(asking(body=OTHER, moment=clock.moment))
    found = await rows.find(NAME)
    assert found is not None and found.sealed is None, "the old answer is not the new one's"


async def test_a_request_that_takes_longer_than_answers_are_kept_is_still_under_way(ledger, clock: Clock) -> None:
    await ledger.reserve(asking())
    clock.moment = NOON + 2 * DAY
    assert (await refused(ledger, asking(moment=clock.moment))).kind is Kind.CONFLICT


async def test_a_crash_frees_the_name(books, rows: AnswerRows, clock: Clock) -> None:
    await books.ledger.reserve(asking())
    await books.reopen()
    # What was open is ended by the recovery: until then the name is under way.
    again = kept_answers(books.ledger, Box(sealed_for, opened_for), keep_hours=24, most_bytes=9, now=clock)
    assert again is not None and await again.find(NAME) is not None
    await books.ledger.recover()
    assert await again.find(NAME) is None
    await books.ledger.reserve(asking(body=OTHER))


async def test_an_answer_that_was_withheld_is_not_kept(books, rows: AnswerRows) -> None:
    """The disk failed while it was settled: it is free, so it is not told again either."""
    ledger = books.ledger
    made = asking()
    await ledger.reserve(made)
    ledger._book.lost(ledger._book.settle, answered(made))
    (late,) = ledger._book.owed()
    assert await ledger.settle(late) == 0
    assert await rows.find(NAME) is None


async def test_of_two_at_once_one_is_let_in(ledger) -> None:
    done = await asyncio.gather(*(ledger.reserve(asking()) for _ in range(20)), return_exceptions=True)
    assert done.count(None) == 1
    assert {one.kind for one in done if isinstance(one, GatewayError)} == {Kind.CONFLICT}


async def test_an_empty_answer_says_that_it_was_too_large(ledger, rows: AnswerRows) -> None:
    made = asking()
    await ledger.reserve(made)
    await ledger.settle(answered(made, b""))
    found = await rows.find(NAME)
    assert found is not None and found.sealed == b""


async def test_sealed_for_its_name(rows: AnswerRows) -> None:
    sealed = rows.seal(NAME, b"text")
    assert b"text" not in sealed and rows.open(NAME, sealed) == b"text"
    with pytest.raises(AssertionError):
        rows.open(OTHER, sealed)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(st.tuples(st.sampled_from([b"k1", b"k2"]), st.sampled_from([BODY, OTHER]), st.booleans()),
                     min_size=2, max_size=12))  # fmt: skip
async def test_however_they_come_together_each_name_is_charged_once(books, clock: Clock, plan: Any) -> None:
    """Concurrent tries of two names with two bodies, of which some fail: one charge for each name that was answered."""
    ledger = books.ledger
    clock.moment += 2 * DAY  # names of the example before are over
    start = await books.one("SELECT coalesce(sum(cost), 0) FROM request")
    charged: dict[bytes, int] = {}

    async def attempt(name: bytes, body: bytes, good: bool) -> None:
        for _ in range(50):
            made = asking(name.ljust(32), body, clock.moment)
            try:
                await ledger.reserve(made)
            except GatewayError as error:
                if error.kind is Kind.MISMATCH or charged.get(name):
                    return
                await asyncio.sleep(0)
                continue
            await asyncio.sleep(0)
            if good:
                await ledger.settle(answered(made))
                charged[name] = charged.get(name, 0) + 1
            else:
                await ledger.settle(ending(made.request_id, 0, Ending.FAILED, kept=Kept(name=made.once.name)))
                return

    await asyncio.gather(*(attempt(*one) for one in plan))
    assert all(count == 1 for count in charged.values())
    end = await books.one("SELECT coalesce(sum(cost), 0) FROM request")
    assert end - start == 7 * len(charged)


async def test_two_processes_let_one_in(books, clock: Clock) -> None:
    if books.url is None:
        return  # of SQLite there is one process
    from conflux.stores.postgres_ledger import PostgresLedger

    other = await PostgresLedger.open(books.url, clock)
    try:
        for number in range(20):
            name = bytes([number]) * 32
            done = await asyncio.gather(
                *(one.reserve(asking(name)) for one in (books.ledger, other) * 3), return_exceptions=True
            )
            assert done.count(None) == 1, done
            assert not any(isinstance(one, StoreError) for one in done)
    finally:
        await other.aclose()
