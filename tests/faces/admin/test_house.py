"""Twin of faces/admin/house.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conflux.faces.admin.house import (
    Credential,
    Credentials,
    Pool,
    Pools,
    Providers,
    Reloaded,
    Status,
    TargetUses,
    _uses,
)
from tests.faces.admin.gate import Gate, gate
from tests.faces.admin.test_session import HELLO

OWN = """
[[pool]]
id = "own"
[[pool.target]]
provider = "own"
model = "m"
weight = 2
cost = { input = "0.5", output = "1.25", image = "0.04", unit = 1000000 }
[[provider]]
id = "own"
base_url = "http://127.0.0.1:1/v1"
dialect = "openai-chat"
[[model]]
storefront = "conflux"
id = "own/model"
pool = "own"
price = { input = "1", output = "2" }
"""
SECRET = "sk-canary-0123456789abcdef"


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path, OWN) as found:
        yield found


async def test_pools_their_targets_and_new_weights(g: Gate) -> None:
    house = g.house
    assert len(Pools.model_validate(await house.get("/pools", limit=500)).data) > 20
    found = Pool.model_validate(await house.get("/pools/own"))
    assert (found.live, found.simulated, found.models) == (True, False, ["conflux/own/model"])
    (target,) = found.targets
    assert (target.weight, target.selected, target.health.first_token_ms) == (2, 0, None)
    before = g.running.snapshot.catalogue.pools["own"].targets[0].cost
    changed = await house.ask("PATCH", "/pools/own", {"weights": {"own/m/cloud": 7}})
    assert changed.status == 200, changed.text
    assert Pool.model_validate(changed.json()).targets[0].weight == 7, changed.text
    after = g.running.snapshot.catalogue.pools["own"].targets[0].cost
    assert before is not None and after is not None
    assert (before.input, before.output, before.image) == (after.input, after.output, after.image)
    assert (await house.ask("PATCH", "/pools/own", {"weights": {"other": 1}})).status == 404
    assert (await house.ask("PATCH", "/pools/own", {"weights": {"own/m/cloud": -1}})).status == 400
    assert (await house.ask("GET", "/pools/none")).status == 404


async def test_a_credential_makes_a_provider_live_and_is_never_shown(g: Gate, tmp_path: Path) -> None:
    house = g.house
    made = await house.ask("POST", "/providers/openai/credentials", {"value": SECRET, "label": "main"})
    assert made.status == 201 and Credential.model_validate(made.json()).last4 == "cdef", made.text
    provider = next(one for one in Providers.model_validate(await house.get("/providers")).data if one.id == "openai")
    assert provider.live and any(one.there and one.name == made.json()["id"] for one in provider.credentials)
    Credentials.model_validate(await house.get("/credentials"))
    for path in ("/credentials", "/providers", "/audit", "/server"):
        assert "canary" not in (await house.ask("GET", path)).text
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    assert (await house.ask("POST", "/providers/none/credentials", {"value": "x"})).status == 400
    assert (await house.ask("DELETE", f"/credentials/{made.json()['id']}")).status == 200
    rows = (await house.get("/providers", live=True, configured=False))["data"]
    assert "openai" not in [row["id"] for row in rows]
    assert (await house.ask("DELETE", f"/credentials/{made.json()['id']}")).status == 404


async def test_the_server(g: Gate) -> None:
    house = g.house
    assert Status.model_validate(await house.get("/server")).problems == {}
    assert Reloaded.model_validate((await house.ask("POST", "/server/reload")).json()).restart == []


async def test_a_credential_outlives_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    async with gate(folder) as g:
        await g.house.ask("POST", "/providers/openai/credentials", {"value": SECRET})
        assert not g.running.snapshot.simulated
    async with gate(folder) as g:
        assert not g.running.snapshot.simulated


async def test_which_targets_were_chosen_over_time(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        ann = await g.person("acme", "ann", "member")
        for _ in range(3):
            await ann.ask("POST", "/v1/chat/completions", HELLO)
        house = g.house
        (row,) = TargetUses.model_validate(await house.get("/targets/usage")).data
        assert row.selected == 3 and row.share == "1.000" and row.at % 3600 == 0 and row.pools
        assert len((await house.get("/targets/usage", by="day", pool=row.pools[0], target=row.target))["data"]) == 1
        for other in ({"pool": "none"}, {"target": "none"}, {"until": "2020-01-01"}):
            assert (await house.get("/targets/usage", **other))["data"] == [], other
        assert (await house.ask("GET", "/targets/usage?since=once")).status == 400


def test_a_targets_share_is_of_its_own_pools() -> None:
    homes = {"a": ["one"], "b": ["one", "two"], "c": ["two"], "d": ["three"]}
    rows = _uses([(1, "a", 1, 0), (1, "b", 3, 2), (1, "d", 5, 0), (2, "gone", 1, 0)], homes, 1000)
    assert [(row["target"], row["share"]) for row in rows] == [
        ("a", "0.250"), ("b", "0.750"), ("d", "1.000"), ("gone", "1.000")]  # fmt: skip
