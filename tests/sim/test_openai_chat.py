"""OpenAI's answers: exact shapes, stream and plain alike, read by the official client too."""

import base64
import json
from typing import Any

import msgspec
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflux.sim import openai_chat
from conflux.sim.answer import plan_for
from conflux.sim.ask import BadRequest
from conflux.sim.dialect import Dialect
from conflux.sim.markers import USAGE_MANNERS
from conflux.sim.quirks import Quirks
from conflux.sim.script import Script
from conflux.sim.server import SimServer
from tests.sim.client import Answer, chat, say
from tests.sim.conftest import NOW, Starter

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
USAGE_OPTION = {"include_usage": True}

# One request for each thing an answer can hold.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("hello", {}),
    "empty": ("[[say:]]", {}),
    "beyond ascii": ("[[say: 日本語のテキスト 😀😀 \u2028]]", {}),
    "thinking": ("[[think: let me see]] hi", {}),
    "refusal": ("[[refuse]]", {}),
    "length": ("a long story", {"max_tokens": 3}),
    "call": ('[[call: weather {"city": "Rome"}]]', {"tools": [TOOL]}),
    "words and parallel calls": ("[[say: well]] [[call: weather]] [[call: weather]]", {"tools": [TOOL]}),
    "cut call": ("[[call: weather]]", {"tools": [TOOL], "max_tokens": 4}),
    "choices": ("hello", {"n": 3}),
    "choices that think and call": ("[[think: x]] [[call]]", {"n": 2, "tools": [TOOL]}),
    "logprobs": ("hello", {"logprobs": True, "top_logprobs": 2}),
    "filtered": ("[[finish: content_filter]]", {}),
    "claimed": ("[[usage: prompt=10 completion=5 cached=3 reasoning=2]]", {}),
}


def joined(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put a stream together the way a careful client does: what may come once comes once."""
    made: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for part in chunk["choices"]:
            choice = made.setdefault(part["index"], {"message": {}, "finish_reason": None, "logprobs": None})
            assert choice["finish_reason"] is None, "something after the end"
            delta, message = part["delta"], choice["message"]
            if "role" in delta:
                assert not message
                message.update(delta)
            else:
                _extend(message, delta)
            if part["logprobs"]:
                choice["logprobs"] = choice["logprobs"] or {"content": [], "refusal": []}
                for name, tokens in part["logprobs"].items():
                    choice["logprobs"][name] += tokens or []
            choice["finish_reason"] = part["finish_reason"]
    return [made[index] for index in sorted(made)]


def _extend(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name != "tool_calls":
            message[name] = (message.get(name) or "") + value
            continue
        calls = message.setdefault("tool_calls", [])
        for part in value:
            if part["index"] == len(calls):
                calls.append({"id": part["id"], "type": part["type"], "function": dict(part["function"])})
            else:
                assert set(part) == {"index", "function"} and part["index"] == len(calls) - 1
                calls[-1]["function"]["arguments"] += part["function"]["arguments"]


@pytest.mark.parametrize("name", CASES)
async def test_a_stream_says_what_the_plain_answer_says(sim: SimServer, name: str) -> None:
    text, fields = CASES[name]
    plain = (await say(sim.port, text, **fields)).json
    streamed = await say(sim.port, text, **fields, stream=True, stream_options=USAGE_OPTION)
    assert streamed.lines[-1] == b"[DONE]" and streamed.whole
    *chunks, last = streamed.chunks
    assert last["choices"] == [] and last["usage"] == plain["usage"]
    assert all(chunk["usage"] is None for chunk in chunks)
    assert {chunk["id"] for chunk in streamed.chunks} == {plain["id"]}
    wholes = joined(chunks)
    assert len(wholes) == len(plain["choices"])
    for whole, choice in zip(wholes, plain["choices"], strict=True):
        expected = {name: value for name, value in choice["message"].items() if name != "annotations"}
        if not expected["content"] and not expected["refusal"]:
            # Nothing said: an empty text and none are the same to whoever joins.
            whole["message"]["content"] = expected["content"]
        if expected["refusal"]:
            whole["message"]["content"] = None
        assert whole["message"] == expected
        assert whole["finish_reason"] == choice["finish_reason"]
        if choice["logprobs"]:
            assert whole["logprobs"]["content"] == choice["logprobs"]["content"]
    # What was handed over is what was counted, either way.
    assert [record.tokens for record in sim.log.records] == [sim.log.records[0].tokens] * 2


async def test_the_plain_shape(sim: SimServer) -> None:
    answer = await say(sim.port, "hello")
    body = answer.json
    assert list(body) == [
        "id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint",
    ]  # fmt: skip
    assert body["id"].startswith("chatcmpl-") and body["object"] == "chat.completion" and body["created"] == NOW
    assert (body["model"], body["system_fingerprint"]) == ("m", "fp_simulated")
    assert body["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant", "content": "[simulated] You said: hello", "refusal": None, "annotations": [],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]  # fmt: skip
    used = body["usage"]
    assert used["total_tokens"] == used["prompt_tokens"] + used["completion_tokens"]
    assert used["prompt_tokens_details"]["cached_tokens"] == used["completion_tokens_details"]["reasoning_tokens"] == 0
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-conflux-simulated"] == "true"


async def test_the_chunks_shape(sim: SimServer) -> None:
    answer = await say(sim.port, "hello", stream=True)
    first, *_, last = answer.chunks
    assert list(first) == ["id", "object", "created", "model", "service_tier", "system_fingerprint", "choices"]
    assert first["object"] == "chat.completion.chunk" and first["created"] == NOW
    assert first["choices"][0] == {
        "index": 0, "delta": {"role": "assistant", "content": "", "refusal": None}, "logprobs": None,
        "finish_reason": None,
    }  # fmt: skip
    assert last["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-conflux-simulated"] == "true"


async def test_calls_have_ids_of_their_own(sim: SimServer) -> None:
    answer = await say(sim.port, "[[call]] [[call]]", tools=[TOOL], n=2)
    ids = [call["id"] for choice in answer.json["choices"] for call in choice["message"]["tool_calls"]]
    assert len(set(ids)) == 4 and all(one.startswith("call_") for one in ids)


async def test_choices_come_side_by_side(sim: SimServer) -> None:
    answer = await say(sim.port, "hello", n=2, stream=True)
    order = [chunk["choices"][0]["index"] for chunk in answer.chunks if chunk["choices"][0]["delta"].get("content")]
    assert order[:6] == [0, 1, 0, 1, 0, 1]


def usages(answer: Answer) -> list[tuple[int, int]]:
    """(place from the end without [DONE], completion tokens) of every usage told."""
    chunks = answer.chunks[::-1]
    return [(place, c["usage"]["completion_tokens"]) for place, c in enumerate(chunks) if c.get("usage")][::-1]


MANNERS: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]]]] = {
    # manner: (not asked for, asked for)
    "missing": ([], []),
    "zero": ([], [(0, 0)]),
    "absurd": ([], [(0, 10**12)]),
    "twice": ([(1, 2), (0, 2)], [(1, 2), (0, 2)]),
    "own-chunk": ([(0, 2)], [(0, 2)]),
    "with-finish": ([(0, 2)], [(0, 2)]),
    "after-finish": ([(0, 2)], [(0, 2)]),
    "every-chunk": ([(3, 0), (2, 1), (1, 2), (0, 2)], [(4, 0), (3, 1), (2, 2), (1, 2), (0, 2)]),
}


@pytest.mark.parametrize("manner", USAGE_MANNERS)
async def test_every_manner_of_telling_usage(sim: SimServer, manner: str) -> None:
    text = f"[[say: 12345678]] [[usage: {manner}]]"
    unasked, asked = MANNERS[manner]
    assert usages(await say(sim.port, text, stream=True)) == unasked
    assert usages(await say(sim.port, text, stream=True, stream_options=USAGE_OPTION)) == asked
    plain = (await say(sim.port, text)).json
    assert ("usage" in plain) == (manner != "missing")


async def test_missing_means_that_no_chunk_pretends(sim: SimServer) -> None:
    answer = await say(sim.port, "[[usage: missing]]", stream=True, stream_options=USAGE_OPTION)
    assert all(chunk["choices"] for chunk in answer.chunks)


async def test_usage_is_told_once_however_many_choices(sim: SimServer) -> None:
    answer = await say(sim.port, "[[say: 1234]] [[usage: with-finish]]", stream=True, n=3)
    assert usages(answer) == [(0, 3)]


async def test_where_a_manner_puts_it(sim: SimServer) -> None:
    async def tail(manner: str) -> list[dict[str, Any]]:
        return (await say(sim.port, f"[[usage: {manner}]]", stream=True)).chunks[-2:]

    finish, own = await tail("own-chunk")
    assert finish["choices"][0]["finish_reason"] == "stop" and "usage" not in finish and own["choices"] == []
    _, last = await tail("with-finish")
    assert last["choices"][0]["finish_reason"] == "stop"
    finish, after = await tail("after-finish")
    assert finish["choices"][0]["finish_reason"] == "stop" and finish["usage"] is None
    assert after["choices"][0]["delta"] == {"content": ""} and after["choices"][0]["finish_reason"] is None


async def test_quirks_change_where_things_are(start: Starter) -> None:
    sim = await start(Script(quirks=Quirks(reasoning_field="reasoning", done=False, refuses=("seed",))))
    assert (await say(sim.port, "[[think: hm]]")).message["reasoning"] == "hm"
    streamed = await say(sim.port, "[[think: hm]]", stream=True)
    assert streamed.lines[-1] != b"[DONE]"
    assert joined(streamed.chunks)[0]["message"]["reasoning"] == "hm"
    assert (await say(sim.port, "x", seed=1)).status == 400


async def test_a_model_may_have_any_name(sim: SimServer) -> None:
    for name in ("PIECE", '"PIECE"', "a\\b\n"):
        body = chat("[[say: PIECE]]", stream=True) | {"model": name}
        answer = await say(sim.port, **{"text": "[[say: PIECE]]", **{k: v for k, v in body.items() if k != "messages"}})
        assert {chunk["model"] for chunk in answer.chunks} == {name}
        assert joined(answer.chunks)[0]["message"]["content"] == "PIECE"


def test_errors() -> None:
    assert json.loads(openai_chat.error_body(429, "slow", "rate_limit_exceeded")) == {
        "error": {"message": "slow", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}
    }
    kinds = {status: json.loads(openai_chat.error_body(status, ""))["error"]["type"] for status in (400, 401, 500, 503)}
    assert kinds == {
        400: "invalid_request_error", 401: "authentication_error", 500: "server_error", 503: "server_error",
    }  # fmt: skip
    assert openai_chat.error_event("x").startswith(b'data: {"error":')


def everything(body: Any) -> None:
    """Read, decide and render; a refusal is an answer too."""
    dialect: Dialect = openai_chat
    try:
        ask = dialect.read(msgspec.json.encode(body), "/p", 0, Quirks())
    except BadRequest:
        return
    plan = plan_for(ask, Script(), {})
    rendering = dialect.render(ask, plan, NOW, Quirks())
    json.loads(rendering.whole())
    delivered = 0
    for event, tokens in rendering.events():
        assert event.startswith(b"data: ") and event.endswith(b"\n\n") and event.count(b"\n") == 2
        delivered += tokens
    assert delivered == plan.tokens


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.sampled_from([0.5, "", "user", "tool", "text", "f", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["role", "content", "type", "text", "image_url", "url", "tool_calls", "function", "name", "id",
                         "arguments", "parameters", "tool_call_id", "include_usage", "json_schema", "schema"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["model", "messages", "tools", "tool_choice", "stop", "n", "stream", "stream_options", "response_format",
     "max_tokens", "logprobs", "top_logprobs", "reasoning", "chat_template_kwargs", "parallel_tool_calls"]
)  # fmt: skip
GOOD: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "[[think: x]] [[call]]"}],
    "tools": [TOOL],
}


@settings(max_examples=150)
@given(st.dictionaries(FIELDS, VALUES, max_size=5))
def test_any_body_is_answered_or_refused(changes: dict[str, Any]) -> None:
    everything({**GOOD, **changes})


@settings(max_examples=100)
@given(st.text(alphabet="[]:{} \"'sayfilecthn0123=-\n", max_size=80), st.integers(1, 30), st.integers(1, 3))
def test_any_prompt_is_answered(text: str, limit: int, choices: int) -> None:
    message = {"role": "user", "content": text}
    everything({"model": "m", "messages": [message], "max_tokens": limit, "n": choices, "tools": [TOOL]})


class TestOfficialClient:
    @pytest.fixture
    async def client(self, sim: SimServer) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{sim.port}/v1", api_key="none", max_retries=0)

    async def test_plain(self, client: openai.AsyncOpenAI) -> None:
        async with client:
            made = await client.chat.completions.create(**chat("hello", n=2, logprobs=True, top_logprobs=2))
        assert made.choices[1].message.content == "[simulated] You said: hello (choice 2)"
        assert made.system_fingerprint == "fp_simulated"
        assert made.usage is not None and made.usage.prompt_tokens_details is not None
        assert made.choices[0].logprobs is not None and made.choices[0].logprobs.content is not None
        assert len(made.choices[0].logprobs.content[0].top_logprobs) == 2

    async def test_stream_helper_with_a_schema(self, client: openai.AsyncOpenAI) -> None:
        shape = {
            "type": "json_schema",
            "json_schema": {
                "name": "s",
                "strict": True,
                "schema": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
            },
        }
        async with client, client.chat.completions.stream(
            **chat("give"), response_format=shape, stream_options=USAGE_OPTION  # type: ignore[arg-type]
        ) as stream:  # fmt: skip
            kinds = [event.type async for event in stream]
            made = await stream.get_final_completion()
        assert kinds[0] == "chunk" and "content.done" in kinds
        assert isinstance(json.loads(made.choices[0].message.content or "")["x"], int)
        assert made.usage is not None and made.usage.completion_tokens > 0

    async def test_a_tool_from_call_to_answer(self, client: openai.AsyncOpenAI) -> None:
        tools: Any = [{**TOOL, "function": {**TOOL["function"], "strict": True}}]  # type: ignore[dict-item]
        question = chat("[[call: weather]] [[call: weather]]")
        async with client:
            async with client.chat.completions.stream(**question, tools=tools) as stream:
                async for _ in stream:
                    pass
                message = (await stream.get_final_completion()).choices[0].message
            calls = message.tool_calls or []
            assert len(calls) == 2 and len({call.id for call in calls}) == 2
            history: Any = [*question["messages"], message.model_dump(exclude_none=True, exclude={"parsed"})]
            for place, call in enumerate(calls):
                assert isinstance(json.loads(call.function.arguments)["city"], str)
                history.append({"role": "tool", "tool_call_id": call.id, "content": f"sunny {place}"})
            for call in history[1]["tool_calls"]:
                call["function"].pop("parsed_arguments", None)
            made = await client.chat.completions.create(model="m", messages=history, tools=tools)
        assert made.choices[0].message.content == "[simulated] the tools said: sunny 0; sunny 1"

    async def test_images(self, client: openai.AsyncOpenAI) -> None:
        url = "data:image/png;base64," + base64.b64encode(b"x" * 10).decode()
        content: Any = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": url}}]
        async with client:
            made = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": content}])
        said = made.choices[0].message.content or ""
        assert said.endswith("I received 1 attachment(s): image image/png of 10 bytes.")

    async def test_errors_are_the_clients_own(self, client: openai.AsyncOpenAI) -> None:
        async with client:
            with pytest.raises(openai.RateLimitError) as caught:
                await client.chat.completions.create(**chat("[[fail: 429 code=slow retry-after=3]]"))
            assert caught.value.code == "slow" and caught.value.response.headers["retry-after"] == "3"
            with pytest.raises(openai.BadRequestError) as bad:
                await client.chat.completions.create(**chat("x", temperature=3))
            assert bad.value.param == "temperature"
            with pytest.raises(openai.APIError, match="inside an answer"):
                async for _ in await client.chat.completions.create(**chat("[[fail: error-event 3]] hi", stream=True)):
                    pass

    async def test_the_list(self, client: openai.AsyncOpenAI) -> None:
        async with client:
            assert [model.id async for model in client.models.list()] == ["simulated-model"]
            assert (await client.models.retrieve("simulated-model")).object == "model"
            with pytest.raises(openai.NotFoundError):
                await client.models.retrieve("other")
