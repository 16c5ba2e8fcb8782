"""Twin of faces/admin/catalogue.py."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conflux.faces.admin.catalogue import (
    About,
    AdminModel,
    AdminModels,
    PriceVersions,
    PublicCatalogue,
    PublicModel,
    public_view,
)
from conflux.neutral.reports import Recent
from tests.faces.admin.gate import Gate, gate

MODEL = "conflux/deepseek-v4-pro"
PATH = f"/models/conflux/{MODEL}"


@pytest.fixture
async def g(tmp_path: Path) -> AsyncIterator[Gate]:
    async with gate(tmp_path) as found:
        yield found


async def test_everybody_sees_the_catalogue_and_nothing_behind_it(g: Gate) -> None:
    browser = g.browser()
    answer = await browser.ask("GET", "/catalogue")
    found = PublicCatalogue.model_validate(answer.json())
    assert {one.id for one in found.storefronts} == {"conflux", "tokenflux", "inference", "llmbase"}
    assert {one.status for one in found.models} == {"enabled", "disabled"} and found.simulated
    assert all(row["models"] for row in found.choosing.by_task)
    kimi = next(one for one in found.models if one.id == "nvidia/kimi-k2.6")
    assert (kimi.context, kimi.safe_context, kimi.safe_context_text) == (None, 250_000, "250K")
    assert '"pool"' not in answer.text and '"targets"' not in answer.text
    one = PublicModel.model_validate(await browser.get(f"/catalogue/conflux/{MODEL}"))
    assert one.context_text and one.prices["input"] and one.tags and one.lately.uptime is None
    assert (await browser.ask("GET", "/catalogue/conflux/none")).status == 404
    assert (await browser.ask("GET", "/catalogue?storefront=none")).status == 404
    assert About.model_validate(await browser.get("/about")).storefront == "conflux"


async def test_a_model_that_is_switched_off_is_gone_everywhere_but_from_the_page(g: Gate) -> None:
    house = g.house
    AdminModels.model_validate(await house.get("/models", limit=500))
    changed = await house.ask("PATCH", PATH, {"enabled": False})
    assert AdminModel.model_validate(changed.json()).status == "disabled", changed.text
    listed = (await g.browser().ask("GET", "/v1/models")).json()["data"]
    assert MODEL not in [one["id"] for one in listed]
    one = await g.browser().get(f"/catalogue/conflux/{MODEL}")
    assert one["status"] == "disabled" and one["limitations"]
    assert (await house.ask("PATCH", PATH, {"enabled": True})).json()["status"] == "enabled"


async def test_figures_and_prices_change_and_prices_are_versions(g: Gate) -> None:
    house = g.house
    before = await house.get(f"/prices/conflux/{MODEL}")
    assert [one["current"] for one in before["data"]] == [True]
    changed = await house.ask("PATCH", PATH, {"safe_context": 1000, "role": "BOTH",
                                              "prices": {"input": "0.5", "output": "2"}})  # fmt: skip
    found = AdminModel.model_validate(changed.json())
    assert (found.safe_context, found.role, found.changed) == (1000, "BOTH", True)
    assert found.prices["input"] == "0.5" and found.price_version.startswith("change-")
    await house.ask("PATCH", PATH, {"prices": {"input": "0.6", "output": "2"}})
    versions = PriceVersions.model_validate(await house.get(f"/prices/conflux/{MODEL}")).data
    assert [one.current for one in versions] == [True, False] and versions[0].by
    whole = {"input": "0.6", "output": "2", "audio": "32", "image": "0.04", "search": "0.01", "request": "0.002"}
    said = (await house.ask("PATCH", PATH, {"prices": whole})).json()["prices"]
    assert said == whole, "what is read can be written back as it is"
    for bad in ({"prices": {"inptu": "1"}}, {"prices": {"input": "-1", "output": "1"}}, {"safe_context": 0},
                {"pool": "x"}, {"currency": "XYZ", "prices": {"input": "1", "output": "1"}}):  # fmt: skip
        assert (await house.ask("PATCH", PATH, bad)).status == 400, bad
    assert (await house.ask("PATCH", "/models/conflux/none", {"enabled": False})).status == 404


async def test_a_price_that_begins_later(g: Gate) -> None:
    house = g.house
    later = {"prices": {"input": "0.7", "output": "2"}, "effective_at": "2099-01-01"}
    answer = await house.ask("PATCH", PATH, later)
    assert answer.status == 200 and answer.json()["prices"]["input"] != "0.7", answer.text
    versions = PriceVersions.model_validate(await house.get(f"/prices/conflux/{MODEL}")).data
    assert [(one.current, one.scheduled, one.effective_at) for one in versions] == [
        (False, True, 4_070_908_800), (True, False, None)]  # fmt: skip
    assert (await house.ask("PATCH", PATH, {**later, "effective_at": "2020-01-01"})).status == 400
    assert (await house.ask("PATCH", PATH, {**later, "effective_at": "soon"})).status == 400
    broken = {"prices": {"input": "-1", "output": "2"}, "effective_at": "2099-01-01"}
    assert (await house.ask("PATCH", PATH, broken)).status == 400, "what begins later has to be right today"
    assert (await house.ask("POST", "/changes/reject", {"ids": [versions[0].change]})).status == 200
    assert [one["scheduled"] for one in (await house.get(f"/prices/conflux/{MODEL}"))["data"]] == [False]


async def test_it_counts_when_its_moment_comes(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        assert (await g.house.get(PATH))["safe_context"] != 777  # the API is up
        begins = int(time.time()) + 3
        moment = datetime.fromtimestamp(begins, UTC).isoformat()
        answer = await g.house.ask("PATCH", PATH, {"safe_context": 777, "effective_at": moment})
        assert answer.status == 200 and answer.json()["safe_context"] != 777, answer.text
        while (await g.house.get(PATH))["safe_context"] != 777:
            await asyncio.sleep(0.05)
        assert time.time() >= begins


async def test_quality_says_whose_figure_it_is(g: Gate) -> None:
    changed = await g.house.ask("PATCH", PATH, {"quality": 0.5, "quality_source": "our own tasks"})
    found = AdminModel.model_validate(changed.json())
    assert (found.quality, found.quality_source) == (0.5, "our own tasks")
    assert (await g.house.ask("PATCH", PATH, {"quality": 2})).status == 400


async def test_models_are_found(g: Gate) -> None:
    house = g.house
    assert {row["id"] for row in (await house.get("/models", storefront="conflux", q="DEEPSEEK-V4-PRO"))["data"]} >= {
        MODEL
    }
    assert all(row["status"] == "disabled" for row in (await house.get("/models", status="disabled"))["data"])
    assert (await house.get(PATH))["pool"]


async def test_how_a_model_did_lately(g: Gate) -> None:
    snapshot = g.running.snapshot
    model = snapshot.catalogue.resolve("conflux", MODEL)
    assert model is not None
    few = Recent(storefront="conflux", model=MODEL, requests=4, failed=1, latency_ms=9, first_byte_ms=3)
    many = Recent(storefront="conflux", model=MODEL, requests=1000, failed=2, latency_ms=9, first_byte_ms=3)
    assert public_view(model, snapshot, {("conflux", MODEL): few})["lately"]["uptime"] is None
    assert public_view(model, snapshot, {("conflux", MODEL): many})["lately"] == {
        "uptime": "0.998", "latency_ms": 9, "first_byte_ms": 3}  # fmt: skip


async def test_a_price_that_is_cleared_is_gone(g: Gate) -> None:
    """The whole sheet is said: what is left out is not charged by itself any more, nor kept in another currency."""
    house = g.house
    whole = {"input": "0.6", "output": "2", "audio": "32", "image": "0.04"}
    await house.ask("PATCH", PATH, {"prices": whole})
    said = (await house.ask("PATCH", PATH, {"prices": {"input": "0.7", "output": "2"}})).json()["prices"]
    assert said == {"input": "0.7", "output": "2"}
    current = next(one for one in (await house.get(f"/prices/conflux/{MODEL}"))["data"] if one["current"])
    assert {name: current["prices"].get(name) for name in (*whole, "search")} == {
        "input": "0.7", "output": "2", "audio": None, "image": None, "search": None}  # fmt: skip
    assert None not in current["prices"].values()
    for none in ({}, {"currency": "USD"}):
        answer = await house.ask("PATCH", PATH, {"prices": none})
        assert answer.status == 400 and answer.json()["error"]["param"] == "prices", answer.text


async def test_a_model_is_switched_at_once_or_not_at_all(g: Gate) -> None:
    answer = await g.house.ask("PATCH", PATH, {"enabled": False, "effective_at": "2099-01-01"})
    assert answer.status == 400 and "effective_at" in answer.text
    assert (await g.house.get(PATH))["status"] == "enabled"
