"""The journeys: from the printed key to an answer and its receipt, and what may happen on the way."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.visitor import Visitor
from tests.house.tree import ROOT
from tests.system.serving import Served, eventually

STATIC = ROOT / "src" / "conflux" / "faces" / "static"


def test_from_the_printed_key_to_an_answer_and_what_it_cost(visitor: Visitor) -> None:
    visitor.open("/")
    page = visitor.page
    page.wait_for_url("**/signin")
    visitor.sign_in()
    visitor.ask("[[think: a moment]] [[say: **Paris** is `it`.]]")
    answer = visitor.answered()
    assert answer.locator("strong").inner_text() == "Paris"
    assert answer.get_by_text("simulated").is_visible()
    answer.get_by_text("Thoughts").click()
    answer.get_by_text("a moment").wait_for()
    cost = answer.get_by_label("Receipt:").inner_text().strip()
    answer.get_by_label("Receipt:").click()
    page.wait_for_url("**/usage/req_*")
    page.get_by_role("heading", name="Line by line").wait_for()
    assert re.match(r"\$0\.0", cost)
    page.get_by_role("link", name="Usage", exact=True).click()
    page.get_by_role("heading", name="By model").wait_for()
    page.locator(".u-over").wait_for()
    page.get_by_role("link", name="Chat").click()
    page.get_by_role("link", name="[[think").click()
    page.locator("strong", has_text="Paris").wait_for()


def test_branches_renaming_search_and_deleting(visitor: Visitor) -> None:
    visitor.sign_in()
    page = visitor.page
    visitor.ask("[[say: one]]")
    visitor.answered()
    page.get_by_label("Edit, as a new branch").click()
    page.get_by_label("Edit the question").fill("[[say: two]]")
    page.get_by_role("button", name="Ask in a new branch").click()
    page.locator("article", has_text="two").last.get_by_label("Receipt:").wait_for()
    page.get_by_label("The branch before").click()
    page.locator("article[aria-label^=Answer]", has_text="one").wait_for()
    visitor.page.get_by_label("Ask again").click()
    page.locator("article[aria-label^=Answer]").get_by_text("2/2").wait_for()
    visitor.answered()
    page.reload()
    page.get_by_label("More for [[say: one]]").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("New name").fill("Counting")
    page.keyboard.press("Enter")
    page.get_by_label("Search conversations").fill("nothing such")
    page.get_by_text("Nothing found").wait_for()
    page.get_by_label("Search conversations").fill("count")
    page.get_by_label("More for Counting").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("Nothing found").wait_for()


def test_several_models_side_by_side(visitor: Visitor) -> None:
    visitor.sign_in()
    page = visitor.page
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_label("Search models").last.fill("gpt-4o-mini")
    page.get_by_role("option").first.click()
    visitor.ask("[[say: both]]")
    page.get_by_label("Receipt:").nth(1).wait_for()
    assert page.locator("article[aria-label^=Answer]").count() == 2
    page.get_by_role("button", name="Go on with this one").click()
    assert page.get_by_role("button", name="Goes on with this one").count() == 1


def test_stopping_keeps_what_had_arrived(visitor: Visitor) -> None:
    visitor.expected = "404"  # its receipt is asked for before it is settled, and again
    visitor.sign_in()
    visitor.ask("[[stream: 2000 tokens at 50/s]]")
    answer = visitor.page.locator("article[aria-label^=Answer]").last
    answer.locator("[data-markdown] p").first.wait_for()
    visitor.page.get_by_role("button", name="Stop").click()
    answer.get_by_text("Stopped.").wait_for()
    assert len(answer.locator("[data-markdown] p").first.inner_text()) > 3


def test_a_disabled_model_leaves_the_selector(visitor: Visitor, served: Served) -> None:
    visitor.sign_in()
    served.ask("models.disable", storefront="conflux", id="claude-sonnet")
    try:
        visitor.open("/chat")
        visitor.page.get_by_label(re.compile("^Model:")).click()
        visitor.page.get_by_role("option").first.wait_for()
        assert visitor.page.get_by_role("option", name="claude-sonnet").count() == 0
        visitor.open("/catalogue/conflux/claude-sonnet")
        visitor.page.get_by_text("Disabled", exact=True).wait_for()
    finally:
        served.ask("models.enable", storefront="conflux", id="claude-sonnet")


HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script> [x](javascript:alert(3)) \u202eabc " + "W" * 300


def test_hostile_text_is_text(visitor: Visitor) -> None:
    opened: list[str] = []

    def shut(dialog: Any) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    visitor.page.on("dialog", shut)
    visitor.sign_in()
    visitor.ask(f"[[say: {HOSTILE}]]")
    answer = visitor.answered()
    assert "<script>alert(2)</script>" in answer.inner_text()
    assert visitor.page.locator("article img, article script, article a[href^=javascript]").count() == 0
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert opened == []


def test_two_thousand_tokens_arrive_smoothly(visitor: Visitor) -> None:
    """What counts is the work of the page's own thread: how long a frame takes on a busy machine says nothing of it."""
    visitor.sign_in()
    tools = visitor.context.new_cdp_session(visitor.page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        found = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
        return float(found["TaskDuration"])

    visitor.page.evaluate("""() => {
        window.paints = 0;
        new MutationObserver(() => window.paints++).observe(document.querySelector('main'),
            {subtree: true, childList: true, characterData: true});
    }""")
    before = busy()
    visitor.ask("[[stream: 2000 tokens at 200/s]]")
    visitor.page.get_by_label("Receipt:").wait_for(timeout=60_000)
    spent = busy() - before
    answer = visitor.page.locator("article[aria-label^=Answer]")
    assert re.search(r"2K out", answer.inner_text())
    assert len(answer.locator("[data-markdown] p").first.inner_text().split()) == 2000
    assert 0 < spent / visitor.page.evaluate("window.paints") < 0.1  # seconds of each painting


def test_the_script_of_the_first_page_is_small(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.open("/chat")
    visitor.page.get_by_label("Message", exact=True).wait_for()
    sizes = visitor.page.evaluate(
        "performance.getEntriesByType('resource').filter(one => one.name.endsWith('.js'))"
        ".map(one => [one.name.split('/').pop(), one.encodedBodySize])"
    )
    assert sizes
    assert sum(size for _, size in sizes) <= 250_000, sizes


def test_no_address_outside_is_in_what_is_shipped() -> None:
    index = (STATIC / "index.html").read_text()
    assert "://" not in index
    assert [path.name for path in STATIC.rglob("*.css") if re.search(r"url\(['\"]?https?:", path.read_text())] == []


@pytest.fixture
def own(app: None, tmp_path: Path) -> Served:
    return Served(tmp_path)


def test_a_server_that_stops_is_said_and_nothing_is_lost(browser: object, own: Served) -> None:
    own.environment["CONFLUX_LIMITS__GRACEFUL_SECONDS"] = "0"
    own.start()
    visitor = Visitor(browser, own)
    visitor.expected = "ERR_|Failed to load"
    visitor.sign_in()
    visitor.ask("[[stream: 2000 tokens at 50/s]]")
    answer = visitor.page.locator("article[aria-label^=Answer]").last
    answer.locator("[data-markdown] p").first.wait_for()
    own.process.kill()
    own.process.wait()
    answer.get_by_role("alert").wait_for()
    assert "lost" in answer.get_by_role("alert").inner_text()
    kept = answer.locator("[data-markdown] p").first.inner_text()
    assert len(kept) > 3
    eventually(lambda: answer.get_by_role("button", name="Try again").is_visible(), "retry is offered")
    answer.get_by_role("button", name="Try again").click()
    visitor.page.get_by_text("The gateway does not answer").wait_for()
    visitor.page.get_by_label("The branch before").click()
    assert (
        visitor.page.locator("article[aria-label^=Answer]").last.locator("[data-markdown] p").first.inner_text() == kept
    )
    visitor.leave()
    own.process.stdout.close() if own.process.stdout else None
