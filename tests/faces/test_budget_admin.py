"""Budgets, set by an admin."""

from pathlib import Path
from typing import Any

import pytest

from conflux.neutral.errors import ConfigError
from tests.faces.admins import office


async def test_a_budget_is_set_shown_and_taken_away(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        done = await admin.do("budgets.set", workspace="default", window="month", usd="100.5")
        assert done == {"kind": "workspace", "owner": "default", "window": "month", "cap_usd": "100.5"}
        (row,) = (await admin.do("budgets.list"))["budgets"]
        resets = row.pop("resets_at")
        assert row == {"kind": "workspace", "owner": "default", "window": "month", "cap_usd": "100.5",
                       "spent_usd": "0", "held_usd": "0", "left_usd": "100.5"}  # fmt: skip
        assert resets.endswith("-01T00:00:00Z")
        await admin.do("budgets.set", workspace="default", window="month", usd=None)
        assert (await admin.do("budgets.list"))["budgets"] == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"usd": "1"}, "say whose"),
        ({"workspace": "default"}, "usd"),
        ({"workspace": "default", "usd": "much"}, "--usd"),
        ({"workspace": "default", "usd": "-1"}, "--usd"),
        ({"workspace": "default", "usd": "1", "window": "hour"}, "hour"),
        ({"workspace": "nobody", "usd": "1"}, "nobody"),
        ({"storefront": "nowhere", "usd": "1"}, "no storefront 'nowhere'; there are shop"),
        ({"storefront": "shop", "workspace": "default", "usd": "1"}, "not both"),
    ],
)
async def test_mistakes_are_told(tmp_path: Path, params: dict[str, Any], words: str) -> None:
    async with office(tmp_path) as admin:
        with pytest.raises(ConfigError, match=words):
            await admin.do("budgets.set", **params)


async def test_a_storefronts_budget_is_set_shown_and_taken_away(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        done = await admin.do("budgets.set", storefront="shop", window="day", usd="7")
        assert done == {"kind": "storefront", "owner": "shop", "window": "day", "cap_usd": "7"}
        (row,) = (await admin.do("budgets.list"))["budgets"]
        assert (row["kind"], row["owner"], row["left_usd"]) == ("storefront", "shop", "7")
        await admin.do("budgets.set", storefront="shop", window="day", usd=None)
        assert (await admin.do("budgets.list"))["budgets"] == []
