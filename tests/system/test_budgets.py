"""Each scope's budget by each window, set on the command line, holds against real requests."""

import json

import pytest

from tests.system.serving import Served

WINDOWS = ("total", "day", "week", "month")


def ask(real: Served, key: str) -> tuple[int, str | None]:
    answer = real.chat(key, "Hello [[say: x]]", model="acme/good")
    return answer.status, answer.headers.get("retry-after")


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("scope", ["key", "user", "workspace", "storefront"])
def test_a_cap_is_set_holds_and_is_taken_away(real: Served, scope: str, window: str) -> None:
    place = f"{scope}-{window}"
    made = real.ask("keys.create", name="x", workspace=place, user="ann")
    whose = {
        "key": ["--key", made["id"]],
        "user": ["--workspace", place, "--user", "ann"],
        "workspace": ["--workspace", place],
        "storefront": ["--storefront", "conflux"],
    }[scope]
    assert ask(real, made["key"]) == (200, None)
    try:
        ended = real.run("budgets", "set", *whose, "--window", window, "--usd", "0.000000001")
        assert ended.returncode == 0, ended.stderr
        status, wait = ask(real, made["key"])
        assert status == (402 if window == "total" else 429)
        assert (wait is None) is (window == "total")
        rows = json.loads(real.run("budgets", "list", "--json").stdout)["budgets"]
        assert [row["window"] for row in rows if row["kind"] == scope and row["cap_usd"] == "0.000000001"] == [window]
    finally:
        real.run("budgets", "set", *whose, "--window", window, "--no-cap")
    assert ask(real, made["key"]) == (200, None)


def test_a_refund_is_on_the_receipt_in_the_budget_and_in_the_sums(real: Served) -> None:
    made = real.ask("keys.create", name="x", workspace="refunds", budget_usd="1")
    answer = real.chat(made["key"], "Hello [[say: x]]", model="acme/good")
    cost = real.receipt(made["key"], answer)["cost_usd"]
    number = answer.headers["x-request-id"]
    ended = real.run("ledger", "refund", number, "--note", "sorry", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"id": number, "cost_usd": cost, "refunded_usd": cost}
    assert real.receipt(made["key"], answer)["refunded_usd"] == cost
    assert real.spent(made["key"]) == []
    assert real.get("/v1/usage?group_by=", key=made["key"]).json()["total"]["cost_usd"] == "0"
    again = real.run("ledger", "refund", number)
    assert again.returncode == 2 and "once" in again.stderr
