"""What a question costs at most is the same before it is sent and when it is held: the gateway's own plan says both."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.browser.charging import charging
from tests.browser.visitor import Visitor
from tests.system.serving import Served, eventually

_MOST = re.compile(r"at most (\$0\.\d+)")


@pytest.fixture(scope="module")
def served(app: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with charging(tmp_path_factory.mktemp("flux")) as running:
        yield running


def test_the_price_beside_send_is_the_one_that_is_held(visitor: Visitor) -> None:
    visitor.enter()
    visitor.open("/chat")
    page = visitor.page
    page.get_by_label("How to answer").get_by_text("Flux").click()
    beside = page.locator("form").get_by_text("for quick work use Direct").locator("xpath=..")

    def most() -> str | None:
        found = _MOST.search(beside.inner_text())
        return found[1] if found else None

    eventually(lambda: most() is not None, "the price of a short question")
    short = most()
    page.get_by_label("Message", exact=True).fill("Which is the best tea? [[say: Green.]] " + "and why? " * 2_000)
    eventually(lambda: most() not in (None, short), "the price of a long question")
    long = most()
    page.get_by_label("Send").click()
    page.get_by_text(f"the whole panel at most {long}").wait_for()
    visitor.answered()


def test_the_price_of_one_model_holds_with_the_storefronts_longest_answer(visitor: Visitor, served: Served) -> None:
    visitor.enter()
    answer = visitor.context.request.patch(
        served.address + "/admin/api/v1/storefronts/conflux",
        data={"default_max_output": 8192},
        headers={"authorization": f"Bearer {served.admin_key}"},
    )
    assert answer.status == 200, answer.text()
    visitor.open("/chat")
    beside = visitor.page.locator("form").get_by_text("at most")
    beside.wait_for()
    # 8,192 tokens of answer at 2 USD a million, and the question.
    assert Decimal("0.016384") < Decimal(beside.inner_text().removeprefix("at most $")) < Decimal("0.03")
