"""The official openai client's Responses, over every upstream dialect and on both lanes."""

import asyncio
import json
import warnings
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.sdk.test_openai import client_of
from tests.system.fixtures import SPOKEN, over
from tests.system.serving import Served
from tests.system.upstreams import Upstreams

MODELS = [over(dialect, lane) for dialect in SPOKEN for lane in ("auto", "compat")]
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
PATCH: Any = {"type": "custom", "name": "apply_patch", "description": "Edit files."}
GROUP: Any = {"type": "namespace", "name": "crm", "description": "Customers", "tools": [{**WEATHER, "name": "find"}]}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


@pytest.fixture(scope="module")
def client(wires: Served, wires_key: str) -> Iterator[OpenAI]:
    with client_of(wires, wires_key) as made:
        yield made


@pytest.fixture(autouse=True)
def accepted_without_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def ask(client: OpenAI, stream: bool, **more: Any) -> Any:
    """The final response, whichever way it came; a stream's events are checked on the way."""
    if not stream:
        return client.responses.create(**more)
    with client.responses.stream(**more) as events:
        seen = list(events)
        orderly(seen)
        return events.get_final_response()


def orderly(events: list[Any]) -> None:
    """The order that strict clients insist on."""
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    added: list[str] = []
    parts: set[tuple[int, int]] = set()
    for event in events:
        if event.type == "response.output_item.added":
            assert event.output_index == len(added)
            added.append(event.item.id)
        elif event.type == "response.content_part.added":
            parts.add((event.output_index, event.content_index))
        elif event.type in ("response.output_text.delta", "response.refusal.delta"):
            assert (event.output_index, event.content_index) in parts
            assert event.item_id == added[event.output_index]
        elif event.type == "response.output_item.done":
            assert event.item.id == added[event.output_index]
    done = [event.item.id for event in events if event.type == "response.output_item.done"]
    assert sorted(done) == sorted(added)
    final = events[-1].response
    assert [item.id for item in final.output] == added
    assert final.id == events[0].response.id and final.id.startswith("resp_")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_plain_answer(client: OpenAI, model: str, stream: bool) -> None:
    found = ask(client, stream, model=model, input="Hello [[say: hi there]]", instructions="Be brief")
    assert found.output_text == "hi there"
    assert (found.model, found.status, found.object) == (model, "completed", "response")
    assert found.store is False and found.instructions == "Be brief"
    assert found.usage.total_tokens == found.usage.input_tokens + found.usage.output_tokens > 0
    assert found.usage.input_tokens_details.cached_tokens == found.usage.output_tokens_details.reasoning_tokens == 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_tools_in_parallel_and_their_results(client: OpenAI, model: str, stream: bool) -> None:
    items: Any = [{"role": "user", "content": '[[call: weather {"city": "Rome"}]] [[call: weather {"city": "Oslo"}]]'}]
    found = ask(client, stream, model=model, input=items, tools=[WEATHER])
    calls = [item for item in found.output if item.type == "function_call"]
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Rome", "Oslo"]
    items += [item.to_dict() for item in found.output]
    items += [{"type": "function_call_output", "call_id": call.call_id, "output": f"{n} degrees"}
              for n, call in enumerate(calls)]  # fmt: skip
    after = ask(client, stream, model=model, input=items, tools=[WEATHER])
    assert "0 degrees" in after.output_text and "1 degrees" in after.output_text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_case_33_a_freeform_tool(client: OpenAI, model: str, stream: bool) -> None:
    patch = '*** Begin Patch\n*** Add File: "a".txt\n+1\n*** End Patch'
    items: Any = [{"role": "user", "content": f"[[call: apply_patch {json.dumps({'input': patch})}]]"}]
    found = ask(client, stream, model=model, input=items, tools=[PATCH])
    (call,) = found.output
    assert (call.type, call.name, call.input) == ("custom_tool_call", "apply_patch", patch)
    items += [call.to_dict(), {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "Done!"}]
    assert "Done!" in ask(client, stream, model=model, input=items, tools=[PATCH]).output_text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_a_group_of_tools(client: OpenAI, model: str, stream: bool) -> None:
    name = "find" if model == over("openai-responses") else "crm__find"
    items: Any = [{"role": "user", "content": f'[[call: {name} {{"city": "Rome"}}]]'}]
    found = ask(client, stream, model=model, input=items, tools=[GROUP])
    (call,) = found.output
    assert (call.type, call.namespace, call.name) == ("function_call", "crm", "find")
    items += [call.to_dict(), {"type": "function_call_output", "call_id": call.call_id, "output": "42"}]
    assert "42" in ask(client, stream, model=model, input=items, tools=[GROUP]).output_text


class City(BaseModel):
    name: str
    people: int


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_of_a_given_shape(client: OpenAI, model: str) -> None:
    found = client.responses.parse(model=model, input="A city", text_format=City)
    assert isinstance(found.output_parsed, City)
    with client.responses.stream(model=model, input="A city", text_format=City) as events:
        assert [event.type for event in events][-1] == "response.completed"
        assert isinstance(events.get_final_response().output_parsed, City)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_reasoning_and_its_replay(client: OpenAI, model: str, stream: bool) -> None:
    more: Any = {"reasoning": {"effort": "high", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
    items: Any = [{"role": "user", "content": "[[think: hm, let me see]] [[say: yes]]"}]
    found = ask(client, stream, model=model, input=items, **more)
    thought, said = found.output
    assert (thought.type, thought.summary[0].text, said.type) == ("reasoning", "hm, let me see", "message")
    assert found.usage.output_tokens_details.reasoning_tokens > 0
    assert bool(thought.encrypted_content) is ("responses" in model or "anthropic" in model)
    for again in MODELS:  # the conversation moves on to another provider, which may not see a foreign seal
        rest = [thought.to_dict(), said.to_dict(), {"role": "user", "content": "[[say: moved]]"}]
        assert ask(client, stream, model=again, input=items + rest, **more).output[-1].content[0].text == "moved"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_images_refusals_and_limits(client: OpenAI, model: str, stream: bool) -> None:
    parts: Any = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PIXEL}]
    found = ask(client, stream, model=model, input=[{"role": "user", "content": parts}])
    assert "image image/png" in found.output_text
    if "openai" in model:  # the others refuse by how they stop, not by a text of its own
        assert ask(client, stream, model=model, input="[[refuse]]").output[0].content[0].type == "refusal"
    cut = client.responses.create(model=model, input="[[stream: 50]]", max_output_tokens=16)
    assert (cut.status, cut.incomplete_details and cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert cut.output_text == "".join(f"{number:03d} " for number in range(16))


@pytest.mark.parametrize("model", MODELS)
def test_probabilities(client: OpenAI, model: str) -> None:
    wanted: Any = ["message.output_text.logprobs"]
    if "anthropic" in model:  # case 38
        with pytest.raises(openai.BadRequestError, match="include"):
            client.responses.create(model=model, input="x", include=wanted)
        return
    found: Any = client.responses.create(model=model, input="[[say: hi there]]", include=wanted)
    assert "".join(one.token for one in found.output[0].content[0].logprobs) == "hi there"


@pytest.mark.parametrize("model", MODELS)
def test_case_34_a_stream_that_breaks_fails_by_its_own_event(client: OpenAI, model: str) -> None:
    stream = client.responses.create(model=model, input="[[stream: 9]] [[fail: reset-mid 4]]", stream=True)
    seen: list[Any] = list(stream)
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert seen[-1].type == "response.failed"
    assert seen[-1].response.error.code == "server_error" and "incomplete" in seen[-1].response.error.message
    assert seen[-1].response.id == seen[0].response.id
    assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == "000 001 002 003 "


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("fault", "kind", "code"), [
    ("429 retry-after=3", openai.RateLimitError, "rate_limit_exceeded"),
    ("503", openai.InternalServerError, "server_is_overloaded"),
    ("500", openai.InternalServerError, "upstream_error"),
])  # fmt: skip
def test_failures_have_the_codes_that_agents_read(
    client: OpenAI, model: str, fault: str, kind: type[openai.APIStatusError], code: str
) -> None:
    for stream in (False, True):
        with pytest.raises(kind) as found:
            client.responses.create(model=model, input=f"[[fail: {fault}]]", stream=stream)
        assert found.value.code == code
        assert "429" not in fault or "try again in 3s" in str(found.value)


@pytest.mark.parametrize(("more", "field"), [
    ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ({"background": True}, "background"),
    ({"conversation": "conv_1"}, "conversation"),
    ({"prompt": {"id": "pmpt_1"}}, "prompt"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
    ({"input": [{"type": "strange"}]}, "input[0].type"),
    ({"temperature": 3}, "temperature"),
    ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_name(client: OpenAI, more: Any, field: str) -> None:
    with pytest.raises(openai.BadRequestError) as found:
        client.responses.create(**{"model": MODELS[0], "input": "Hello", **more})
    assert found.value.param == field


@pytest.mark.parametrize("model", MODELS)
def test_what_is_left_out_is_named(client: OpenAI, model: str, upstreams: Upstreams) -> None:
    raw = client.responses.with_raw_response.create(
        model=model, input="Hello [[echo]]", store=True, service_tier="priority", tools=[{"type": "web_search"}],
        truncation="auto",
    )  # fmt: skip
    dropped = set(raw.headers["x-conflux-dropped"].split(", "))
    assert dropped >= {"store", "service_tier"}
    assert ("tools.web_search" in dropped) is ("gemini" not in model)  # which has a search of its own
    assert ("truncation" in dropped) is ("openai-responses" not in model)
    sent = json.loads(raw.parse().output_text)["body"]
    assert ("tools" in sent) is ("gemini" in model) and "service_tier" not in sent
    assert sent.get("store") is (False if "responses" in model else None)


async def test_the_async_client(wires: Served, wires_key: str) -> None:
    async with AsyncOpenAI(api_key=wires_key, base_url=wires.address + "/v1", max_retries=0, timeout=30) as client:

        async def streamed(model: str, number: int) -> str:
            async with client.responses.stream(model=model, input=f"[[say: answer {number}]]") as events:
                return (await events.get_final_response()).output_text

        async def plainly(model: str, number: int) -> str:
            return (await client.responses.create(model=model, input=f"[[say: answer {number}]]")).output_text

        found = await asyncio.gather(*(one(m, n) for n, m in enumerate(MODELS) for one in (streamed, plainly)))
        assert found == [f"answer {number}" for number in range(len(MODELS)) for _ in range(2)]
