"""Every page for every role: what somebody may see is there, and what they may not says so without asking for it."""

import pytest

from tests.browser.conftest import people
from tests.browser.visitor import SECRET, Visitor
from tests.house.tree import ROOT
from tests.system.serving import Served, eventually

# What stands above each page of the console; True: for the house alone.
CONSOLE = {
    "/console": ("Console", False),
    "/console/requests": ("Requests", False),
    "/console/storefronts": ("Storefronts", True),
    "/console/models": ("Models", True),
    "/console/pools": ("Pools", True),
    "/console/targets": ("Targets", True),
    "/console/providers": ("Providers", True),
    "/console/changes": ("Catalogue changes", True),
    "/console/people": ("People", False),
    "/console/keys": ("Keys", False),
    "/console/policies": ("Policies", False),
    "/console/budgets": ("Budgets", False),
    "/console/plans": ("Plans & credits", False),
    "/console/ledger": ("Ledger", True),
    "/console/upkeep": ("Upkeep", True),
    "/console/config": ("Configuration", True),
    "/console/audit": ("Audit log", False),
}
OPEN = {"/catalogue": "Catalogue", "/usage": "Usage", "/account": "Account"}


def test_no_page_of_the_console_is_left_out() -> None:
    found = {path.name.split(".")[1] for path in (ROOT / "ui" / "src" / "routes").glob("console.*.tsx")} - {"tsx"}
    assert found == {path.removeprefix("/console").strip("/") or "index" for path in CONSOLE}


@pytest.fixture(scope="module")
def acme(served: Served) -> Served:
    people(served)
    served.ask("policies.set", workspace="acme", terms={"allow": ["conflux/*"]})
    served.ask("budgets.set", workspace="acme", usd="100", window="month")
    return served


@pytest.mark.parametrize("user", [None, "olga", "ann", "mia"], ids=["house", "owner", "admin", "member"])
def test_every_page(browser: object, acme: Served, user: str | None) -> None:
    visitor = Visitor(browser, acme)
    visitor.enter(user)
    visitor.open("/chat")
    page = visitor.page
    page.get_by_label("Message", exact=True).wait_for()
    assert page.get_by_role("link", name="Console", exact=True).count() == (0 if user == "mia" else 1)
    for path, title in OPEN.items():
        visitor.go(path)
        page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
    for path, (title, house) in CONSOLE.items():
        if user == "mia" or (house and user is not None):
            visitor.go("/account")  # what is not open says the same on every page
            page.get_by_role("heading", level=1, name="Account", exact=True).wait_for()
            visitor.go(path)
            page.get_by_role("heading", name="This is not open to you").wait_for()
            assert page.get_by_role("heading", level=1).count() == 0
        else:
            visitor.go(path)
            page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
            eventually(lambda: page.locator("main [role=status][aria-label^=Loading]").count() == 0, "it is loaded")
        assert page.get_by_text("That did not work").count() == 0, path
    visitor.leave()


def test_nobody_is_taken_to_the_door_and_back(browser: object, acme: Served) -> None:
    visitor = Visitor(browser, acme)
    visitor.open("/console/budgets")
    visitor.page.get_by_role("heading", name="Sign in to Conflux").wait_for()
    visitor.page.get_by_placeholder("cf_live_…").fill(acme.admin_key)
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("heading", level=1, name="Budgets").wait_for()
    visitor.leave()


def test_a_member_changes_the_password_and_sees_where_they_are_signed_in(browser: object, acme: Served) -> None:
    acme.ask("users.create", workspace="acme", name="max", role="member")
    acme.ask("users.password", workspace="acme", name="max", password=SECRET)
    elsewhere, here = Visitor(browser, acme), Visitor(browser, acme)
    elsewhere.enter("max")
    elsewhere.open("/usage")
    elsewhere.page.get_by_text("Nothing used yet").wait_for()
    here.enter("max")
    page = here.page
    here.open("/account")
    sessions = page.get_by_role("region", name="Sessions").locator("tbody tr")
    eventually(lambda: sessions.count() == 2, "both browsers")
    page.get_by_role("button", name="Change the password").click()
    dialog = page.get_by_role("dialog")
    here.expected = "40[03]"  # it is not the old one
    for name, said in (("old", "wrong wrong wrong"), ("new", SECRET + "!"), ("again", SECRET + "!")):
        dialog.locator(f"input[name={name}]").fill(said)
    dialog.get_by_role("button", name="Change", exact=True).click()
    dialog.get_by_role("alert").wait_for()
    dialog.locator("input[name=old]").fill(SECRET)
    dialog.get_by_role("button", name="Change", exact=True).click()
    page.get_by_text("The password is changed").wait_for()
    eventually(lambda: sessions.count() == 1, "the other is signed out")
    elsewhere.expected = "401"
    elsewhere.page.get_by_role("combobox", name="Period").click()
    elsewhere.page.get_by_role("option", name="Last 7 days").click()
    elsewhere.page.get_by_role("button", name="Sign in again").click()
    elsewhere.page.get_by_role("heading", name="Sign in to Conflux").wait_for()
    elsewhere.page.get_by_text("Name and password").click()
    elsewhere.page.get_by_label("Workspace").fill("acme")
    elsewhere.page.get_by_label("User").fill("max")
    elsewhere.page.locator("input[type=password]").fill(SECRET + "!")
    elsewhere.page.keyboard.press("Enter")
    elsewhere.page.get_by_role("heading", level=1, name="Usage").wait_for()
    here.leave()
    elsewhere.leave()


def test_a_member_sees_and_revokes_keys_of_their_own(browser: object, acme: Served) -> None:
    acme.ask("users.create", workspace="acme", name="kim", role="member")
    acme.ask("users.password", workspace="acme", name="kim", password=SECRET)
    own, other = (
        acme.key(name="laptop", workspace="acme", user="kim"),
        acme.key(name="hers", workspace="acme", user="mia"),
    )
    visitor = Visitor(browser, acme)
    visitor.enter("kim")
    visitor.open("/account")
    keys = visitor.page.get_by_role("region", name="Your keys")
    keys.get_by_role("cell", name="laptop", exact=True).wait_for()
    assert "hers" not in keys.inner_text()
    assert visitor.findings() == []
    keys.get_by_label("Revoke laptop").click()
    visitor.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    visitor.page.get_by_text("laptop is revoked").wait_for()
    keys.get_by_role("cell", name="laptop", exact=True).wait_for(state="detached")
    assert [acme.get("/v1/key", key=one).status for one in (own, other)] == [401, 200]
    visitor.leave()


def test_a_password_is_taken_as_it_is_typed(browser: object, acme: Served) -> None:
    visitor = Visitor(browser, acme)
    visitor.enter()
    visitor.open("/console/people")
    page = visitor.page
    page.get_by_role("button", name="Add a user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Workspace").fill("acme")
    dialog.get_by_role("textbox", name="Name", exact=True).fill("pia")
    dialog.locator("input[name=password]").fill("  two before, one after ")
    dialog.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("pia is added").wait_for()
    who = {"workspace": "acme", "user": "pia", "password": "  two before, one after "}
    answer = visitor.context.request.post(acme.address + "/admin/api/v1/session", data=who)
    assert answer.status == 201, answer.text()
    visitor.leave()


def test_somebody_else_signs_in_in_another_tab(browser: object, acme: Served) -> None:
    visitor = Visitor(browser, acme)
    visitor.enter()
    visitor.open("/console/people")
    page = visitor.page
    page.get_by_role("button", name="Add a workspace").wait_for()
    visitor.enter("olga")
    visitor.expected = "403"
    page.get_by_role("button", name="Add a workspace").click()
    page.get_by_role("dialog").get_by_label("Name").fill("hers")
    page.get_by_role("dialog").get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("This page is not signed in any more").wait_for()
    page.get_by_text("Somebody signed in in another tab").wait_for()
    page.get_by_role("button", name="Load this page anew").click()
    page.get_by_role("cell", name="mia", exact=True).wait_for()
    assert page.get_by_role("button", name="Add a workspace").count() == 0
    visitor.leave()


def test_who_is_signed_in_is_not_asked_at_the_door(browser: object, acme: Served) -> None:
    visitor = Visitor(browser, acme)
    visitor.enter("mia")
    visitor.open("/signin")
    visitor.page.get_by_label("Message", exact=True).wait_for()
    visitor.leave()
