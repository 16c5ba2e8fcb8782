"""A double click does once what a click does."""

from collections.abc import Iterator

import pytest

from tests.browser.charging import charging
from tests.browser.visitor import Visitor
from tests.system.serving import Served


@pytest.fixture(scope="module")
def served(app: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with charging(tmp_path_factory.mktemp("twice")) as running:
        yield running


@pytest.fixture
def sent(visitor: Visitor) -> list[str]:
    """What the page asked the gateway to change."""
    found: list[str] = []
    visitor.enter()
    visitor.page.on("request", lambda one: found.append(one.url) if one.method != "GET" else None)
    return found


def counted(sent: list[str], visitor: Visitor, path: str) -> int:
    visitor.page.wait_for_load_state("networkidle")
    return sum(one.endswith(path) for one in sent)


def test_credits_are_given_once(visitor: Visitor, sent: list[str]) -> None:
    page = visitor.page
    visitor.open("/console/plans")
    page.get_by_role("button", name="Give credits").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Workspace").click()
    page.get_by_role("option", name="default").click()
    dialog.get_by_role("textbox", name="Credits", exact=True).fill("7")
    dialog.get_by_role("button", name="Give").dblclick(delay=5)
    page.get_by_text("7 credits more").wait_for()
    dialog.wait_for(state="detached")
    assert counted(sent, visitor, "/grants") == 1
    page.get_by_role("button", name="Give credits").click()
    assert page.get_by_role("dialog").get_by_role("button", name="Give").is_enabled()


def test_a_key_is_made_once(visitor: Visitor, sent: list[str]) -> None:
    page = visitor.page
    visitor.open("/console/keys")
    page.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("once")
    dialog.get_by_role("button", name="Make", exact=True).dblclick()
    secret = page.get_by_test_id("secret")
    secret.wait_for()
    page.mouse.click(5, 5)  # beside it, as the second click is where the answer comes between the two
    page.wait_for_timeout(500)
    assert secret.is_visible(), "it is shown this once"
    assert counted(sent, visitor, "/keys") == 1
    dialog.get_by_role("button", name="I have it").click()
    dialog.wait_for(state="detached")


def test_what_is_asked_about_first_is_done_once(visitor: Visitor, sent: list[str]) -> None:
    visitor.open("/console/ledger")
    visitor.page.get_by_role("button", name="Make the sums anew").click()
    visitor.page.get_by_role("dialog").get_by_role("button", name="Make the sums anew").dblclick()
    visitor.page.get_by_text("The sums are made anew").wait_for()
    assert counted(sent, visitor, "/rebuild") == 1


def test_rows_are_taken_over_once(visitor: Visitor, sent: list[str]) -> None:
    page = visitor.page
    visitor.open("/console/changes")
    page.get_by_role("button", name="Import rows").click()
    text = b"storefront,id,context,pool\nconflux,acme/twice,128000,paid\n"
    page.locator("input[type=file]").set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": text})
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("It reads well").wait_for()
    dialog.get_by_role("button", name="Take it over").dblclick()
    page.get_by_text("t.csv counts from now on").wait_for()
    assert counted(sent, visitor, "/import") == 2, "one look, one taking over"
