"""Twin of faces/audited.py."""

from typing import Any

import pytest

from conflux.faces.audited import Audited, looks, shown, target_of
from conflux.neutral.accounts import Act
from conflux.neutral.errors import ConfigError, StoreError


class Work:
    async def run(self, name: str, params: dict[str, Any]) -> Any:
        if params.get("bad"):
            raise ConfigError(["that cannot be"])
        return {"name": name}


@pytest.fixture
def acts() -> list[Act]:
    return []


@pytest.fixture
def audited(acts: list[Act]) -> Audited:
    async def add(act: Act) -> None:
        acts.append(act)

    return Audited(Work(), add)


async def test_who_changed_what(audited: Audited, acts: list[Act]) -> None:
    assert await audited.run("users.create", {"name": "ann", "workspace": "acme"}) == {"name": "users.create"}
    await audited.run("keys.revoke", {"id": "key_1"}, by="acme/boss", workspace="acme")
    assert [(one.actor, one.act, one.target, one.workspace, one.outcome) for one in acts] == [
        ("command line", "users.create", "ann", "acme", "done"),
        ("acme/boss", "keys.revoke", "key_1", "acme", "done"),
    ]


async def test_looking_leaves_no_line(audited: Audited, acts: list[Act]) -> None:
    for name in ("keys.list", "policies.preview", "ledger.verify", "catalogue.diff", "server.status", "route.explain"):
        await audited.run(name, {})
    assert acts == [] and looks("catalogue.import", {}) and not looks("catalogue.import", {"store": True})


async def test_what_was_refused_is_noted_too(audited: Audited, acts: list[Act]) -> None:
    with pytest.raises(ConfigError):
        await audited.run("budgets.set", {"bad": True})
    assert acts[0].outcome == "refused" and acts[0].detail["refused"] == "that cannot be"


async def test_an_act_without_its_line_has_failed() -> None:
    async def add(act: Act) -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        await Audited(Work(), add).run("keys.create", {})


def test_no_secret_gets_into_the_log() -> None:
    assert shown({"password": "x", "value": "y", "name": "n", "note": "z" * 600}) == {
        "password": "…", "value": "…", "name": "n", "note": "z" * 500 + "…"}  # fmt: skip
    assert target_of({"storefront": "s", "id": "m"}) == "m" and target_of({"none": 1}) == ""


async def test_a_key_is_noted_by_its_id_and_never_by_its_secret(audited: Audited, acts: list[Act]) -> None:
    await audited.run("some.act", {"key": "cf_live_canary"})
    await audited.run("budgets.set", {"key": "key_2"})
    assert "canary" not in str(acts) and (acts[0].target, acts[1].target) == ("…", "key_2")
