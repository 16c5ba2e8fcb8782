"""Twin of faces/admin/changes.py."""

import json
from pathlib import Path

from conflux.faces.admin.changes import Changes, Imported, Sources, Synced
from tests.faces.admin.gate import gate

ROW = {"storefront": "conflux", "id": "conflux/deepseek-v4-pro", "safe_context": 5000}


async def test_rows_come_in_are_seen_and_are_taken_back(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        house = g.house
        asked = {"name": "models.json", "content": json.dumps([ROW])}
        checked = await house.ask("POST", "/changes/import", asked)
        assert Imported.model_validate(checked.json()).ids == [], checked.text
        assert Changes.model_validate(await house.get("/changes")).data == []
        stored = Imported.model_validate((await house.ask("POST", "/changes/import", {**asked, "store": True})).json())
        (row,) = Changes.model_validate(await house.get("/changes", state="accepted")).data
        assert stored.ids == [row.id] and row.new == {"safe_context": 5000} and row.decided_by is not None
        back = await house.ask("POST", "/changes/reject", {"ids": [row.id]})
        assert [one["id"] for one in back.json()["rejected"]] == [row.id]
        assert (await house.get("/changes", state="open"))["data"] == []
        assert (await house.ask("POST", "/changes/accept", {"ids": [99]})).status == 400
        assert (await house.ask("POST", "/changes/accept", {})).status == 400
        bad = {**asked, "content": "{", "store": True}
        assert (await house.ask("POST", "/changes/import", bad)).status == 400
        Sources.model_validate(await house.get("/changes/sources"))
        synced = await house.ask("POST", "/changes/sync", {"dry_run": True})
        assert Synced.model_validate(synced.json()).sources == []
        assert (await house.ask("POST", "/changes/sync", {"providers": ["none"]})).status == 400


async def test_an_imported_price_of_a_later_day_waits_for_it(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        house, model = g.house, "conflux/conflux/deepseek-v4-pro"
        before = (await house.get(f"/models/{model}"))["prices"]
        row = {**ROW, "price": {"input": "77", "effective_at": "2099-01-01"}}
        asked = {"name": "models.json", "content": json.dumps([row]), "store": True}
        stored = Imported.model_validate((await house.ask("POST", "/changes/import", asked)).json())
        assert (stored.later, len(stored.ids)) == (1, 2)
        found = await house.get(f"/models/{model}")
        assert (found["prices"], found["safe_context"]) == (before, 5000)
        versions = (await house.get(f"/prices/{model}"))["data"]
        assert [(one["scheduled"], one["current"], one["effective_at"]) for one in versions] == [
            (True, False, 4_070_908_800), (False, True, None)]  # fmt: skip
        assert versions[0]["prices"] == {"input": "77"}
        await house.ask("POST", "/changes/reject", {"ids": stored.ids})
        found = await house.get(f"/models/{model}")
        assert (found["prices"], found["safe_context"] == 5000) == (before, False)
        assert len((await house.get(f"/prices/{model}"))["data"]) == 1
