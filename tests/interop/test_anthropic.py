"""Anthropic's clients over every upstream, as they call: Claude Code's own bodies, raw events, errors, counting."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conflux.sim.server import SimServer
from tests.interop.upstreams import ROWS, serving
from tests.system.serving import Answer, Served

HEADERS = {"anthropic-version": "2023-06-01", "anthropic-beta": "a-2025,what-comes-next", "x-app": "cli"}
CACHE = {"type": "ephemeral"}
READ = {"name": "Read", "description": "Reads.", "input_schema": {"type": "object", "properties": {
    "path": {"type": "string"}}, "required": ["path"]}}  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, SimServer]]:
    with serving(tmp_path_factory.mktemp("anthropic")) as found:
        yield found


@pytest.fixture(scope="module")
def served(both: tuple[Served, SimServer]) -> Served:
    return both[0]


@pytest.fixture(scope="module")
def key(served: Served) -> str:
    return served.key(name="anthropic")


def post(served: Served, key: str, name: str, text: str = "Hi", path: str = "/v1/messages", **fields: Any) -> Answer:
    body = {"model": f"acme/{name}", "max_tokens": 500, "messages": [{"role": "user", "content": text}], **fields}
    return served.call("POST", path, body, headers={"x-api-key": key, **HEADERS})


def coding(name: str, text: str, **fields: Any) -> dict[str, Any]:
    """A body as Claude Code sends it for a model it does not know."""
    return {
        "model": f"acme/{name}",
        "max_tokens": 32000,
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.197"},
            {"type": "text", "text": "You are a coding agent.", "cache_control": CACHE},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "<reminder>"},
                                         {"type": "text", "text": text, "cache_control": CACHE}]},
            {"role": "system", "content": "The tools are ready."},
        ],
        "tools": [{**READ, "cache_control": CACHE}],
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "max"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "metadata": {"user_id": json.dumps({"device": "d" * 64, "session": "s" * 36})},
        "stream": True,
        **fields,
    }  # fmt: skip


def told(answer: Answer) -> list[Any]:
    """The events of a stream, each under its own name."""
    assert answer.status == 200, answer.body
    found = []
    for block in answer.body.strip().split(b"\n\n"):
        name, data = block.split(b"\n")
        found.append(json.loads(data.removeprefix(b"data: ")))
        assert name == b"event: " + found[-1]["type"].encode()
    return found


def blocks(events: list[Any]) -> list[Any]:
    """The content as a client puts it together, strict about what is open."""
    found: list[Any] = []
    open_block = None
    for event in events:
        match event["type"]:
            case "content_block_start":
                assert open_block is None and event["index"] == len(found)
                open_block = event["index"]
                found.append({**event["content_block"], "json": ""})
            case "content_block_delta":
                assert event["index"] == open_block
                for name in ("text", "thinking"):
                    if name in event["delta"]:
                        found[-1][name] += event["delta"][name]
                found[-1]["json"] += event["delta"].get("partial_json", "")
            case "content_block_stop":
                assert event["index"] == open_block
                open_block = None
    return found


@pytest.mark.parametrize("name", ROWS)
def test_claude_codes_body_works_over_every_upstream(served: Served, key: str, name: str) -> None:
    body = coding(name, '[[call: Read {"path": "a.txt"}]]')
    answer = served.call("POST", "/v1/messages?beta=true", body, headers={"authorization": f"Bearer {key}", **HEADERS})
    events = told(answer)
    assert events[0]["type"] == "message_start" and events[-1] == {"type": "message_stop"}
    message = events[0]["message"]
    assert message["model"] == f"acme/{name}" and message["content"] == [] and message["id"].startswith("msg_")
    found = blocks(events)
    assert [block["type"] for block in found] == ["thinking", "tool_use"]
    call = found[-1]
    assert call["name"] == "Read" and json.loads(call["json"]) == {"path": "a.txt"}
    assert events[-2]["delta"]["stop_reason"] == "tool_use" and events[-2]["usage"]["output_tokens"] > 0
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    dropped = answer.headers["x-conflux-dropped"]
    assert "x-anthropic-billing-header" in dropped
    assert ("context_management" in dropped) is (name in ("chat", "gemini", "responses"))

    thought = {"type": "thinking", "thinking": found[0]["thinking"], "signature": found[0].get("signature", "")}
    use = {"type": "tool_use", "id": call["id"], "name": "Read", "input": {"path": "a.txt"}}
    body["messages"] += [
        {"role": "assistant", "content": [thought, use]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "token 42"}]},
    ]
    body["stream"] = False
    after = served.call("POST", "/v1/messages?beta=true", body, headers={"authorization": f"Bearer {key}", **HEADERS})
    assert after.status == 200, after.body
    assert "token 42" in after.json()["content"][-1]["text"] and after.json()["stop_reason"] == "end_turn"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_case_16_17_and_18_how_an_answer_ends(served: Served, key: str, name: str, stream: bool) -> None:
    endings: list[tuple[str, dict[str, Any], str]] = [
        ("[[say: hi]]", {}, "end_turn"),
        ("[[stream: 50]]", {"max_tokens": 5}, "max_tokens"),
        ("[[refuse]]", {}, "refusal"),
    ]
    for text, fields, reason in endings:
        answer = post(served, key, name, text, stream=stream, **fields)
        if stream:
            events = told(answer)
            assert events[-2]["delta"]["stop_reason"] == reason and blocks(events)
        else:
            assert answer.json()["stop_reason"] == reason and answer.json()["content"], answer.body


@pytest.mark.parametrize("name", ["chat", "messages", "compat"])
def test_case_20_and_22_usage(served: Served, key: str, name: str) -> None:
    answer = post(served, key, name, "[[usage: prompt=100 cached=75 completion=7 reasoning=2]]")
    usage = answer.json()["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (25, 75, 7)
    receipt = served.receipt(key, answer)
    assert (receipt["usage"]["input"], receipt["usage"]["cache_read"], receipt["usage"]["output"]) == (25, 75, 5)


@pytest.mark.parametrize("name", ROWS)
def test_case_34_an_answer_that_breaks_off(served: Served, key: str, name: str) -> None:
    answer = post(served, key, name, "[[stream: 50]] [[fail: error-event 4]]", stream=True)
    last = told(answer)[-1]
    assert last["type"] == "error" and last["error"]["type"] == "api_error"
    assert last["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize("name", ROWS)
def test_errors_in_anthropics_shape(served: Served, key: str, name: str) -> None:
    for marker, status, kind in (
        ("[[fail: 429 retry-after=7]]", 429, "rate_limit_error"),
        ("[[fail: 529]]", 529, "overloaded_error"),
        ("[[fail: 500]]", 502, "api_error"),
        ("[[fail: 400]]", 400, "invalid_request_error"),
    ):
        answer = post(served, key, name, marker)
        assert (answer.status, answer.json()["type"], answer.json()["error"]["type"]) == (status, "error", kind)
        assert answer.json()["request_id"] == answer.headers["request-id"]
        if status == 429:
            assert answer.headers["retry-after"].isdecimal()


def test_errors_before_anything_is_asked(served: Served, key: str) -> None:
    assert post(served, "cf_live_nobody", "chat").json()["error"]["type"] == "authentication_error"
    unknown = post(served, key, "nothing")
    assert unknown.status == 404 and unknown.json()["error"]["type"] == "not_found_error"
    wrong = served.call("GET", "/v1/messages", key=key)
    assert wrong.status == 405 and wrong.json()["type"] == "error" and "request-id" in wrong.headers
    long = post(served, key, "chat", "word " * 200_000)
    assert long.status == 400 and long.json()["error"]["message"].startswith("prompt is too long: ")


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/v1/messages/count_tokens?beta=true"])
def test_counting_is_free_and_for_callers_only(served: Served, path: str) -> None:
    key = served.key(name="counting", budget_usd="1")
    short, long = (post(served, key, "chat", "word " * words, path=path).json()["input_tokens"] for words in (10, 1000))
    assert 0 < short < long < 3000
    assert post(served, key, "chat", "word " * 200_000, path=path).json()["input_tokens"] > 200_000
    assert served.spent(key) == []
    assert post(served, key, "nothing", path=path).status == 404
    refused = served.call("POST", path, {"model": "acme/chat", "messages": []})
    assert refused.status == 401 and refused.json()["error"]["type"] == "authentication_error"


def test_betas_reach_their_own_upstream_and_nobody_else(both: tuple[Served, SimServer], key: str) -> None:
    served = both[0]
    for name in ("messages", "compat", "chat"):
        answer = post(served, key, name, "[[echo]]")
        heard = json.loads(answer.json()["content"][0]["text"])["headers"]
        own = name != "chat"
        assert (heard.get("anthropic-beta") == HEADERS["anthropic-beta"]) is own
        assert ("anthropic-version" in heard) is own and ("anthropic-beta" in str(answer.headers)) is not own
