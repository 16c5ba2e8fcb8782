"""Twin of faces/admin/desk.py."""

import asyncio
from pathlib import Path

from conflux.faces.admin.desk import Lately
from conflux.neutral.reports import Recent
from conflux.wiring import _desk
from tests.faces.admin.gate import gate


async def test_a_key_is_found_and_an_act_is_noted(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        desk = _desk(g.running)
        found = await desk.find(g.key)
        assert found is not None and found.admin
        assert await desk.find("cf_live_none") is None
        await desk.do("acme/ann", "workspaces.create", {"name": "acme"})
        (act,) = await desk.store.audit.rows(1)
        assert (act.actor, act.act, act.target) == ("acme/ann", "workspaces.create", "acme")
        assert desk.snapshot() is g.running.snapshot and desk.now() > 0


async def test_how_models_did_is_asked_once_a_minute() -> None:
    asked: list[int] = []

    async def recent(since: int) -> list[Recent]:
        asked.append(since)
        return [Recent(storefront="s", model="m", requests=1, failed=0, latency_ms=1, first_byte_ms=1)]

    lately = Lately(recent)
    found = await asyncio.gather(*(lately.at(1_000_000.0) for _ in range(5)))
    assert list(found[0]) == [("s", "m")] and len(asked) == 1
    await lately.at(1_000_061.0)
    assert asked == [913_600_000, 913_661_000]
