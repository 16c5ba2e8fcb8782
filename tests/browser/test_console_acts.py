"""What the console does once and for all, it asks about first: refunds, deletions, rows from a file. And what it only
shows: the configuration in force."""

from collections.abc import Iterator

import pytest

from tests.browser.charging import charging
from tests.browser.conftest import people
from tests.browser.visitor import Visitor
from tests.system.serving import Served


@pytest.fixture(scope="module")
def served(app: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with charging(tmp_path_factory.mktemp("acts")) as running:
        people(running)
        yield running


def paid(served: Served, **whose: str) -> str:
    """A receipt's id."""
    answer = served.chat(served.key(name="paying", **whose), "hello", model="acme/paid")
    assert answer.status == 200
    return answer.headers["x-request-id"]


def refunded(served: Served, receipt: str) -> tuple[str, str]:
    found = served.get(f"/admin/api/v1/receipts/{receipt}", key=served.admin_key).json()
    return found["cost_usd"], found["refunded_usd"]


def test_a_receipt_is_given_back_in_part_or_in_whole_and_once(house: Visitor, served: Served) -> None:
    page = house.page
    part, whole = paid(served), paid(served)
    house.open(f"/usage/{part}")
    page.get_by_role("button", name="Refund").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("A part").check()
    assert house.findings() == []
    dialog.get_by_label("How much, in USD").fill("1000")
    dialog.get_by_role("button", name="Give it back").click()
    house.expected = "400"
    dialog.get_by_role("alert").wait_for()
    assert refunded(served, part)[1] == "0", "more than was paid"
    dialog.get_by_label("How much, in USD").fill("0.000001")
    dialog.get_by_label("Why").fill("it was slow")
    dialog.get_by_role("button", name="Give it back").click()
    page.get_by_text("$0.000001 given back").wait_for()
    page.get_by_role("button", name="Refund").wait_for(state="detached")
    page.get_by_role("link", name="All usage").click()
    page.get_by_role("region", name="Requests").get_by_text("$0.000001 given back").wait_for()
    house.open(f"/usage/{whole}")
    page.get_by_role("button", name="Refund").click()
    page.get_by_role("dialog").get_by_role("button", name="Give it back").click()
    page.get_by_text("It is given back", exact=True).wait_for()
    assert len(set(refunded(served, whole))) == 1, "all of it"


def test_who_may_not_refund_is_not_offered_it(browser: object, served: Served) -> None:
    receipt = paid(served, workspace="acme", user="mia")
    visitor = Visitor(browser, served)
    visitor.enter("olga")
    visitor.open(f"/usage/{receipt}")
    visitor.page.get_by_role("heading", name="Line by line").wait_for()
    assert visitor.page.get_by_role("button", name="Refund").count() == 0
    visitor.leave()


def test_a_user_and_a_workspace_are_deleted(house: Visitor, served: Served) -> None:
    page = house.page
    served.ask("workspaces.create", name="short")
    for name in ("tim", "tom"):
        served.ask("users.create", workspace="short", name=name, role="member")
    house.open("/console/people")
    page.get_by_label("Delete tim").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert house.findings() == []
    assert "cannot be brought back" in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    assert served.ask("users.show", workspace="short", name="tim")["name"] == "tim"
    page.get_by_label("Delete tim").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_label("Delete tim").wait_for(state="detached")
    page.get_by_label("Delete the workspace short").click()
    # The workspaces are read anew by themselves.
    page.get_by_role("dialog").get_by_text("Its user goes with it").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_label("Delete the workspace short").wait_for(state="detached")
    assert page.get_by_label("Delete the workspace default").count() == 0
    assert "short" not in {one["name"] for one in served.ask("workspaces.list")["workspaces"]}


def test_what_keys_belong_to_is_not_deleted(house: Visitor, served: Served) -> None:
    page = house.page
    served.key(name="hers", workspace="acme", user="mia")
    house.expected = "400"
    house.open("/console/people")
    page.get_by_label("Delete mia").click()
    assert "will be refused" in page.get_by_role("dialog").inner_text()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("so it stays").wait_for()
    assert served.ask("users.show", workspace="acme", name="mia")["name"] == "mia"


def test_rows_are_looked_at_before_they_are_taken_over(house: Visitor, served: Served) -> None:
    page = house.page
    key = served.key(name="looking")

    def names() -> set[str]:
        return {one["id"] for one in served.get("/v1/models", key=key).json()["data"]}

    house.open("/console/changes")
    page.get_by_role("button", name="Import rows").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("button", name="Take it over").is_disabled()
    house.expected = "400"
    _choose(house, "models.csv", "storefront,id,price\n")
    dialog.get_by_role("alert").wait_for()
    _choose(house, "models.csv", "storefront,id,context,pool\nconflux,acme/brought,128000,paid\n")
    dialog.get_by_text("It reads well: 1 model").wait_for()
    assert "acme/brought" in dialog.get_by_role("region", name="What it says").inner_text()
    assert dialog.get_by_role("alert").count() == 0
    assert "acme/brought" not in names()
    dialog.get_by_role("button", name="Take it over").click()
    page.get_by_text("models.csv counts from now on").wait_for()
    assert "acme/brought" in names()


def test_a_file_is_utf8_or_not_read_and_may_be_mended(house: Visitor) -> None:
    house.open("/console/changes")
    house.page.get_by_role("button", name="Import rows").click()
    dialog = house.page.get_by_role("dialog")
    line = "storefront,id,name,context,pool\nconflux,acme/cafe,Café,128000,paid\n"
    _choose(house, "cafe.csv", line, "latin-1")
    dialog.get_by_text("is not written in UTF-8").wait_for()
    _choose(house, "cafe.csv", line)
    dialog.get_by_text("It reads well: 1 model").wait_for()
    assert "Caf\\u00e9" in dialog.get_by_role("region", name="What it says").inner_text()


def test_what_nobody_could_undo_is_not_offered(house: Visitor, served: Served) -> None:
    page = house.page
    house.open("/console/people")
    page.get_by_label("Switch off the workspace acme", exact=True).wait_for()
    page.get_by_label("Switch off mia", exact=True).wait_for()
    assert page.get_by_label("Switch off the workspace default").count() == 0
    assert page.get_by_label("Switch off default", exact=True).count() == 0
    house.open("/console/keys")
    page.get_by_label("Revoke admin").first.click()
    assert "the key that you are signed in with" in page.get_by_role("dialog").inner_text()


def test_a_cleared_price_is_charged_no_more_and_a_version_is_asked_for_before_it_goes(
    house: Visitor, served: Served
) -> None:
    page = house.page

    house.open("/console/models")
    page.get_by_label("Edit conflux acme/other").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Prices").click()
    dialog.get_by_label("Audio").fill("")
    dialog.get_by_role("tab", name="Versions").click()
    dialog.get_by_role("table").wait_for()
    dialog.get_by_role("tab", name="Prices").click()
    assert dialog.get_by_label("Audio").input_value() == "", "what was typed stays"
    with page.expect_request(lambda one: one.method == "PATCH") as asked:
        dialog.get_by_role("button", name="Make a new version").click()
    assert asked.value.post_data_json["prices"] == {"input": "1", "output": "2", "image": "0.04"}
    page.get_by_text("The new prices count from now on").wait_for()
    page.get_by_label("Edit conflux acme/other").click()
    dialog.get_by_role("tab", name="Versions").click()
    dialog.get_by_role("button", name="Take back").click()
    page.get_by_role("dialog", name="back?").get_by_role("button", name="Take back").click()
    page.get_by_text("is taken back").wait_for()
    prices = served.get("/admin/api/v1/models/conflux/acme/other", key=served.admin_key).json()["prices"]
    assert prices["audio"] == "32"


def _choose(visitor: Visitor, name: str, text: str, encoding: str = "utf-8") -> None:
    file = {"name": name, "mimeType": "text/csv", "buffer": text.encode(encoding)}
    visitor.page.locator("input[type=file]").set_input_files(file)


def test_the_configuration_in_force(house: Visitor, served: Served) -> None:
    page = house.page
    house.open("/console/config")
    general = page.get_by_role("region", name="General")
    general.get_by_text("CONFLUX_PORT", exact=True).wait_for()
    row = general.get_by_role("row").filter(has_text="CONFLUX_DATABASE_URL")
    assert "not set" in row.inner_text()
    assert page.get_by_role("region", name="web").get_by_text("CONFLUX_WEB__CONVERSATIONS").count() == 1
    assert served.admin_key not in page.content()
