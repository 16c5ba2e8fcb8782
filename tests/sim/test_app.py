"""The application: which path is what, what it tells of itself, and that the same question has the same answer."""

import json
from typing import Any

import pytest

from conflux.sim.app import DIALECTS, SimApp, build
from conflux.sim.script import Rule, Script
from conflux.sim.server import SimServer
from tests.sim.client import ask, chat, get, say
from tests.sim.conftest import NOW, Starter


async def test_the_list_and_one_of_it(start: Starter) -> None:
    sim = await start(Script(models=("a", "b/c")))
    listed = (await get(sim.port, "/v1/models")).json
    assert [row["id"] for row in listed["data"]] == ["a", "b/c"] and listed["object"] == "list"
    assert (await get(sim.port, "/v1/models/b/c")).json["id"] == "b/c"
    missing = await get(sim.port, "/v1/models/x")
    assert missing.status == 404 and missing.json["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/v1/chat/completions"), ("POST", "/v1/models"), ("PUT", "/_sim/log")]
)
async def test_what_is_not_there(sim: SimServer, method: str, path: str) -> None:
    answer = await get(sim.port, path, method)
    assert answer.status == 404 and f"{method} {path}" in answer.json["error"]["message"]
    assert answer.headers["x-conflux-simulated"] == "true"


async def test_any_mount_speaks(sim: SimServer) -> None:
    for path in ("/v1/chat/completions", "/openai/v1/chat/completions?api-version=1", "/chat/completions"):
        assert (await ask(sim.port, chat("hi"), path=path)).content == "[simulated] You said: hi"


async def test_the_log_over_http(sim: SimServer) -> None:
    await ask(sim.port, chat("hi"), headers={"x-request-id": "r1", "Authorization": "Bearer k"})
    await say(sim.port, "[[fail: 503]]", stream=True)
    answer = await get(sim.port, "/_sim/log")
    assert answer.headers["content-type"] == "application/x-ndjson"
    first, second = (json.loads(line) for line in answer.body.splitlines())
    assert (first["request_id"], first["model"], first["ended"], first["stream"]) == ("r1", "m", "done", False)
    assert first["headers"]["authorization"] == "Bearer k" and first["prompt_tokens"] == 5
    assert (second["ended"], second["stream"], second["number"]) == ("status 503", True, 2)
    assert (await get(sim.port, "/_sim/log", "DELETE")).status == 200
    assert (await get(sim.port, "/_sim/log")).body == b""


async def test_the_state_over_http(sim: SimServer) -> None:
    await say(sim.port, "hi")
    assert (await get(sim.port, "/_sim/state")).json == {"connections": 0, "open": 0, "received": 1}


async def test_what_could_not_be_read_is_logged_too(sim: SimServer) -> None:
    answer = await ask(sim.port, b"{", headers={"x-request-id": "r1"})
    assert answer.status == 400 and answer.json["error"]["type"] == "invalid_request_error"
    (record,) = sim.log.records
    assert (record.request_id, record.ended, record.bytes) == ("r1", "status 400", len(answer.body))


async def test_the_same_question_has_the_same_answer(start: Starter) -> None:
    one, other, salted = await start(), await start(), await start(seed=1)
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"n": {
        "type": "integer"}}, "required": ["n"]}}}]  # fmt: skip
    answers = [await say(sim.port, "[[call]]", tools=tools) for sim in (one, one, other)]
    assert len({answer.body for answer in answers}) == 1
    assert (await say(salted.port, "[[call]]", tools=tools)).json["id"] != answers[0].json["id"]
    assert (await say(one.port, "[[call]] ", tools=tools)).json["id"] != answers[0].json["id"]


async def test_a_script_decides_per_request(start: Starter) -> None:
    sim = await start(Script([Rule(model="m", times=2, do="[[fail: 500]]"), Rule(do="[[say: recovered]]")]))
    answers = [await say(sim.port, "hi") for _ in range(3)]
    assert [answer.status for answer in answers] == [500, 500, 200]
    assert answers[2].content == "recovered"


async def test_a_script_has_a_pace() -> None:
    assert SimApp(Script(pace=9)).pace == 9
    assert SimApp(Script(pace=9), pace=3).pace == 3


async def test_echo_shows_every_header(sim: SimServer) -> None:
    answer = await ask(sim.port, chat("[[echo]]", user="u"), headers={"X-Leak": "canary", "authorization": "Bearer k"})
    echoed = json.loads(answer.content)
    assert echoed["headers"]["x-leak"] == "canary" and echoed["headers"]["authorization"] == "Bearer k"
    assert echoed["body"] == chat("[[echo]]", user="u")


async def test_an_upstream_tells_of_itself(sim: SimServer) -> None:
    """A gateway must drop these: tests need something to look for."""
    for stream in (False, True):
        headers = (await say(sim.port, "hi", stream=stream)).headers
        assert headers["openai-organization"] == "simulated-organization"
        assert headers["x-request-id"].startswith("req_sim")


def test_dialects_are_a_table() -> None:
    assert [ending for ending, _ in DIALECTS][:1] == ["/chat/completions"]


async def test_it_runs_on_any_asgi_server() -> None:
    app = build(Script([Rule(do="[[say: hi]]")]), clock=lambda: NOW)
    sent: list[Any] = []
    events = [{"type": "http.request", "body": json.dumps(chat()).encode(), "more_body": False}]

    async def receive() -> Any:
        return events.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": []}, receive, send)
    made = json.loads(sent[1]["body"])
    assert made["choices"][0]["message"]["content"] == "hi" and made["created"] == NOW
    events += [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    await app({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent[2:]] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
