"""Every page, light and dark, at a desk and on a phone: axe-core finds nothing serious, nothing sticks out, and the
keyboard alone is enough."""

import pytest

from tests.browser.conftest import people
from tests.browser.test_roles import CONSOLE
from tests.browser.visitor import Visitor
from tests.system.serving import Served, eventually

PAGES = {
    "/catalogue": "table",
    "/catalogue/conflux/claude-sonnet": "h2",
    "/usage": ".u-over",
    "/account": "h2:text-is('Signed in')",
    # Its own heading: until a page is there, the one before is.
    **{path: f"h1:text-is('{title}')" for path, (title, _) in CONSOLE.items()},
    "/console/nowhere-at-all": "h2:text-is('There is no such page')",
}
SAID = "[[think: hm]] [[say: # Head\n\n`code` and [link](https://example.com)\n\n```python\nx = 1  # one\n```\n]]"


_MENU = """() => {
    const place = document.querySelector('nav[aria-label=Console] [aria-current=page]').getBoundingClientRect();
    return place.left >= 0 && place.right <= innerWidth;
}"""


@pytest.fixture(scope="module")
def furnished(served: Served) -> Served:
    people(served)
    served.ask("policies.set", workspace="acme", terms={"allow": ["conflux/*"], "requests_per_minute": 60})
    served.ask("budgets.set", workspace="acme", user="mia", usd="5", window="month")
    served.ask("budgets.set", workspace="default", usd="50", window="day")
    served.ask("credits.grant", workspace="acme", credits="100")
    served.ask("models.disable", id="conflux/kimi-k2.6")
    return served


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_serious_finding_on_any_page(browser: object, furnished: Served, scheme: str, width: int) -> None:
    visitor = Visitor(browser, furnished, scheme=scheme, width=width)
    page = visitor.page
    visitor.open("/signin")
    page.locator("form").wait_for()
    found = {"/signin": visitor.findings()}
    visitor.enter()
    visitor.open("/chat")
    visitor.ask(SAID)
    visitor.answered()
    found["a conversation"] = visitor.findings()
    for path, mark in PAGES.items():
        visitor.go(path)
        page.locator(mark).first.wait_for()
        eventually(lambda: page.locator("main [role=status][aria-label^=Loading]").count() == 0, "it is loaded")
        found[path] = visitor.findings()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert visitor.cut() == [], path
        assert "Invalid" not in page.locator("main").inner_text(), path
        if path in CONSOLE:
            eventually(lambda: page.evaluate(_MENU), f"{path} is in sight in the menu")
    visitor.go("/console/policies")
    page.get_by_role("button", name="Make a policy").click()
    page.get_by_role("dialog").wait_for()
    found["a dialog"] = visitor.findings()
    page.keyboard.press("Escape")
    visitor.go("/console/changes")
    page.get_by_role("button", name="Import rows").click()
    page.get_by_role("dialog").wait_for()
    found["a file"] = visitor.findings()
    assert visitor.cut() == []
    visitor.leave()
    said = [f"{path}: {one}" for path, all_of in found.items() for one in all_of]
    assert not said, "\n".join(said)


def test_the_keyboard_is_enough(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/signin")
    page.get_by_placeholder("cf_live_…").focus()
    page.keyboard.type(visitor.served.admin_key)
    page.keyboard.press("Enter")
    page.get_by_label("Message", exact=True).wait_for()
    page.keyboard.type("[[say: by hand]]")  # the box has the focus
    page.keyboard.press("Enter")
    visitor.answered()
    page.get_by_label("Model: ").focus()
    page.keyboard.press("Enter")
    page.locator("input[aria-label='Search models']:focus").wait_for()
    page.keyboard.type("gpt-4o-mini")
    eventually(lambda: page.get_by_role("option").count() == 1, "the others are filtered out")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_label("Model: GPT-4o mini").or_(page.get_by_label("Model: gpt-4o-mini")).wait_for()
    visitor.open("/console/keys")
    page.get_by_role("heading", level=1, name="Keys").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.get_by_role("button", name="Make a key").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.locator("button:focus", has_text="Make a key").wait_for()
