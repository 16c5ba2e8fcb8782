from typing import NamedTuple

from conflux.faces.key_view import key_view, no_dues
from conflux.neutral.plans import Plan, PlanStanding, PlanWindow
from conflux.neutral.records import Caller, Storefront


class Budget(NamedTuple):
    scope: str
    window: str
    spent: int
    held: int
    cap: int | None
    resets: int | None


class Held(NamedTuple):
    rest: int
    held: int
    active: bool


CALLER = Caller(key_id=1, name="k", storefront="s", workspace_id=1, workspace="w", user_id=1, user="u")
FRONT = Storefront(id="s", name="S", mount="/")
WINDOW = PlanWindow(seconds=18_000, requests=5)
PLAN = Plan(id="p", name="P", storefront="s", windows=(WINDOW,))


def test_what_pays_and_when_it_begins_anew():
    standing = PlanStanding(window=WINDOW, requests=2, tokens=9, frees=1500)
    budget = Budget("key", "day", 10**9, 0, 3 * 10**9, 86_400_000)
    found = key_view(CALLER, FRONT, [budget], Held(5_000_000, 1_500_000, True), PLAN, [standing])
    assert found["credits"] == {"balance": "5", "held": "1.5", "left": "3.5"}
    assert found["plan"]["windows"] == [
        {"window": "5 hours", "requests": 2, "requests_limit": 5, "tokens": 9, "tokens_limit": None,
         "frees_at": "1970-01-01T00:00:02Z"}
    ]  # fmt: skip
    (shown,) = found["budgets"]
    assert (shown["left_usd"], shown["resets_at"]) == ("2", "1970-01-02T00:00:00Z")


async def test_who_pays_with_money_alone():
    found = key_view(CALLER, FRONT, [], *(await no_dues(CALLER, None))[:1], None, [])
    assert found["credits"] is None and found["plan"] is None
    assert key_view(CALLER, FRONT, [], Held(0, 0, False), None, [])["credits"] is None
