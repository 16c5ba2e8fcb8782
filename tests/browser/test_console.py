"""The console's journeys: what is changed there counts at once, here and over the API, and can be taken back."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.charging import charging
from tests.browser.conftest import people
from tests.browser.visitor import Visitor
from tests.system.serving import Served


@pytest.fixture(scope="module")
def served(app: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With a provider: what is asked is charged."""
    with charging(tmp_path_factory.mktemp("paid")) as running:
        people(running)
        yield running


def listed(served: Served, key: str) -> set[str]:
    return {one["id"] for one in served.get("/v1/models", key=key).json()["data"]}


def test_a_disabled_model_is_gone_everywhere_until_it_is_back(house: Visitor, served: Served) -> None:
    key, page = served.key(name="looking"), house.page
    house.open("/console/models")
    page.get_by_label("Search models").fill("acme/paid")
    page.get_by_label("Disable acme/paid").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    page.get_by_text("acme/paid is disabled").hover()  # what is pointed at does not go away
    assert "acme/paid" not in listed(served, key)
    assert served.chat(key, "hello", model="acme/paid").status == 404
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("It is as it was").wait_for()
    assert "acme/paid" in listed(served, key)
    served.ask("models.disable", storefront="conflux", id="acme/paid")
    house.open("/chat")
    page.get_by_label(re.compile("^Model:")).click()
    page.get_by_role("option").first.wait_for()
    assert page.get_by_role("option", name="acme/paid").count() == 0
    assert page.get_by_role("option", name="acme/other").count() == 1
    served.ask("models.enable", storefront="conflux", id="acme/paid")


def test_a_budget_that_is_used_up_says_so_in_the_chat(browser: object, house: Visitor, served: Served) -> None:
    page = house.page
    house.open("/console/budgets")
    page.get_by_role("button", name="Set a budget").click()
    page.get_by_role("combobox", name="For a").click()
    page.get_by_role("option", name="user").click()
    page.get_by_role("combobox", name="Which").click()
    page.get_by_role("option", name="acme/mia").click()
    page.get_by_label("Cap in USD").fill("0.00001")
    page.get_by_role("combobox", name="It counts").click()
    page.get_by_role("option", name="in all").click()
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_text("acme/mia has a budget of $0.00001").wait_for()
    mia = Visitor(browser, served)
    mia.expected = "402"
    mia.enter("mia")
    mia.open("/chat")
    mia.ask("[[say: too dear]]")
    trouble = mia.page.get_by_role("alert").filter(has_text="There is no money left for this")
    trouble.wait_for()
    assert "budget" in trouble.inner_text()
    page.get_by_role("button", name="Change the budget of user acme/mia").click()
    page.get_by_label("Cap in USD").fill("5")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_text("The budget is changed").wait_for()
    trouble.get_by_role("button", name="Try again").click()
    assert "too dear" in mia.answered().inner_text()
    mia.leave()


def test_what_the_preview_shows_is_the_keys_list(house: Visitor, served: Served) -> None:
    made = served.ask("keys.create", name="narrow", workspace="acme", user="mia", storefront="conflux")
    page = house.page
    house.open("/console/policies")
    page.get_by_role("button", name="Make a policy").click()
    page.get_by_role("combobox", name="Which").click()
    page.get_by_role("option", name="acme").click()
    page.get_by_label("Allow only").fill("acme/*, gpt-4o-mini")
    page.get_by_label("Deny").fill("acme/other")
    page.get_by_role("button", name="Make", exact=True).click()
    page.get_by_text("acme is narrowed from now on").wait_for()
    page.get_by_placeholder("Choose a key").click()
    page.get_by_role("option", name="narrow (acme/mia)").click()
    page.get_by_text(re.compile(r"^Sees \d+ of")).wait_for()
    shown = page.get_by_role("region", name="What the key sees")
    page.get_by_text("Not seen", exact=True).click()
    shown.get_by_text("yes", exact=True).first.wait_for(state="detached")
    rows = shown.locator("tbody tr")
    hidden = {row.split("\t")[0].strip() for row in rows.all_inner_texts()}
    assert all(len(row.split("\t")[2].strip()) > 3 for row in rows.all_inner_texts())  # each says why
    page.get_by_text("Seen", exact=True).click()
    shown.get_by_text("no", exact=True).first.wait_for(state="detached")
    seen = {row.split("\t")[0].strip() for row in rows.all_inner_texts()}
    assert seen == listed(served, made["key"])
    assert seen == {"acme/paid"} and "acme/other" in hidden
    page.get_by_label("Remove the policy of workspace acme").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    page.get_by_text("The policy is removed").hover()
    assert listed(served, made["key"]) != seen
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("It is as it was").wait_for()
    assert listed(served, made["key"]) == seen


def test_a_key_is_shown_once_works_and_is_revoked(house: Visitor, served: Served) -> None:
    page = house.page
    house.open("/console/keys")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("laptop")
    page.get_by_role("button", name="Make", exact=True).click()
    secret = page.get_by_test_id("secret").inner_text().strip()
    assert served.chat(secret, "hello", model="acme/paid").status == 200
    page.get_by_role("button", name="I have it").click()
    page.get_by_label("Revoke laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("laptop is revoked").wait_for()
    assert served.chat(secret, "hello", model="acme/paid").status == 401
    assert secret not in page.content()


def test_new_prices_are_a_version_and_old_receipts_stay(house: Visitor, served: Served) -> None:
    key, page = served.key(name="buyer"), house.page
    before = served.receipt(key, served.chat(key, "[[say: one]]", model="acme/paid"))
    house.open("/console/models")
    page.get_by_label("Search models").fill("acme/paid")
    page.get_by_label("Edit conflux acme/paid").click()
    page.get_by_role("tab", name="Prices").click()
    page.get_by_role("textbox", name="Output", exact=True).fill("20")
    page.get_by_role("button", name="Make a new version").click()
    page.get_by_text("The new prices count from now on").wait_for()
    after = served.receipt(key, served.chat(key, "[[say: one]]", model="acme/paid"))
    assert after["price_version"] != before["price_version"]
    assert float(after["cost_usd"]) > float(before["cost_usd"])
    assert served.settled(key, before["id"]) == before
    page.get_by_label("Edit conflux acme/paid").click()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name=re.compile("^Take back change-")).click()
    page.get_by_role("dialog", name="back?").get_by_role("button", name="Take back").click()
    page.get_by_text("is taken back").wait_for()
    again = served.receipt(key, served.chat(key, "[[say: one]]", model="acme/paid"))
    assert again["cost_usd"] == before["cost_usd"]


def test_weights_the_ledger_and_the_way_of_a_request(house: Visitor, served: Served) -> None:
    page = house.page
    house.open("/console/pools")
    page.get_by_label("Search pools").fill("paid")
    page.get_by_label("Change weights of paid").click()
    page.get_by_label("local/two/cloud").fill("7")
    page.get_by_role("button", name="Change", exact=True).click()
    page.locator("tbody[aria-label=paid]").get_by_role("cell", name="7", exact=True).wait_for()
    house.go("/console/ledger")
    page.get_by_role("button", name="Check every receipt").click()
    page.get_by_text("Everything adds up").wait_for()
    house.go("/console/requests")
    page.get_by_role("button", name="Explain").click()
    page.get_by_role("region", name="Candidates").wait_for()
    house.go("/console/audit")
    page.get_by_role("cell", name="catalogue.import").first.wait_for()


def test_credits_are_given_and_taken_back(house: Visitor, served: Served) -> None:
    page = house.page
    served.ask("workspaces.create", name="rich")
    house.open("/console/plans")
    page.get_by_role("button", name="Give credits").click()
    page.get_by_role("combobox", name="Workspace").click()
    page.get_by_role("option", name="rich").click()
    page.get_by_role("textbox", name="Credits", exact=True).fill("250")
    page.get_by_role("button", name="Give", exact=True).click()
    page.get_by_role("region", name="Balances").get_by_role("cell", name="rich").wait_for()
    page.get_by_label(re.compile("^Revoke grant_")).click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_role("region", name="Grants").get_by_text("revoked").wait_for()
    page.get_by_text("The grant is revoked").wait_for()


def test_hostile_names_are_text(house: Visitor, served: Served) -> None:
    opened: list[str] = []

    def shut(dialog: Any) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    house.page.on("dialog", shut)
    name = "<img src=x onerror=alert(1)> \u05d0\u05d1\u05d2 " + "W" * 120
    served.ask("keys.create", name=name, workspace="acme", user="mia")
    long = "L" * 90
    served.ask("workspaces.create", name=long)
    served.ask("users.create", workspace=long, name=long, role="member")
    admin = {"authorization": f"Bearer {served.admin_key}"}
    named = {"name": "N" * 190}
    assert served.call("PATCH", "/admin/api/v1/models/conflux/acme/other", named, headers=admin).status == 200
    for path, row in (("/catalogue", "N" * 190), ("/console/people", long), ("/console/keys", "W" * 120)):
        house.open(path)
        house.page.get_by_role("row").filter(has_text=row).first.wait_for()
        wide = "[...document.querySelectorAll('[role=region]')].filter(one => one.scrollWidth > one.clientWidth).length"
        assert house.page.evaluate(wide) == 0, f"{path}: columns are out of sight"
    for path in ("/console/keys", "/console/policies", "/console/audit"):
        house.open(path)
        if path == "/console/policies":
            house.page.get_by_placeholder("Choose a key").click()
            house.page.get_by_role("option", name="W" * 120).wait_for()
        else:
            house.page.get_by_role("row").filter(has_text="W" * 120).first.wait_for()
        assert house.page.locator("img").count() == 0
        assert house.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert opened == []


def test_a_new_price_leaves_the_others_as_they_are_and_can_begin_later(house: Visitor, served: Served) -> None:
    page = house.page

    def prices() -> Any:
        return served.get("/admin/api/v1/models/conflux/acme/other", key=served.admin_key).json()["prices"]

    def open_(tab: str) -> None:
        page.get_by_label("Edit conflux acme/other").click()
        page.get_by_role("tab", name=tab).click()

    house.open("/console/models")
    page.get_by_label("Search models").fill("acme/other")
    open_("Prices")
    page.get_by_role("textbox", name="Input", exact=True).fill("1.50")
    page.get_by_role("button", name="Make a new version").click()
    page.get_by_text("The new prices count from now on").wait_for()
    now = prices()
    assert {name: now[name] for name in ("input", "output", "audio", "image")} == {
        "input": "1.5", "output": "2", "audio": "32", "image": "0.04",
    }  # fmt: skip
    open_("Prices")
    page.get_by_role("textbox", name="Input", exact=True).fill("9")
    page.get_by_label("From", exact=True).fill("2037-01-02T03:04")
    page.get_by_role("button", name="Make a new version").click()
    page.get_by_text("The new prices count from 2 Jan 2037").wait_for()
    assert prices() == now
    open_("Versions")
    later = page.get_by_role("row").filter(has_text="later")
    assert "2037" in later.inner_text()
    later.get_by_role("button", name="Take back").click()
    page.get_by_role("dialog", name="back?").get_by_role("button", name="Take back").click()
    later.wait_for(state="detached")


def test_a_storefront_behaves_otherwise_from_the_next_request_on(house: Visitor, served: Served) -> None:
    page = house.page

    def now() -> Any:
        return served.get("/admin/api/v1/storefronts/tokenflux", key=served.admin_key).json()

    before = now()
    house.open("/console/storefronts")
    page.get_by_role("button", name="Edit TokenFlux").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Margin").fill("1.25")
    dialog.get_by_label("Browsers that may call it").fill("https://app.example.com")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_text("TokenFlux is changed").wait_for()
    after = now()
    assert (after["margin"], after["allowed_origins"]) == ("1.25", ["https://app.example.com"])
    same = ("name", "fallback", "prefer", "usage_cost", "strict_capabilities", "default_max_output")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    for tokens, left in (("8192", 8192), ("", None)):
        page.get_by_role("button", name="Edit TokenFlux").click()
        dialog.get_by_label("Longest answer").fill(tokens)
        dialog.get_by_role("button", name="Save").click()
        dialog.wait_for(state="detached")
        assert now()["default_max_output"] == left
