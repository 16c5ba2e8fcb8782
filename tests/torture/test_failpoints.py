"""The failpoints: each kills where it says, and the program has none."""

import ast
import asyncio
import inspect
import json
from pathlib import Path

import pytest

import conflux
from conflux import wiring
from conflux.__main__ import Program
from conflux.relay.gateway import Gateway
from conflux.settings import load
from conflux.stores.sqlite_ledger import SqliteLedger
from conflux.upstream.client import Client
from tests.torture import failpoints
from tests.torture.failpoints import POINTS, Armed

SOURCES = Path(conflux.__file__).parent


def test_there_is_one_before_and_one_after_each_place():
    assert len(POINTS) == len(set(POINTS)) == 12


def test_the_program_gives_no_hook():
    """Only wiring knows the word, and what it is given by default is nothing."""
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and any(one.arg == "hook" for one in node.keywords):
                assert file.name == "wiring.py" and ast.unparse(node).startswith("open_gateway("), ast.unparse(node)
    for function in (wiring.serve, wiring.open_gateway):
        assert inspect.signature(function).parameters["hook"].default is None


def test_what_serves_is_given_no_hook(monkeypatch, tmp_path):
    given = {}

    def serve(*_, **more):
        given.update(more)

    monkeypatch.setattr("conflux.wiring.serve", serve)
    monkeypatch.setattr("conflux.__main__._run", lambda _: None)
    Program().serve({"data": str(tmp_path)})
    assert given == {}


async def test_a_gateway_in_production_has_nothing_between_its_parts(tmp_path, monkeypatch):
    monkeypatch.setenv("CONFLUX_FAILPOINT", POINTS[0])  # there is no such setting
    config = load({"port": 0, "data": str(tmp_path / "data")}, {}, None)
    running = await wiring.open_gateway(config, lambda: config)
    try:
        assert type(running.gateway) is Gateway
        assert type(running.gateway.parts.ledger) is SqliteLedger and type(running.gateway.parts.transport) is Client
    finally:
        await running.close()


@pytest.mark.parametrize("point", POINTS)
async def test_each_point_is_met_in_a_stream_at_its_visit_and_once(point, tmp_path, monkeypatch):
    died = []
    monkeypatch.setattr(failpoints, "die", lambda: died.append(point))
    config = load({"port": 0, "data": str(tmp_path / "data")}, {}, None)
    running = await wiring.open_gateway(config, lambda: config, hook=Armed(point, 2).hook)
    try:
        secret = await wiring.first_admin_key(running)
        host, _, port = running.address.removeprefix("http://").rpartition(":")
        for _ in range(2):
            assert not died
            message = {"role": "user", "content": f"[[stream: {900 if 'checkpoint' in point else 20} tokens]]"}
            body = json.dumps({"model": "conflux/deepseek-v4-pro", "stream": True, "messages": [message]})
            reader, writer = await asyncio.open_connection(host, int(port))
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: {secret}\r\n"
            writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
            answer = await reader.read()
            writer.close()
            assert b"200 OK" in answer and b"[DONE]" in answer, answer[:300]
            if "checkpoint" in point:
                break  # one stream has several
        for _ in range(200):
            if died:
                break
            await asyncio.sleep(0.01)
        assert died == [point]
    finally:
        await running.close()
