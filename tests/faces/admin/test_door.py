"""Twin of faces/admin/door.py."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conflux.faces.admin import door as module
from conflux.faces.admin.door import AdminDoor
from tests.faces.admin.gate import gate
from tests.house.tree import SOURCES


class Broken:
    def build(self, desk: Any) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            while (await receive()).get("more_body"):
                pass
            raise KeyError("a defect")

        return app


async def through(monkeypatch: pytest.MonkeyPatch, *parts: bytes) -> tuple[int, Any, list[str]]:
    monkeypatch.setattr("conflux.faces.admin.door.importlib.import_module", lambda name: Broken())
    sent: list[Any] = []
    reported: list[str] = []
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    door = AdminDoor(lambda: None, lambda error, path: reported.append(f"{error!r} {path}"))
    await door({"type": "http", "path": "/admin/x"}, receive, send, b"req_1")
    assert (b"x-request-id", b"req_1") in sent[0]["headers"]
    return sent[0]["status"], json.loads(sent[1]["body"]), reported


async def test_what_breaks_is_told_to_the_owner_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    status, body, reported = await through(monkeypatch, b"x")
    assert status == 500 and "defect" not in str(body) and reported == ["KeyError('a defect') /admin/x"]


async def test_a_body_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BODY_MOST", 10)
    status, body, reported = await through(monkeypatch, b"x" * 6, b"x" * 6)
    assert status == 413 and reported == [] and "10 bytes" in body["error"]["message"]


def test_nobody_pays_for_the_framework_who_does_not_use_it() -> None:
    ask = "import sys, conflux.wiring; print([one for one in ('fastapi', 'pydantic', 'argon2') if one in sys.modules])"
    env = {"PYTHONPATH": str(SOURCES.parent)}
    assert (
        subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=env).stdout
        == "[]\n"
    )


async def test_an_api_that_is_asked_by_many_at_once_is_built_once(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        browsers = [g.browser() for _ in range(5)]
        found = await asyncio.gather(*(one.get("/session") for one in browsers))
        assert found == [{"signed_in": False}] * 5
