"""Twin of stores/retention.py: on both databases, what is over goes and the money stays."""

from typing import Any

import pytest

from conflux.neutral.ledger import Kept, Once
from conflux.neutral.ports import StoredResponse
from conflux.neutral.records import Feedback
from conflux.stores.feedback import FeedbackRows
from conflux.stores.responses import ResponseRows
from conflux.stores.retention import DAY, PIECE, Keeps, Retention
from tests.stores.books import NOON, Clock, ending, full_ending, order

TAGS = {"team": "red"}


class Rested:
    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def retention(ledger, clock: Clock) -> Retention:
    return Retention(ledger, Keeps(receipt_days=30, comment_days=10), clock)


async def settled(ledger, moment: float = NOON, **rest: Any) -> Any:
    made = order(1000, moment=moment, tags=TAGS, **rest)
    await ledger.reserve(made)
    await ledger.settle(full_ending(made.request_id))
    return made


async def due(retention: Retention) -> dict[str, int]:
    return {one.kind: one.due for one in await retention.standing()}


async def test_the_parts_of_old_receipts_go_and_every_sum_stays(ledger, retention: Retention, books, clock) -> None:
    old, young = await settled(ledger), await settled(ledger, NOON + 10 * DAY)
    await settled(ledger, simulated=True)
    free = order(1000, tags=TAGS)
    await ledger.reserve(free)
    await ledger.settle(ending(free.request_id, 0, calls=full_ending(1).calls))
    before = await ledger.receipt(old.request_id)
    clock.moment = NOON + 30 * DAY
    assert (await due(retention))["receipts"] == 0, "not before its time"
    clock.moment += 1
    assert (await due(retention))["receipts"] == 3
    rested = Rested()
    assert (await retention.sweep(rested))["receipts"] == 3 and rested.times == 1
    after = await ledger.receipt(old.request_id)
    assert after.calls == () and after.dropped == ()
    assert [(line.bucket, line.amount) for line in after.lines] == [("retired", 90)]
    assert (after.cost, after.usage, after.credits, after.price_version) == (
        before.cost, before.usage, before.credits, before.price_version)  # fmt: skip
    assert (await ledger.receipt(free.request_id)).lines == ()
    assert (await ledger.receipt(young.request_id)).calls
    assert await ledger.rebuild() == 0, "tags are still summed"
    assert books.clean()
    assert (await due(retention))["receipts"] == 0
    assert (await retention.sweep(rested))["receipts"] == 0


async def test_words_of_feedback_go_and_their_scores_stay(ledger, retention: Retention, books, clock) -> None:
    rows = FeedbackRows(ledger, clock)
    said = Feedback(
        request_id=5, key_id=1, storefront="s", model="m", task="", score=1, comment="very", simulated=False
    )
    await rows.give(said)
    clock.moment = NOON + 10 * DAY + 1
    assert (await due(retention))["comments"] == 1
    assert (await retention.sweep(Rested()))["comments"] == 1
    assert tuple(await books.one("SELECT score, comment FROM feedback")) == (1, "")
    assert [one.voices for one in (await rows.sums()).values()] == [1]
    assert (await due(retention))["comments"] == 0


async def test_answers_and_responses_end_when_they_were_told_to(ledger, retention: Retention, books, clock) -> None:
    for name, seconds in ((b"a" * 32, 100), (b"b" * 32, 200), (b"c" * 32, 100)):
        made = order(10, once=Once(name=name, body=b"x", expires=NOON + seconds))
        await ledger.reserve(made)
        if name != b"c" * 32:  # is under way, however long it takes
            await ledger.settle(ending(made.request_id, 1, kept=Kept(name=name, sealed=b"s")))
    responses = ResponseRows(ledger, days=1, most_bytes=10, most_per_key=10, now=clock)
    await responses.put(1, StoredResponse([{"id": "i"}], {"id": "r", "output": []}))
    clock.moment = NOON + 99
    assert await due(retention) == {"answers": 0, "responses": 0, "receipts": 0, "comments": 0}
    clock.moment = NOON + 100
    assert (await retention.sweep(Rested()))["answers"] == 1
    assert await books.one("SELECT count(*) FROM kept_answer") == 2
    clock.moment = NOON + DAY
    assert (await retention.sweep(Rested())) == {"answers": 1, "responses": 1, "receipts": 0, "comments": 0}
    assert await books.one("SELECT count(*) FROM stored_item") == 0


async def test_it_goes_in_small_pieces_and_rests(ledger, retention: Retention, books, clock) -> None:
    for number in range(2 * PIECE + 5):
        made = order(10, once=Once(name=number.to_bytes(32), body=b"x", expires=NOON))
        await ledger.reserve(made)
        await ledger.settle(ending(made.request_id, 1, kept=Kept(name=number.to_bytes(32), sealed=b"s")))
    rested = Rested()
    assert (await retention.sweep(rested))["answers"] == 2 * PIECE + 5
    assert rested.times == 3


async def test_where_all_is_kept_nothing_is_over(ledger, clock: Clock) -> None:
    await settled(ledger)
    clock.moment = NOON + 10_000 * DAY
    kept = Retention(ledger, Keeps(), clock)
    assert [(one.kind, one.days, one.due) for one in await kept.standing()] == [
        ("answers", None, 0), ("comments", 0, 0), ("receipts", 0, 0), ("responses", None, 0)]  # fmt: skip
    assert await kept.sweep(Rested()) == {"answers": 0, "responses": 0}


async def test_a_sweep_is_told_to_nobody(ledger, retention: Retention, books, clock) -> None:
    """Budgets and keys are as they were: other processes need not read them again."""
    if books.url is None:
        return
    await settled(ledger)
    changes = await books.one("SELECT changes FROM common")
    clock.moment = NOON + 31 * DAY
    assert (await retention.sweep(Rested()))["receipts"] == 1
    assert await books.one("SELECT changes FROM common") == changes
