"""Workspaces and users, worked on by an admin."""

from pathlib import Path
from typing import Any

import pytest

from conflux.neutral.errors import ConfigError, NoSuch
from tests.faces.admins import office


async def test_a_workspace_from_its_making_to_its_end(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        made = await admin.do("workspaces.create", name="acme")
        assert (made["id"], made["name"], made["enabled"]) == ("ws_2", "acme", True)
        assert (await admin.do("workspaces.set", name="acme", new_name="apex"))["name"] == "apex"
        assert not (await admin.do("workspaces.disable", name="apex"))["enabled"]
        assert (await admin.do("workspaces.enable", name="apex"))["enabled"]
        await admin.do("users.create", name="ann", workspace="apex", role="admin")
        shown = await admin.do("workspaces.show", name="apex")
        assert shown["members"] == [{"name": "ann", "role": "admin", "enabled": True}]
        assert [row["name"] for row in (await admin.do("workspaces.list"))["workspaces"]] == ["default", "apex"]
        assert await admin.do("workspaces.delete", name="apex") == {"name": "apex", "deleted": True}
        assert len((await admin.do("workspaces.list"))["workspaces"]) == 1


async def test_a_user_from_its_making_to_its_end(tmp_path: Path) -> None:
    async with office(tmp_path) as admin:
        made = await admin.do("users.create", name="ann")
        assert (made["workspace"], made["role"], made["enabled"]) == ("default", "member", True)
        assert (await admin.do("users.set", name="ann", role="owner"))["role"] == "owner"
        assert not (await admin.do("users.disable", name="ann"))["enabled"]
        assert (await admin.do("users.enable", name="ann"))["enabled"]
        assert (await admin.do("users.show", name="ann"))["role"] == "owner"
        assert len((await admin.do("users.list"))["users"]) == 2
        assert (await admin.do("users.delete", name="ann"))["deleted"] is True
        assert len((await admin.do("users.list", workspace="default"))["users"]) == 1


@pytest.mark.parametrize(
    ("operation", "params", "words"),
    [
        ("workspaces.create", {}, "workspaces create: .*name"),
        ("workspaces.create", {"name": "a", "colour": "red"}, "colour"),
        ("workspaces.set", {"name": "default"}, "new_name"),
        ("users.set", {"name": "default"}, "users set: say what is to change"),
        ("users.disable", {"name": "default", "role": "admin"}, "a role is given by"),
        ("users.create", {"name": "ann", "role": "king"}, "no role"),
    ],
)
async def test_mistakes_are_told_with_their_place(
    tmp_path: Path, operation: str, params: dict[str, Any], words: str
) -> None:
    async with office(tmp_path) as admin:
        with pytest.raises(ConfigError, match=words):
            await admin.do(operation, **params)


@pytest.mark.parametrize("operation", ["show", "enable", "disable", "delete"])
async def test_who_is_not_there_is_told(tmp_path: Path, operation: str) -> None:
    async with office(tmp_path) as admin:
        for group in ("workspaces", "users"):
            with pytest.raises(NoSuch, match="nobody"):
                await admin.do(f"{group}.{operation}", name="nobody")
