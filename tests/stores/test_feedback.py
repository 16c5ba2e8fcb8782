"""Twin of stores/feedback.py: one word per receipt, and sums that are always those of the words; on both databases."""

from typing import Any

import pytest

from conflux.neutral.records import Feedback
from conflux.routing.opinions import FULL, Subject, Sum
from conflux.stores.feedback import FeedbackRows
from tests.stores.books import Clock

ABOUT = Subject("shop", "shop/one", "code_gen", False)


def said(request_id: int = 1, score: int = FULL, **fields: Any) -> Feedback:
    base: dict[str, Any] = {"key_id": 1, "storefront": "shop", "model": "shop/one", "task": "code_gen",
                            "simulated": False, "comment": "ö"}  # fmt: skip
    return Feedback(request_id=request_id, score=score, **base | fields)


@pytest.fixture
def rows(ledger, clock: Clock) -> FeedbackRows:
    return FeedbackRows(ledger, lambda: clock.moment / 1000)


async def test_the_same_word_twice_counts_once_and_another_replaces_it(rows: FeedbackRows, books) -> None:
    assert await rows.give(said()) and not await rows.give(said())
    assert await rows.sums() == {ABOUT: Sum(1, FULL)}
    assert await rows.give(said(score=-FULL)) and await rows.give(said(score=-FULL, comment="more"))
    assert await rows.sums() == {ABOUT: Sum(1, -FULL)}
    assert await books.one("SELECT count(*) FROM feedback") == 1


async def test_sums_are_by_model_task_and_kind_and_survive_a_restart(rows: FeedbackRows, books) -> None:
    await rows.give(said(1, 250_000))
    await rows.give(said(2, 500_000))
    await rows.give(said(3, -1, task=""))
    await rows.give(said(4, 7, simulated=True))
    await rows.give(said(5, 9, model="shop/two"))
    expected = {
        ABOUT: Sum(2, 750_000), ABOUT._replace(task=""): Sum(1, -1), ABOUT._replace(simulated=True): Sum(1, 7),
        ABOUT._replace(model="shop/two"): Sum(1, 9),
    }  # fmt: skip
    assert await rows.sums() == expected
    assert await FeedbackRows(await books.reopen()).sums() == expected
