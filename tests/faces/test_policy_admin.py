"""Policies, written by an admin, and what they leave for a key."""

from pathlib import Path
from typing import Any

import pytest

from conflux.neutral.errors import ConfigError, NoSuch
from conflux.neutral.keys import KeyOrder
from tests.faces.admins import Office, office
from tests.policy.samples import NOW


async def key(admin: Office, **fields: Any) -> str:
    return (await admin.store.key_admin.create(KeyOrder(prefix="sh_", storefront="shop", name="x", **fields)))[0]


async def test_a_policy_from_its_making_to_its_end(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        made = await admin.do("policies.create", workspace="default", terms={"deny": ["shop/two"], "concurrent": 2})
        assert (made["kind"], made["owner"], made["enabled"]) == ("workspace", "default", True)
        with pytest.raises(ConfigError, match="default has a policy already"):
            await admin.do("policies.create", workspace="default", terms={})
        changed = await admin.do("policies.set", workspace="default", terms={"concurrent": None, "allow": ["shop/*"]})
        assert changed["terms"] == {"allow": ("shop/*",), "deny": ("shop/two",)}
        assert not (await admin.do("policies.disable", workspace="default"))["enabled"]
        assert (await admin.do("policies.enable", workspace="default"))["enabled"]
        assert await admin.do("policies.show", workspace="default") == (await admin.do("policies.list"))["policies"][0]
        gone = await admin.do("policies.delete", workspace="default")
        assert gone == {"kind": "workspace", "owner": "default", "deleted": True}
        with pytest.raises(NoSuch):
            await admin.do("policies.show", workspace="default")


async def test_what_a_key_sees_and_why_not(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        id = await key(admin)
        rules = [{"client": "codex", "action": "substitute", "models": ["shop/two"], "to": "shop/one"}]
        await admin.do("policies.set", workspace="default", terms={"overrides": rules})
        await admin.do("policies.set", key=id, terms={"deny": ["shop/two"]})
        found = await admin.do("policies.preview", key=id)
        assert (found["storefront"], found["problem"], found["policies"]) == ("shop", None, ["workspace", "key"])
        assert {row["id"]: (row["listed"], row["served"], row["reason"]) for row in found["models"]} == {
            "shop/idle": (False, "shop/idle", "it has no live target now"),
            "shop/off": (False, None, "it is disabled"),
            "shop/one": (True, "shop/one", None),
            "shop/two": (False, None, "the key's policy denies shop/two"),
        }
        found = await admin.do("policies.preview", key=id, client="codex")
        assert {row["id"]: row["served"] for row in found["models"] if row["listed"]} == {
            "shop/one": "shop/one", "shop/two": "shop/one",
        }  # fmt: skip


async def test_a_key_that_opens_nothing_says_why(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        id = await key(admin, expires_at=int(NOW) - 1)
        assert "expired" in (await admin.do("policies.preview", key=id))["problem"]
        other = await key(admin, workspace="acme")
        await admin.do("workspaces.disable", name="acme")
        assert "workspace" in (await admin.do("policies.preview", key=other))["problem"]


@pytest.mark.parametrize(
    ("operation", "params", "kind", "words"),
    [
        ("policies.set", {"terms": {}}, ConfigError, "say whose"),
        ("policies.set", {"workspace": "default"}, ConfigError, "policies set: .*terms"),
        ("policies.set", {"workspace": "default", "terms": {"alow": []}}, ConfigError, "policies set: .*alow"),
        ("policies.set", {"workspace": "default", "terms": {"deny": "x"}}, ConfigError, "policies set: .*deny"),
        ("policies.set", {"workspace": "default", "terms": {"deny": ["x"]}}, ConfigError, "deny: no storefront has"),
        ("policies.set", {"workspace": "nobody", "terms": {}}, NoSuch, "nobody"),
        ("policies.preview", {"key": "key_9"}, NoSuch, "key_9"),
        ("policies.preview", {"key": "key_1", "client": "vim"}, ConfigError, "claude-code or codex"),
    ],
)
async def test_mistakes_are_told(
    tmp_path: Path, operation: str, params: dict[str, Any], kind: type[ConfigError], words: str
) -> None:
    async with office(tmp_path) as admin:
        with pytest.raises(kind, match=words):
            await admin.do(operation, **params)
        assert (await admin.do("policies.list"))["policies"] == []


async def test_a_storefront_that_is_gone(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        id = await key(admin)
        with pytest.raises(NoSuch, match="mall"):
            await admin.do("policies.preview", key=id, storefront="mall")
