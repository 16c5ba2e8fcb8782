"""Twin of faces/admin/storefronts.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conflux.faces.admin.storefronts import StorefrontRows, StorefrontWhole
from tests.faces.admin.gate import Gate, gate

PATH = "/storefronts/llmbase"


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path) as found:
        yield found


async def test_the_faces_and_what_each_offers(g: Gate) -> None:
    house = g.house
    rows = StorefrontRows.model_validate(await house.get("/storefronts")).data
    assert {row.id for row in rows} == {"conflux", "tokenflux", "inference", "llmbase"}
    await g.do("keys.create", storefront="llmbase", name="k")
    found = StorefrontWhole.model_validate(await house.get(PATH))
    assert found.strict_capabilities and found.keys == 1 and not found.changed
    assert 0 < found.live_models <= found.enabled_models <= found.models
    assert (await house.ask("GET", "/storefronts/none")).status == 404


async def test_how_one_behaves_is_changed_listed_and_taken_back(g: Gate) -> None:
    house, origin = g.house, "https://app.example.com"
    browser = g.browser(origin=origin)
    assert (await browser.ask("GET", "/v1/models")).headers.get("access-control-allow-origin") is None
    root = "/storefronts/conflux"
    answer = await house.ask("PATCH", root, {"allowed_origins": [origin], "fallback": True})
    found = StorefrontWhole.model_validate(answer.json())
    assert found.allowed_origins == [origin] and found.fallback and found.changed, answer.text
    assert (await browser.ask("GET", "/v1/models")).headers["access-control-allow-origin"] == origin
    (change,) = [row for row in (await house.get("/changes"))["data"] if row["table"] == "storefront"]
    assert change["key"] == ["conflux"] and change["state"] == "accepted"
    assert "catalogue.import" in (await house.ask("GET", "/audit")).text
    await house.ask("POST", "/changes/reject", {"ids": [change["id"]]})
    assert not (await house.get(root))["changed"]
    assert (await browser.ask("GET", "/v1/models")).headers.get("access-control-allow-origin") is None
    for bad in ({"margin": "-1"}, {"allowed_origins": ["nowhere"]}, {"mount": "/x"}, {"prefer": "luck"}):
        assert (await house.ask("PATCH", root, bad)).status == 400, bad
    assert (await house.ask("PATCH", "/storefronts/none", {"fallback": True})).status == 404


async def test_what_a_request_says_itself_needs_no_default_any_more(g: Gate) -> None:
    defaults = {"default_max_output": 8192, "default_temperature": 0.5}
    for said in (defaults, {"margin": "1.5"}):
        found = StorefrontWhole.model_validate((await g.house.ask("PATCH", PATH, said)).json())
        assert (found.default_max_output, found.default_temperature) == (8192, 0.5), "what is left out stays"
    answer = await g.house.ask("PATCH", PATH, {"default_max_output": None, "margin": None})
    found = StorefrontWhole.model_validate(answer.json())
    assert (found.default_max_output, found.default_temperature, found.margin) == (None, 0.5, "1.5")
    found = StorefrontWhole.model_validate((await g.house.ask("PATCH", PATH, dict.fromkeys(defaults))).json())
    assert (found.default_max_output, found.default_temperature) == (None, None)


async def test_a_change_outlives_the_process(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        assert (await g.house.ask("PATCH", PATH, {"margin": "1.5"})).status == 200
    async with gate(tmp_path) as g:
        assert g.running.snapshot.catalogue.storefronts["llmbase"].margin == "1.5"
