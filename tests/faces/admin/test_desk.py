"""Twin of faces/admin/desk.py."""

from pathlib import Path

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
