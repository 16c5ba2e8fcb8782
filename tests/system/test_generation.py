"""POST /v1/chat/completions: seed 2's shapes, streamed and not, and what is on the receipt."""

from typing import Any

import pytest

from tests.system.serving import Answer, Served, said
from tests.system.test_bad_input import USER, body, deep
from tests.system.upstreams import Upstreams

USAGE = {"prompt_tokens", "completion_tokens", "total_tokens"}


def test_a_plain_answer_has_the_documented_shape(plain: Served, plain_key: str) -> None:
    body = {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "What is the capital of France? [[say: The capital of France is Paris.]]"},
        ],
        "max_tokens": 100,
        "temperature": 0.7,
    }
    answer = plain.call("POST", "/v1/chat/completions", body, key=plain_key)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert content["id"].startswith("chatcmpl-") and content["object"] == "chat.completion"
    assert isinstance(content["created"], int) and content["model"] == "gpt-4o-mini"
    (choice,) = content["choices"]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] == "The capital of France is Paris."
    usage = content["usage"]
    assert set(usage) >= USAGE
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"]


@pytest.mark.parametrize("wanted", [False, True])
def test_a_stream_has_the_documented_shape(plain: Served, plain_key: str, wanted: bool) -> None:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if wanted else {}
    answer = plain.chat(plain_key, "Count to 5 [[stream: 5]]", stream=True, **options)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    found = answer.events()
    assert found[-1] == "[DONE]" and found.count("[DONE]") == 1
    assert said(found) == "000 001 002 003 004 "
    chunks = found[:-1]
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        assert (chunk["model"], chunk["id"], chunk["created"]) == (
            "gpt-4o-mini", chunks[0]["id"], chunks[0]["created"],
        )  # fmt: skip
        assert all(choice["index"] == 0 and "delta" in choice for choice in chunk["choices"])
    assert [
        c["choices"][0]["finish_reason"] for c in chunks if c["choices"] and c["choices"][0].get("finish_reason")
    ] == ["stop"]
    with_usage = [chunk for chunk in chunks if chunk.get("usage")]
    assert len(with_usage) == (1 if wanted else 0)
    if wanted:
        assert with_usage[0]["choices"] == [] and with_usage[0] is chunks[-1]
        assert with_usage[0]["usage"]["completion_tokens"] == 5


def test_a_model_that_is_not_there_is_told_as_documented(plain: Served, plain_key: str) -> None:
    for stream in (False, True):
        answer = plain.chat(plain_key, "hello", model="invalid-model-name", stream=stream)
        assert answer.status == 404 and answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "error": "Model not found",
            "message": "Unknown model: invalid-model-name",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }


def test_simulated_answers_are_labelled_priced_and_free(plain: Served) -> None:
    key = plain.key(budget_usd="1")
    for stream in (False, True):
        answer = plain.chat(key, "hello", stream=stream)
        assert answer.headers["x-conflux-simulated"] == "true"
        receipt = plain.receipt(key, answer)
        assert receipt["simulated"] is True and float(receipt["cost_usd"]) > 0
    assert plain.spent(key) == []


def test_answers_say_what_was_asked_and_what_served(real: Served, real_key: str) -> None:
    for stream in (False, True):
        answer = real.chat(real_key, "hello", model="acme/good", stream=stream)
        assert "x-conflux-simulated" not in answer.headers
        assert answer.headers["x-conflux-requested-model"] == "acme/good"
        assert answer.headers["x-conflux-served-model"] == "acme/good"
        assert answer.headers["x-conflux-fallback-applied"] == "false"


def test_an_alias_is_served_under_the_name_that_was_sent(plain: Served) -> None:
    key = plain.key(storefront="tokenflux")
    listed = {row["id"] for row in plain.get("/tokenflux/models").json()["data"]}
    alias = next(one for one in ("gpt-4.1", "claude-sonnet-4") if one not in listed)
    answer = plain.chat(key, "hello", model=alias)
    assert answer.status == 200
    assert answer.headers["x-tokenflux-requested-model"] == alias
    assert answer.headers["x-tokenflux-served-model"] in listed


TASKS = {
    "core": ("simple_chat", "summarize", "extract", "translate"),
    "pro": ("code_gen", "creative"),
    "ultra": ("deep_reasoning",),
}


@pytest.mark.parametrize(("tier", "task"), [(tier, one) for tier, tasks in TASKS.items() for one in tasks])
def test_a_task_type_picks_a_model(plain: Served, plain_key: str, tier: str, task: str) -> None:
    body = {"task_type": task, "messages": [{"role": "user", "content": "do it"}], "max_tokens": 500}
    answer = plain.call("POST", "/v1/chat/completions", body, key=plain_key)
    assert answer.status == 200, answer.body
    assert answer.headers["x-conflux-route-task"] == task
    assert answer.headers["x-conflux-route-tier"] == tier
    assert answer.json()["model"] == answer.headers["x-conflux-served-model"]


def test_tools_are_called(plain: Served, plain_key: str) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": schema}}]
    text = 'Weather? [[call: weather {"city": "Paris"}]]'
    plain_answer = plain.chat(plain_key, text, tools=tools, task_type=None)
    choice = plain_answer.json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "weather" and "Paris" in call["function"]["arguments"]
    streamed = plain.chat(plain_key, text, tools=tools, stream=True).events()
    parts = [part for event in streamed[:-1] for c in event["choices"] for part in c["delta"].get("tool_calls") or ()]
    assert [part["function"]["name"] for part in parts if part["function"].get("name")] == ["weather"]
    assert "".join(part["function"].get("arguments") or "" for part in parts) == call["function"]["arguments"]


def _posted(real: Served, key: str) -> list[str]:
    return real.spent(key)


def test_test_keys_run_on_the_simulator_beside_a_provider(real: Served, upstreams: Upstreams) -> None:
    key = real.key(test=True, name="trial")
    assert key.startswith("cf_test_")
    before = upstreams.received
    for model in ("acme/good", "conflux/deepseek-v4-pro"):
        for stream in (False, True):
            answer = real.chat(key, "hello", model=model, stream=stream)
            assert answer.status == 200, answer.body
            assert answer.headers["x-conflux-simulated"] == "true"
            assert real.receipt(key, answer)["simulated"] is True
    assert upstreams.received == before
    assert _posted(real, key) == []


def test_a_model_without_a_live_target_leaves_the_keys_list(real: Served, real_key: str) -> None:
    public = {row["id"] for row in real.get("/v1/models").json()["data"]}
    own = {row["id"] for row in real.get("/v1/models", key=real_key).json()["data"]}
    assert "conflux/deepseek-v4-pro" in public - own and "acme/good" in own
    answer = real.chat(real_key, "hello", model="conflux/deepseek-v4-pro")
    assert answer.status == 503 and "no live target" in answer.json()["error"]["message"]


EXACT: list[tuple[str, dict[str, Any], str]] = [
    ("plain", {}, "0.00026"),
    ("streamed", {"stream": True}, "0.00026"),
]


@pytest.mark.parametrize(("name", "fields", "cost"), EXACT, ids=lambda one: one if isinstance(one, str) else "")
def test_what_the_provider_counted_is_what_is_paid(
    real: Served, real_key: str, name: str, fields: dict[str, Any], cost: str
) -> None:
    text = "[[usage: prompt=200 completion=30]]" + " word" * 60
    receipt = real.receipt(real_key, real.chat(real_key, text, model="acme/good", **fields))
    assert receipt["cost_usd"] == cost and receipt["provenance"] == "provider"
    assert receipt["price_version"]


MANNERS = {"missing": "estimated", "zero": "provider", "absurd": "quarantined", "own-chunk": "provider",
           "with-finish": "provider", "after-finish": "provider", "twice": "provider"}  # fmt: skip


@pytest.mark.parametrize(("manner", "provenance"), MANNERS.items())
def test_usage_that_is_told_oddly(real: Served, real_key: str, manner: str, provenance: str) -> None:
    answer: Answer = real.chat(real_key, f"[[stream: 20]] [[usage: {manner}]]", model="acme/good", stream=True)
    assert said(answer.events()).split()[-1] == "019"
    receipt = real.receipt(real_key, answer)
    assert receipt["provenance"] == provenance
    assert (float(receipt["cost_usd"]) > 0) == (manner not in ("zero", "absurd"))


def test_other_content_types_are_read_all_the_same(real: Served, real_key: str) -> None:
    answer = real.call("POST", "/v1/chat/completions", body(), key=real_key, headers={"content-type": "text/plain"})
    assert answer.status == 200


def test_what_is_odd_but_right(real: Served, real_key: str) -> None:
    for raw in (
        deep(60),
        b" \r\n\t" + body() + b"\n",
        body(temperature=2),
        body(temperature=0),
        body(metadata={"a": "b"}),
        body(messages=[{"role": "user", "content": "\ud83c\udf0a"}]),
        body(
            messages=[{"role": "developer", "content": "be brief"}, USER, {"role": "assistant", "content": "hm"}, USER]
        ),
        body(messages=[{"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
    ):
        assert real.call("POST", "/v1/chat/completions", raw, key=real_key).status == 200, raw[:200]
