"""Long work in the console: it is begun, watched, and what came of it is shown, also to who comes later."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.charging import charging
from tests.browser.visitor import Visitor
from tests.system.serving import Served, eventually


@pytest.fixture(scope="module")
def served(app: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with charging(tmp_path_factory.mktemp("kept")) as running:
        key = running.key(name="busy")
        for said in ("one", "two", "three"):
            assert running.chat(key, said, model="acme/paid").status == 200
        yield running


def upstream_ids(served: Served) -> list[str]:
    def get(path: str) -> Any:
        return served.get("/admin/api/v1" + path, key=served.admin_key).json()

    rows = [get(f"/receipts/{one['id']}") for one in get("/receipts")["data"]]
    return [call["upstream_id"] for row in rows for call in row["calls"]]


def test_an_invoice_is_held_against_the_ledger(house: Visitor, served: Served) -> None:
    page = house.page
    known = upstream_ids(served)
    house.open("/console/ledger")
    page.get_by_role("button", name="Compare an invoice").click()
    page.get_by_role("combobox", name="Provider").click()
    page.get_by_role("option", name="local", exact=True).click()
    lines = "".join(f"{one},0\n" for one in known[1:])
    page.locator("input[type=file]").set_input_files(
        {"name": "november.csv", "mimeType": "text/csv", "buffer": f"id,cost\n{lines}never-asked,0.5\n".encode()}
    )
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("2 lines do not agree").wait_for()
    found = page.get_by_role("region", name="Differences")
    assert "never-asked" in found.get_by_role("row").filter(has_text="not in the ledger").inner_text()
    assert known[0] in found.get_by_role("row").filter(has_text="not on the invoice").inner_text()


def test_work_that_fails_says_why(house: Visitor) -> None:
    page = house.page
    house.open("/console/ledger")
    page.get_by_role("button", name="Compare an invoice").click()
    page.get_by_role("combobox", name="Provider").click()
    page.get_by_role("option", name="Anthropic", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "november.csv", "mimeType": "text/csv", "buffer": b"id,cost\na,1\n"}
    )
    page.get_by_role("button", name="Compare", exact=True).click()
    said = page.get_by_role("alert").filter(has_text="It failed")
    said.wait_for()
    assert "knows of no call" in said.inner_text()


def test_a_backup_and_the_sweep_and_what_was_done(house: Visitor, served: Served) -> None:
    page = house.page
    house.open("/console/upkeep")
    page.get_by_text("There is no backup yet").wait_for()
    page.get_by_role("button", name="Back up now").click()
    page.get_by_role("region", name="Backups").get_by_role("cell", name="conflux-").wait_for()
    assert [one.suffix for one in (served.data / "backups").iterdir()] == [".tar"]
    page.get_by_role("button", name="Remove it now").click()
    assert "cannot be brought back" in page.get_by_role("dialog").inner_text()
    page.get_by_role("dialog").get_by_role("button", name="Remove it now").click()
    page.get_by_role("cell", name="Removal of what is over").wait_for()
    page.reload()
    page.get_by_role("region", name="Long work").get_by_role("row").filter(has_text="Backup").get_by_text(
        "done"
    ).wait_for()


def test_the_targets_of_a_model_are_asked(house: Visitor) -> None:
    page = house.page
    house.open("/console/models")
    page.get_by_label("Search models").fill("acme/paid")
    page.get_by_label("Edit conflux acme/paid").click()
    page.get_by_role("tab", name="Probes").click()
    page.get_by_text("Its targets were not asked yet").wait_for()
    page.get_by_role("button", name="Ask its targets").click()
    found = page.get_by_role("region", name="Probes")
    found.get_by_role("row").filter(has_text="local/one/cloud").first.wait_for()
    page.get_by_text("Something was found that the catalogue says otherwise").wait_for()


def test_targets_over_time(house: Visitor) -> None:
    page = house.page
    house.open("/console/pools?q=paid")
    page.get_by_role("link", name="paid over time").click()
    page.get_by_role("img", name="calls by target over time").wait_for()
    table = page.get_by_role("region", name="Targets")
    eventually(lambda: "local/one/cloud" in table.inner_text(), "what was called")
    page.get_by_text("Share", exact=True).first.click()
    page.get_by_role("img", name="share by target over time").wait_for()
    table.get_by_role("link", name="paid").first.click()
    page.locator("tbody[aria-label=paid]").wait_for()


def test_how_long_answers_took_and_why_one_went_where_it_went(house: Visitor) -> None:
    page = house.page
    house.open("/usage")
    page.get_by_text("Time taken", exact=True).click()
    page.get_by_role("img", name="latency by day and model").wait_for()
    row = page.get_by_role("region", name="Usage by model").get_by_role("row").filter(has_text="acme/paid")
    eventually(lambda: " ms" in row.inner_text() or " s" in row.inner_text(), "how long it took")
    page.get_by_role("radio", name="User").locator("xpath=..").click()
    page.get_by_role("region", name="Usage by user").get_by_text("default").wait_for()
    page.get_by_role("region", name="Requests").get_by_role("link").first.click()
    page.get_by_text("The model was asked for by its own name.").wait_for()
    page.get_by_text("It was answered to the end").wait_for()
