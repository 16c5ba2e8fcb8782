"""Credits and plans, given by an admin."""

from pathlib import Path

import pytest

from conflux.neutral.errors import ConfigError
from tests.faces.admins import office


async def test_credits_are_given_listed_and_taken_back(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        given = await admin.do("credits.grant", workspace="default", credits="12.5", expires="30d", note="a gift")
        assert (given["credits"], given["balance_credits"], given["held_credits"]) == ("12.5", "12.5", "0")
        found = await admin.do("credits.list")
        assert found["balances"] == [{"workspace": "default", "credits": "12.5", "held": "0"}]
        (grant,) = found["grants"]
        assert (grant["id"], grant["left"], grant["status"], grant["note"]) == (given["id"], "12.5", "open", "a gift")
        done = await admin.do("credits.revoke", id=given["id"])
        assert done == {"id": given["id"], "revoked": True, "left_credits": "12.5"}
        (grant,) = (await admin.do("credits.list", workspace="default"))["grants"]
        assert grant["status"] == "revoked"


@pytest.mark.parametrize(
    ("operation", "params", "words"),
    [
        ("credits.grant", {"workspace": "default", "credits": "much"}, "plain decimal"),
        ("credits.grant", {"workspace": "default", "credits": "-1"}, "negative"),
        ("credits.grant", {"workspace": "default", "credits": "0"}, "more than 0"),
        ("credits.grant", {"workspace": "nobody", "credits": "1"}, "nobody"),
        ("credits.grant", {"workspace": "default", "credits": "1", "expires": "2001-01-01"}, "over already"),
        ("credits.revoke", {"id": "key_1"}, "no grant"),
        ("credits.revoke", {"id": "grant_9"}, "no grant 9"),
        ("plans.subscribe", {"workspace": "default", "plan": "nope"}, "no plan"),
        ("plans.unsubscribe", {"workspace": "default"}, "not subscribed"),
        ("plans.unsubscribe", {}, "say whose"),
    ],
)
async def test_mistakes_are_told(tmp_path: Path, operation: str, params: dict[str, str], words: str) -> None:
    async with office(tmp_path) as admin:
        with pytest.raises(ConfigError, match=words):
            await admin.do(operation, **params)
