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
    StorefrontRows,
)
from tests.faces.admin.gate import Gate, gate

OWN = """
[[pool]]
id = "own"
[[pool.target]]
provider = "own"
model = "m"
weight = 2
cost = { input = "0.5", output = "1.25", unit = 1000000 }
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
    assert before is not None and after is not None and (before.input, before.output) == (after.input, after.output)
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


async def test_the_server_and_its_storefronts(g: Gate) -> None:
    house = g.house
    assert Status.model_validate(await house.get("/server")).problems == {}
    assert Reloaded.model_validate((await house.ask("POST", "/server/reload")).json()).restart == []
    rows = StorefrontRows.model_validate(await house.get("/storefronts")).data
    assert {row.id for row in rows} == {"conflux", "tokenflux", "inference", "llmbase"}


async def test_a_credential_outlives_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    async with gate(folder) as g:
        await g.house.ask("POST", "/providers/openai/credentials", {"value": SECRET})
        assert not g.running.snapshot.simulated
    async with gate(folder) as g:
        assert not g.running.snapshot.simulated
