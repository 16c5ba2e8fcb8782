"""The stream helpers of the official clients, async, over every upstream dialect and on both lanes."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel

from tests.sdk.test_openai import WEATHER
from tests.system.fixtures import SPOKEN, over
from tests.system.serving import Served

MODELS = [over(dialect, lane) for dialect in SPOKEN for lane in ("auto", "compat")]
SAID = "Grüße, 世界 👋"
ERRANDS = '[[call: weather {"city": "Rome"}]] [[call: weather {"city": "Oslo"}]]'
CITIES = ["Rome", "Oslo"]
CLAUDES: Any = {"name": "weather", "input_schema": WEATHER["function"]["parameters"]}
every = pytest.mark.parametrize("model", MODELS)


class City(BaseModel):
    name: str
    people: int


@pytest.fixture(autouse=True)
def accepted_without_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def openai(served: Served, key: str) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=key, base_url=served.address + "/v1", max_retries=0, timeout=30)


@every
async def test_chat_completions(wires: Served, wires_key: str, model: str) -> None:
    messages: Any = [{"role": "user", "content": f"Hello [[say: {SAID}]]"}]
    async with openai(wires, wires_key) as client:
        async with client.chat.completions.stream(model=model, messages=messages) as stream:
            pieces = [event.delta async for event in stream if event.type == "content.delta"]
            final = await stream.get_final_completion()
        assert "".join(pieces) == final.choices[0].message.content == SAID
        messages = [{"role": "user", "content": ERRANDS}]
        async with client.chat.completions.stream(model=model, messages=messages, tools=[WEATHER]) as stream:
            message: Any = (await stream.get_final_completion()).choices[0].message
        assert [json.loads(call.function.arguments)["city"] for call in message.tool_calls] == CITIES
        messages.append(message.model_dump(exclude_none=True))
        messages += [{"role": "tool", "tool_call_id": call.id, "content": f"{n} degrees"}
                     for n, call in enumerate(message.tool_calls)]  # fmt: skip
        async with client.chat.completions.stream(model=model, messages=messages, tools=[WEATHER]) as stream:
            text = (await stream.get_final_completion()).choices[0].message.content or ""
        assert "0 degrees" in text and "1 degrees" in text
        asked: Any = [{"role": "user", "content": "A city"}]
        async with client.chat.completions.stream(model=model, messages=asked, response_format=City) as shaped:
            assert isinstance((await shaped.get_final_completion()).choices[0].message.parsed, City)


@every
async def test_responses(wires: Served, wires_key: str, model: str) -> None:
    async with openai(wires, wires_key) as client:
        async with client.responses.stream(model=model, input=f"Hello [[say: {SAID}]]") as stream:
            kinds = [event.type async for event in stream]
            final = await stream.get_final_response()
        assert (kinds[0], kinds[-1], final.output_text) == ("response.created", "response.completed", SAID)
        tool: Any = {"type": "function", **WEATHER["function"]}
        async with client.responses.stream(model=model, input=ERRANDS, tools=[tool]) as stream:
            called = await stream.get_final_response()
        calls = [item for item in called.output if item.type == "function_call"]
        assert [json.loads(call.arguments)["city"] for call in calls] == CITIES


@every
async def test_messages(wires: Served, wires_key: str, model: str) -> None:
    async with AsyncAnthropic(auth_token=wires_key, api_key=None, base_url=wires.address, max_retries=0) as client:
        asked: Any = {"model": model, "max_tokens": 4000}
        user: Any = {"role": "user", "content": f"[[think: hm]] [[say: {SAID}]]"}
        thinking: Any = {"type": "enabled", "budget_tokens": 2048}
        async with client.messages.stream(**asked, messages=[user], thinking=thinking) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()
        assert text == SAID and final.stop_reason == "end_turn"
        assert [block.thinking for block in final.content if block.type == "thinking"] == ["hm"]
        user = {"role": "user", "content": ERRANDS}
        async with client.messages.stream(**asked, messages=[user], tools=[CLAUDES]) as stream:
            called = await stream.get_final_message()
        blocks: Any = [block for block in called.content if block.type == "tool_use"]
        assert [block.input["city"] for block in blocks] == CITIES
        results: Any = [{"type": "tool_result", "tool_use_id": block.id, "content": f"{n} degrees"}
                        for n, block in enumerate(blocks)]  # fmt: skip
        turns: Any = [user, {"role": "assistant", "content": called.content}, {"role": "user", "content": results}]
        async with client.messages.stream(**asked, messages=turns, tools=[CLAUDES]) as stream:
            text = await stream.get_final_text()
        assert "0 degrees" in text and "1 degrees" in text
