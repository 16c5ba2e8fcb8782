"""Answers on their way: smooth, whole, and kept however they end."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.visitor import Visitor
from tests.system.serving import Served, eventually

# Counts the page's own work in each task of its main thread: what a busy machine does between two frames is not ours.
_TRACE = {"categories": ["disabled-by-default-devtools.timeline", "devtools.timeline", "toplevel"]}


def longest(trace: bytes) -> float:
    """Milliseconds of processor time of the longest task of any page's main thread."""
    found = json.loads(trace)["traceEvents"]
    main = {
        (one["pid"], one["tid"]) for one in found
        if one.get("name") == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }  # fmt: skip
    tasks = [
        one["tdur"] / 1000 for one in found
        if one.get("ph") == "X" and "tdur" in one and (one["pid"], one["tid"]) in main
    ]  # fmt: skip
    assert tasks
    return max(tasks)


def begun(answer: Any) -> None:
    """More of it is there than its first word."""
    text = answer.locator("[data-markdown] p").first
    eventually(lambda: len(text.inner_text()) > 3, "it begins")


_FRAMES = """() => {
    window.frames_ = [];
    let before = performance.now();
    const step = (now) => { window.frames_.push(now - before); before = now; requestAnimationFrame(step); };
    requestAnimationFrame(step);
}"""


def test_two_thousand_tokens_arrive_smoothly_and_whole(browser: Any, visitor: Visitor) -> None:
    page = visitor.page
    visitor.enter()
    visitor.open("/chat")
    page.get_by_label("Message", exact=True).wait_for()
    visitor.ask("[[say: warm]]")  # what is read at the first answer is read now
    visitor.answered()
    page.evaluate(_FRAMES)
    page.wait_for_timeout(2_000)
    idle = max(page.evaluate("window.frames_.splice(0).slice(1)"))
    browser.start_tracing(page=page, **_TRACE)
    visitor.ask("[[stream: 2000 tokens at 200/s]]")
    answer = page.locator("article[aria-label^=Answer]").nth(1)
    answer.get_by_label("Receipt:").wait_for()
    worked = longest(browser.stop_tracing())
    frames = page.evaluate("window.frames_.slice(1)")
    assert re.search(r"2K out", answer.inner_text())
    assert len(answer.locator("[data-markdown] p").first.inner_text().split()) == 2000
    print(f"longest task {worked:.0f} ms; longest frame {max(frames):.0f} ms of {len(frames)}, idle {idle:.0f} ms")
    assert worked <= 100, f"a task of the page took {worked:.0f} ms of processor time"


def test_stopping_keeps_what_had_arrived(visitor: Visitor) -> None:
    visitor.expected = "404"  # its receipt is asked for before it is settled, and again
    visitor.enter()
    visitor.open("/chat")
    visitor.ask("[[stream: 2000 tokens at 50/s]]")
    answer = visitor.page.locator("article[aria-label^=Answer]").last
    begun(answer)
    visitor.page.get_by_role("button", name="Stop").click()
    answer.get_by_text("Stopped.").wait_for()
    assert len(answer.locator("[data-markdown] p").first.inner_text()) > 3


# Which of the two depends on whether the browser ends the stream or the page first.
CUT_OFF = re.compile("The page was left meanwhile|What had arrived is kept")


def test_a_page_that_is_left_keeps_what_had_arrived(visitor: Visitor) -> None:
    page = visitor.page
    visitor.enter()
    visitor.open("/chat")
    visitor.ask("[[stream: 2000 tokens at 50/s]]")
    begun(page.locator("article[aria-label^=Answer]").last)
    page.wait_for_url("**/chat/conv_*")
    page.reload()
    page.get_by_text(CUT_OFF).wait_for()
    kept = page.locator("[data-markdown] p").first.inner_text()
    assert len(kept) > 3
    eventually(lambda: page.evaluate("Object.keys(localStorage).filter(k => k.includes('unsent')).length") == 0, "sent")
    page.reload()
    page.get_by_text(CUT_OFF).wait_for()
    assert page.locator("[data-markdown] p").first.inner_text() == kept
    assert page.locator("article").count() == 2


@pytest.fixture
def own(app: None, tmp_path: Path) -> Served:
    return Served(tmp_path)


def test_a_server_that_stops_is_said_and_nothing_is_lost(browser: object, own: Served) -> None:
    own.environment["CONFLUX_LIMITS__GRACEFUL_SECONDS"] = "0"
    own.start()
    port = own.port
    visitor = Visitor(browser, own)
    visitor.expected = "ERR_|Failed to load"
    visitor.enter()
    visitor.open("/chat")
    page = visitor.page
    visitor.ask("[[stream: 2000 tokens at 50/s]]")
    answer = page.locator("article[aria-label^=Answer]").last
    begun(answer)
    own.process.kill()
    own.process.wait()
    answer.get_by_role("alert").wait_for()
    assert "lost" in answer.get_by_role("alert").inner_text()
    kept = answer.locator("[data-markdown] p").first.inner_text()
    assert len(kept) > 3
    page.get_by_text("Not kept on the gateway yet").wait_for()
    answer.get_by_role("button", name="Try again").click()
    page.get_by_role("region", name="Messages").get_by_text("The gateway does not answer").wait_for()
    page.get_by_label("The branch before").click()
    answer = page.locator("article[aria-label^=Answer]").last
    assert answer.locator("[data-markdown] p").first.inner_text() == kept
    own.process.stdout.close() if own.process.stdout else None
    own.start("--port", str(port))  # it comes back, and gets what it missed
    page.get_by_text("Not kept on the gateway yet").wait_for(state="detached")
    page.reload()
    page.get_by_label("The branch before").click()
    assert page.locator("article[aria-label^=Answer]").last.locator("[data-markdown] p").first.inner_text() == kept
    visitor.leave()
    own.stop()
