"""The journeys: from the printed key to an answer and its receipt, and what may happen on the way."""

import re
from typing import Any

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
    assert cost == "not charged"
    page.get_by_role("link", name="Usage", exact=True).click()
    page.get_by_role("heading", name="By model").wait_for()
    page.locator(".u-over").wait_for()
    page.get_by_role("link", name="Chat").click()
    page.get_by_role("link", name="[[think").click()
    page.locator("strong", has_text="Paris").wait_for()


def test_flux_shows_its_sources_and_what_each_cost(visitor: Visitor) -> None:
    visitor.enter()
    visitor.open("/chat")
    page = visitor.page
    page.get_by_label("How to answer").get_by_text("Flux").click()
    page.get_by_text("for quick work use Direct").wait_for()
    page.get_by_text("nothing: the simulator answers").wait_for()
    visitor.ask("Which is the best tea? [[say: Green.]]")
    answer = visitor.answered()
    sources = answer.get_by_role("region", name="Sources")
    # Two drafts are enough; on a busy machine the third may come too late.
    assert sources.get_by_text("done").count() >= 2
    answer.get_by_label("Receipt:").click()
    calls = page.get_by_role("region", name="Calls")
    calls.wait_for()
    assert calls.get_by_role("cell", name="source", exact=True).count() == 3
    assert calls.get_by_role("cell", name="fuser", exact=True).count() == 1


def test_several_models_side_by_side(visitor: Visitor) -> None:
    visitor.sign_in()
    page = visitor.page
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_label("Search models").last.fill("gpt-4o-mini")
    eventually(lambda: page.get_by_role("option").count() == 1, "the others are filtered out")
    page.get_by_role("option").click()
    visitor.ask("[[say: both]]")
    page.get_by_label("Receipt:").nth(1).wait_for()
    assert page.locator("article[aria-label^=Answer]").count() == 2
    second = page.get_by_role("button", name=re.compile("on with this one")).nth(1)
    assert second.inner_text() == "Go on with this one"
    second.click()
    eventually(lambda: second.inner_text() == "Goes on with this one", "it is chosen")
    assert page.get_by_role("button", name="Goes on with this one").count() == 1


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


def test_an_address_nobody_knows(visitor: Visitor, served: Served) -> None:
    visitor.expected = "404"
    page = visitor.page
    for path in ("/nonsense", "/nonsense/far/down", "/console/nonsense"):
        answer = page.goto(served.address + path)
        assert answer.status == 404, path
        if path.startswith("/console"):
            page.get_by_role("heading", name="Sign in to Conflux").wait_for()
            continue
        page.get_by_role("heading", name="There is no such page").wait_for()
        assert visitor.findings() == []
    assert served.get("/nonsense").json()["error"]["message"] == "there is nothing at /nonsense"
    page.goto(served.address + "/nonsense")
    page.get_by_role("link", name="To the start", exact=True).click()
    page.get_by_role("heading", name="Sign in to Conflux").wait_for()
    for path in ("/", "/signin", "/chat", "/chat/some", "/usage/req_1", "/catalogue", "/catalogue/a/b/c", "/account"):
        assert page.request.get(served.address + path, headers={"accept": "text/html"}).status == 200, path


def test_a_model_that_goes_while_it_is_chosen_is_told_at_once(visitor: Visitor, served: Served) -> None:
    visitor.sign_in()
    page = visitor.page
    page.get_by_label(re.compile("^Model:")).click()
    page.get_by_label("Search models").first.fill("gpt-4o-mini")
    eventually(lambda: page.get_by_role("option").count() == 1, "the others are filtered out")
    page.get_by_role("option").click()
    page.get_by_label(re.compile("^Model: GPT-4o mini", re.IGNORECASE)).wait_for()
    visitor.expected = "404"
    served.ask("models.disable", storefront="conflux", id="gpt-4o-mini")
    try:
        visitor.ask("[[say: anybody]]")
        page.get_by_text(re.compile("gpt-4o-mini is not open to you any more: .+ is asked now")).wait_for()
        page.get_by_role("article").get_by_role("button", name="Try again").click()
        assert "anybody" in visitor.answered().inner_text()
    finally:
        served.ask("models.enable", storefront="conflux", id="gpt-4o-mini")


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


def test_the_script_of_the_first_page_is_small(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.open("/chat")
    visitor.page.get_by_label("Message", exact=True).wait_for()
    sizes = visitor.page.evaluate(
        "performance.getEntriesByType('resource').filter(one => one.name.endsWith('.js'))"
        ".map(one => [one.name.split('/').pop(), one.encodedBodySize])"
    )
    assert sizes
    assert sum(size for _, size in sizes) <= 245_000, sizes


def test_the_first_page_is_ready_within_a_second(browser: Any, visitor: Visitor) -> None:
    """Of the page's own processor time: how long a busy machine lets it wait says nothing of it. Shown beside it."""
    visitor.enter()
    took = []
    for _ in range(3):
        page = visitor.context.new_page()
        tools = visitor.context.new_cdp_session(page)
        tools.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(visitor.served.address + "/chat")
        page.get_by_label("Message", exact=True).wait_for()
        waited = page.evaluate("performance.now()")
        found = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
        took.append((float(found["TaskDuration"]), waited / 1000))
        page.close()
    worked, waited = min(one for one, _ in took), min(one for _, one in took)
    print(f"ready after {waited:.2f} s, of which the page worked {worked:.2f} s")
    assert 0 < worked <= 1


def test_no_address_outside_is_in_what_is_shipped() -> None:
    index = (STATIC / "index.html").read_text()
    assert "://" not in index
    assert [path.name for path in STATIC.rglob("*.css") if re.search(r"url\(['\"]?https?:", path.read_text())] == []
