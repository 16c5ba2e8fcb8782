"""Every page, light and dark, at a desk and on a phone: axe-core finds nothing serious, and nothing sticks out."""

import pytest

from tests.browser.visitor import Visitor
from tests.system.serving import Served

PAGES = {
    "/chat": "textarea",
    "/catalogue": "table",
    "/catalogue/conflux/claude-sonnet": "h2",
    "/usage": "h1",
    "/console": "h1",
    "/console/nowhere-at-all": "h2",
}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_serious_finding_on_any_page(browser: object, served: Served, scheme: str, width: int) -> None:
    visitor = Visitor(browser, served, scheme=scheme, width=width)
    visitor.expected = "404"
    visitor.open("/signin")
    visitor.page.locator("form").wait_for()
    found = {"/signin": visitor.findings()}
    visitor.sign_in()
    visitor.ask(
        "[[think: hm]] [[say: # Head\n\n`code` and [link](https://example.com)\n\n```python\nx = 1  # one\n```\n]]"
    )
    visitor.answered()
    found["a conversation"] = visitor.findings()
    for path, mark in PAGES.items():
        visitor.open(path)
        visitor.page.locator(mark).first.wait_for()
        visitor.page.wait_for_load_state("networkidle")
        found[path] = visitor.findings()
        assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    visitor.leave()
    said = [f"{path}: {one}" for path, all_of in found.items() for one in all_of]
    assert not said, "\n".join(said)
