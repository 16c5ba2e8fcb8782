"""Conversations are kept on the gateway for their user: found, renamed, exported, deleted there, on any machine."""

import json
from pathlib import Path

from tests.browser.conftest import people
from tests.browser.visitor import Visitor
from tests.system.serving import Served, eventually


def test_kept_branched_found_renamed_exported_and_deleted(browser: object, served: Served) -> None:
    people(served)
    first = Visitor(browser, served)
    first.enter("ann")
    first.open("/chat")
    page = first.page
    first.ask("[[say: one]]")
    first.answered()
    page.get_by_label("Edit, as a new branch").click()
    page.get_by_label("Edit the question").fill("[[say: two]]")
    page.get_by_role("button", name="Ask in a new branch").click()
    page.locator("article", has_text="two").last.get_by_label("Receipt:").wait_for()
    page.get_by_label("The branch before").click()
    page.locator("article[aria-label^=Answer]", has_text="one").wait_for()
    page.get_by_label("Ask again").click()
    page.locator("article[aria-label^=Answer]").get_by_text("2/2").wait_for()
    first.answered()
    page.wait_for_url("**/chat/conv_*")
    address = page.url
    # An answer is kept once its price is shown: whoever closes the browser before may lose it.
    eventually(lambda: messages(first, address) == 5, "two questions, and three answers")
    first.leave()

    again = Visitor(browser, served)  # another browser of the same person
    again.enter("ann")
    page = again.page
    page.goto(address)
    page.locator("article[aria-label^=Answer]", has_text="one").wait_for()  # where something was said last
    page.get_by_label("The next branch").first.click()
    page.locator("article[aria-label^=Answer]", has_text="two").wait_for()
    page.get_by_label("More for [[say: one]]").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("New name").fill("Counting")
    page.keyboard.press("Enter")
    search = page.get_by_label("Search conversations")
    search.fill("nothing such")
    page.get_by_text("Nothing found").wait_for()
    search.fill("TWO")  # said within
    page.get_by_label("More for Counting").click()
    with page.expect_download() as loading:
        page.get_by_role("menuitem", name="Export as Markdown").click()
    text = Path(loading.value.path()).read_text()
    assert text.startswith("# Counting\n") and "two" in text
    page.get_by_label("More for Counting").click()
    with page.expect_download() as loading:
        page.get_by_role("menuitem", name="Export as JSON").click()
    assert {one["text"] for one in json.loads(Path(loading.value.path()).read_text())["nodes"].values()} >= {
        "one",
        "two",
    }

    nobody_else_sees(browser, served, address)
    page.get_by_label("More for Counting").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("Nothing found").wait_for()
    again.leave()


def messages(visitor: Visitor, address: str) -> int:
    path = "/admin/api/v1/conversations/" + address.rsplit("/", 1)[1]
    return len(visitor.context.request.get(visitor.served.address + path).json()["tree"])


def nobody_else_sees(browser: object, served: Served, address: str) -> None:
    other = Visitor(browser, served)
    other.expected = "404"
    other.enter("olga")
    other.page.goto(address)
    other.page.get_by_text("This conversation is not here").wait_for()
    assert other.page.get_by_label("More for Counting").count() == 0
    other.leave()
