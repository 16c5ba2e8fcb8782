"""The official openai client against a running server, as its own documentation uses it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.system.serving import Served

MODEL = "gpt-4o-mini"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


def client_of(served: Served, key: str, **more: object) -> OpenAI:
    return OpenAI(api_key=key, base_url=served.address + "/v1", max_retries=0, timeout=30, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client(plain: Served, plain_key: str) -> Iterator[OpenAI]:
    with client_of(plain, plain_key) as made:
        yield made


@pytest.fixture(scope="module")
def failing(real: Served, real_key: str) -> Iterator[OpenAI]:
    """For what the upstream does: acme/stall waits little."""
    with client_of(real, real_key) as made:
        yield made


def says(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_a_completion(client: OpenAI) -> None:
    found = client.chat.completions.create(model=MODEL, messages=says("Hello [[say: hi there]]"), max_tokens=50)
    assert found.model == MODEL and found.object == "chat.completion"
    assert found.choices[0].message.content == "hi there"
    assert found.choices[0].finish_reason == "stop"
    assert found.usage is not None and found.usage.total_tokens > 0


def test_a_stream(client: OpenAI) -> None:
    stream = client.chat.completions.create(model=MODEL, messages=says("[[stream: 9]]"), stream=True)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).split()[-1] == "008"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert {chunk.model for chunk in chunks} == {MODEL} and len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_with_usage(client: OpenAI) -> None:
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(
        model=MODEL, messages=says("[[stream: 9]]"), stream=True, stream_options=options))  # type: ignore[call-overload]  # fmt: skip
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 9
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_stream_helper(client: OpenAI) -> None:
    with client.chat.completions.stream(model=MODEL, messages=says("[[stream: 5]]")) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "content.delta" in kinds and kinds[-1] == "content.done"
    assert final.choices[0].message.content == "000 001 002 003 004 "


def test_a_stream_that_is_left_early(client: OpenAI) -> None:
    with client.chat.completions.create(model=MODEL, messages=says("[[stream: 9999 at 50]]"), stream=True) as stream:
        assert next(iter(stream)).model == MODEL
    assert client.models.retrieve(MODEL).id == MODEL


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called_and_its_result_used(client: OpenAI, stream: bool) -> None:
    messages = says('[[call: weather {"city": "Paris"}]]')
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=messages, tools=[WEATHER]) as events:
            message: Any = events.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER]).choices[0].message
    (call,) = message.tool_calls
    assert (call.function.name, call.function.arguments.replace(" ", "")) == ("weather", '{"city":"Paris"}')
    messages += [
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"},
    ]
    after = client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER])
    assert "21 degrees" in (after.choices[0].message.content or "")


class City(BaseModel):
    name: str
    people: int


def test_an_answer_of_a_given_shape(client: OpenAI) -> None:
    found = client.chat.completions.parse(model=MODEL, messages=says("A city"), response_format=City)
    assert isinstance(found.choices[0].message.parsed, City)


def test_several_choices(client: OpenAI) -> None:
    found = client.chat.completions.create(model=MODEL, messages=says("Hello"), n=3)
    assert [choice.index for choice in found.choices] == [0, 1, 2]


def test_models(client: OpenAI) -> None:
    listed = list(client.models.list())
    assert {"conflux/deepseek-v4-pro", MODEL} <= {model.id for model in listed}
    assert all(model.object == "model" for model in listed)
    assert client.models.retrieve("conflux/deepseek-v4-pro").id == "conflux/deepseek-v4-pro"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody/nothing")


@pytest.mark.parametrize("storefront", ["tokenflux", "inference", "llmbase"])
def test_models_of_every_storefront_with_its_key_alone(plain: Served, storefront: str) -> None:
    with client_of(plain, plain.key(storefront=storefront, name="sdk")) as client:
        listed = list(client.models.list())
        assert [model.id for model in listed] == sorted(model.id for model in listed) != []
        for model in listed:
            assert client.models.retrieve(model.id).id == model.id
        with pytest.raises(openai.NotFoundError) as unknown:
            client.models.retrieve("nobody/nothing")
        assert unknown.value.code == "model_not_found"


def test_headers_of_the_raw_answer(client: OpenAI, plain: Served, plain_key: str) -> None:
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=says("Hello"))
    assert raw.headers["x-conflux-served-model"] == MODEL
    assert raw.headers["x-conflux-simulated"] == "true"
    found = raw.parse()
    assert found._request_id == raw.headers["x-request-id"]
    receipt = plain.get(f"/v1/receipts/{raw.headers['x-request-id']}", key=plain_key).json()
    assert receipt["usage"]["output"] == (found.usage and found.usage.completion_tokens)
    with client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=says("Hello"), stream=True
    ) as streamed:
        assert streamed.headers["content-type"].startswith("text/event-stream")
        assert "data: [DONE]" in list(streamed.iter_lines())


def test_a_task_type_goes_in_the_extra_body(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(  # type: ignore[call-overload]
        model=openai.omit, messages=says("Hello"), extra_body={"task_type": "code_gen"}
    )
    assert raw.headers["x-conflux-route-task"] == "code_gen"


def test_mistakes_are_the_clients_own_exceptions(client: OpenAI, plain: Served) -> None:
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model=MODEL, messages=says("Hello"), temperature=3)
    assert (bad.value.param, bad.value.status_code) == ("temperature", 400)
    assert bad.value.request_id is not None
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="nothing", messages=says("Hello"))
    assert unknown.value.response.json()["message"] == "Unknown model: nothing"
    with pytest.raises(openai.AuthenticationError) as key, client_of(plain, "cf_live_nonsense") as nobody:
        nobody.chat.completions.create(model=MODEL, messages=says("Hello"))
    assert key.value.code == "invalid_api_key"


FAILURES = [("429", openai.RateLimitError), ("500", openai.InternalServerError), ("503", openai.InternalServerError),
            ("stall-before", openai.InternalServerError), ("reset-mid", openai.InternalServerError)]  # fmt: skip


@pytest.mark.parametrize(("fault", "kind"), FAILURES)
def test_failures_of_the_upstream_are_the_clients_own_exceptions(
    failing: OpenAI, fault: str, kind: type[openai.APIStatusError]
) -> None:
    with pytest.raises(kind) as found:
        failing.chat.completions.create(model="acme/stall", messages=says(f"[[fail: {fault}]]"))
    assert found.value.code and found.value.request_id


def test_a_stream_that_breaks_raises(failing: OpenAI) -> None:
    stream = failing.chat.completions.create(
        model="acme/stall", messages=says("[[stream: 9]] [[fail: reset-mid 4]]"), stream=True
    )
    text = ""
    with pytest.raises(openai.APIError) as found:
        for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    assert text == "000 001 002 003 " and "incomplete" in str(found.value)


def test_what_may_be_tried_again_is(real: Served, real_key: str) -> None:
    """The client's own retries: it is told how long to wait, and reads it."""
    with client_of(real, real_key).with_options(max_retries=1) as patient, pytest.raises(openai.RateLimitError):
        patient.chat.completions.create(model="acme/stall", messages=says("[[fail: 429 retry-after=1]]"))


async def test_the_async_client(plain: Served, plain_key: str) -> None:
    async with AsyncOpenAI(api_key=plain_key, base_url=plain.address + "/v1", max_retries=0, timeout=30) as client:

        async def streamed(number: int) -> str:
            stream = await client.chat.completions.create(
                model=MODEL, messages=says(f"[[say: answer {number}]]"), stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        async def plainly(number: int) -> str:
            found = await client.chat.completions.create(model=MODEL, messages=says(f"[[say: answer {number}]]"))
            return found.choices[0].message.content or ""

        found = await asyncio.gather(*(one(n) for n in range(10) for one in (streamed, plainly)))
        assert found == [f"answer {number}" for number in range(10) for _ in range(2)]
        assert MODEL in [model.id async for model in client.models.list()]
        async with client.chat.completions.stream(model=MODEL, messages=says("[[stream: 3]]")) as events:
            final = await events.get_final_completion()
        assert final.choices[0].message.content == "000 001 002 "
