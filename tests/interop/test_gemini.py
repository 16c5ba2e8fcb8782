"""Gemini at either end of a real gateway: its clients over every upstream, other clients over its upstreams."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conflux.sim.quirks import Quirks
from conflux.sim.script import Script
from conflux.sim.server import SimServer
from tests.system.serving import Answer, Served
from tests.system.upstreams import Background

# name: the provider's row beside id and address
ROWS = {
    "own": 'dialect = "gemini"\nquirks = { call_ids = true, signed_call_models = "gemini-3" }',
    "compat": 'dialect = "gemini"\nlane = "compat"\nquirks = { signed_call_models = "gemini-3" }',
    "chat": 'dialect = "openai-chat"',
}
MODEL = 'storefront = "conflux"\ncontext = 100000\nprice = { input = "1.00", output = "2.00" }\n'
MODEL += 'capabilities = ["text", "tools", "vision", "reasoning", "structured_outputs", "json_mode"]\n'
LOOK = {"type": "object", "properties": {"n": {"type": "integer", "exclusiveMinimum": 0}}, "$schema": "x"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    background = Background()
    sim = SimServer(Script(quirks=Quirks(signed_calls=True, call_ids=True)))
    background.run(sim.start())
    config = ""
    for name, row in {**ROWS, "responses": 'dialect = "openai-responses"'}.items():
        base = "v1" if "openai" in row else "v1beta"
        config += f'[[provider]]\nid = "{name}"\nbase_url = "http://127.0.0.1:{sim.port}/{base}"\n{row}\n'
        config += f'[[pool]]\nid = "to-{name}"\n[[pool.target]]\nprovider = "{name}"\nmodel = "gemini-3-pro"\n'
        config += f'[[model]]\nid = "acme/{name}"\npool = "to-{name}"\n{MODEL}'
    served = Served(tmp_path_factory.mktemp("gemini"), config).start()
    yield served
    served.stop()
    background.run(sim.stop())
    background.close()


@pytest.fixture(scope="module")
def key(served: Served) -> str:
    return served.key(name="gemini")


def says(text: str, **fields: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}


def generate(served: Served, key: str, name: str, body: dict[str, Any], *, stream: bool = False) -> Answer:
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return served.call("POST", f"/v1beta/models/acme/{name}:{verb}", body, headers={"x-goog-api-key": key})


def parts(answer: Answer, *, stream: bool) -> list[dict[str, Any]]:
    """The parts, neighbouring text put together."""
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = []
    for chunk in answer.events() if stream else [answer.json()]:
        for part in chunk["candidates"][0]["content"]["parts"]:
            if found and "text" in part and "text" in found[-1] and part.get("thought") == found[-1].get("thought"):
                found[-1]["text"] += part["text"]
            else:
                found.append(part)
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_text_and_thoughts(served: Served, key: str, name: str, stream: bool) -> None:
    asked = says("[[think: hm hm]] [[say: hello world]]",
                 generationConfig={"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "low"}})  # fmt: skip
    answer = generate(served, key, name, asked, stream=stream)
    assert parts(answer, stream=stream) == [{"text": "hm hm", "thought": True}, {"text": "hello world"}]
    last = answer.events()[-1] if stream else answer.json()
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert last["usageMetadata"]["thoughtsTokenCount"] == 2 and last["usageMetadata"]["candidatesTokenCount"] == 3
    assert last["modelVersion"] == f"acme/{name}"


@pytest.mark.parametrize("name", ROWS)
def test_a_stream_without_alt_is_one_list(served: Served, key: str, name: str) -> None:
    path = f"/v1beta/models/acme%2F{name}:streamGenerateContent?key={key}"
    answer = served.call("POST", path, says("[[say: hello world]]"))
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    chunks = answer.json()
    text = "".join(part["text"] for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"])
    assert text == "hello world" and "usageMetadata" in chunks[-1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_case_08_parallel_calls_and_their_results(served: Served, key: str, name: str, stream: bool) -> None:
    tools = [{"functionDeclarations": [{"name": "look", "parametersJsonSchema": LOOK}]}]
    asked = says('[[call: look {"n": 1}]] [[call: look {"n": 2}]]', tools=tools)
    found = [one for one in parts(generate(served, key, name, asked, stream=stream), stream=stream)
             if "functionCall" in one]  # fmt: skip
    assert [one["functionCall"]["args"] for one in found] == [{"n": 1}, {"n": 2}]
    results = [{"functionResponse": {"name": "look", "response": {"output": f"r{n}"}}} for n in (1, 2)]
    replay = [*asked["contents"], {"role": "model", "parts": found}, {"role": "user", "parts": results}]
    again = generate(served, key, name, {"contents": replay, "tools": tools}, stream=stream)
    assert "r1; r2" in parts(again, stream=stream)[0]["text"]


@pytest.mark.parametrize("name", ["own", "compat"])
def test_case_28_a_chat_client_carries_the_signature_home(served: Served, key: str, name: str) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": LOOK}}
    first = served.chat(key, '[[call: look {"n": 1}]] [[call: look {"n": 2}]]', model=f"acme/{name}", tools=[tool])
    message = first.json()["choices"][0]["message"]
    assert first.json()["choices"][0]["finish_reason"] == "tool_calls"
    results = [{"role": "tool", "tool_call_id": one["id"], "content": one["function"]["arguments"]}
               for one in reversed(message["tool_calls"])]  # fmt: skip
    body = {"model": f"acme/{name}", "messages": [{"role": "user", "content": "go"}, message, *results]}
    again = served.call("POST", "/v1/chat/completions", body, key=key)
    assert again.status == 200, again.body  # the upstream refuses calls without their signature
    assert '{"n":1}; {"n":2}' in again.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("name", ROWS)
def test_a_schema(served: Served, key: str, name: str) -> None:
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    asked = says("where", generationConfig={"responseMimeType": "application/json", "responseSchema": schema})
    assert "city" in json.loads(parts(generate(served, key, name, asked), stream=False)[0]["text"])


@pytest.mark.parametrize("name", ROWS)
def test_an_image(served: Served, key: str, name: str) -> None:
    asked = says("see")
    asked["contents"][0]["parts"].append({"inlineData": {"mimeType": "image/png", "data": "AAAA"}})
    assert "1 attachment(s): image image/png" in parts(generate(served, key, name, asked), stream=False)[0]["text"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_case_18_a_refusal_and_case_17_length(served: Served, key: str, name: str, stream: bool) -> None:
    refused = generate(served, key, name, says("[[refuse]]"), stream=stream)
    assert refused.status == 200
    last = refused.events()[-1] if stream else refused.json()
    assert last.get("promptFeedback") or last["candidates"][0]["finishReason"] in ("SAFETY", "STOP")
    cut = generate(served, key, name, says("a story", generationConfig={"maxOutputTokens": 2}), stream=stream)
    last = cut.events()[-1] if stream else cut.json()
    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"


@pytest.mark.parametrize("name", ROWS)
def test_case_34_an_error_in_the_middle(served: Served, key: str, name: str) -> None:
    answer = generate(served, key, name, says("[[stream: 9]] [[fail: error-event 3]]"), stream=True)
    assert answer.status == 200 and answer.events()[-1]["error"]["status"] == "UNAVAILABLE"


def test_errors_are_googles(served: Served, key: str) -> None:
    unknown = served.call("POST", "/v1beta/models/nobody:generateContent", says("hi"), key=key)
    assert unknown.status == 404 and unknown.json()["error"]["status"] == "NOT_FOUND"
    stranger = generate(served, "cf_live_nobody", "own", says("hi"))
    assert stranger.status == 401 and stranger.json()["error"]["status"] == "UNAUTHENTICATED"
    wrong = generate(served, key, "own", {"contents": [{"parts": [{"hologram": 1}]}]})
    assert wrong.status == 400 and "hologram" in wrong.json()["error"]["message"]


def test_what_another_upstream_cannot_say_is_named(served: Served, key: str) -> None:
    asked = says("hi", safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
                 tools=[{"codeExecution": {}}], novelField={"a": 1}, generationConfig={"novelSetting": 2})  # fmt: skip
    answer = generate(served, key, "chat", asked)
    assert answer.status == 200, answer.body
    assert set(answer.headers["x-conflux-dropped"].split(", ")) == {
        "safetySettings", "tools.codeExecution", "novelField", "generationConfig.novelSetting",
    }  # fmt: skip


def test_what_is_left_out_is_called_as_it_was_written(served: Served, key: str) -> None:
    asked = says("hi", generationConfig={"top_k": 4, "seed": 5})
    dropped = generate(served, key, "responses", asked).headers["x-conflux-dropped"]
    assert set(dropped.split(", ")) == {"generationConfig.topK", "generationConfig.seed"}


def test_tokens_are_counted_for_free(served: Served, key: str) -> None:
    path = f"/v1beta/models/acme/{next(iter(ROWS))}:countTokens"
    body = {"contents": [{"parts": [{"text": "Hello " * 30}]}]}
    answer = served.call("POST", path, body, headers={"x-goog-api-key": key})
    assert answer.status == 200
    assert 30 < json.loads(answer.body)["totalTokens"] < 120
    whole = served.call("POST", path, {"generateContentRequest": body}, headers={"x-goog-api-key": key})
    assert json.loads(whole.body)["totalTokens"] >= 30
    bad = served.call("POST", path, body, headers={"x-goog-api-key": "cf_live_bad"})
    assert bad.status == 401 and json.loads(bad.body)["error"]["status"] == "UNAUTHENTICATED"
