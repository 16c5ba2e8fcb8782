"""The official anthropic client over every upstream dialect, as its own documentation uses it."""

import base64
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic

from tests.interop.upstreams import ROWS, serving
from tests.system.serving import Served

PNG = base64.b64encode(b"\x89PNG" + bytes(60)).decode()
WEATHER: Any = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SCHEMA: Any = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["name", "people"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("anthropic-sdk")) as (found, _):
        yield found


@pytest.fixture(scope="module")
def key(served: Served) -> str:
    return served.key(name="sdk")


@pytest.fixture(scope="module")
def client(served: Served, key: str) -> Iterator[Anthropic]:
    with Anthropic(api_key=key, base_url=served.address, max_retries=0, timeout=30) as made:
        yield made


pytestmark = pytest.mark.filterwarnings("error")
every = pytest.mark.parametrize("name", ROWS)


def ask(name: str, text: Any, **more: Any) -> Any:
    return {"model": f"acme/{name}", "max_tokens": 4000, "messages": [{"role": "user", "content": text}], **more}


@every
def test_a_message(client: Anthropic, name: str) -> None:
    found = client.messages.create(**ask(name, "[[say: hi there]]"))
    assert found.type == "message" and found.role == "assistant" and found.model == f"acme/{name}"
    assert [block.text for block in found.content if block.type == "text"] == ["hi there"]
    assert found.stop_reason == "end_turn" and found.usage.input_tokens > 0 and found.usage.output_tokens > 0
    assert found._request_id is not None and found._request_id.startswith("req_")


@every
def test_the_stream_helper(client: Anthropic, name: str) -> None:
    with client.messages.stream(**ask(name, "[[stream: 9]]")) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == "000 001 002 003 004 005 006 007 008 " == stream.get_final_text()
    assert final.stop_reason == "end_turn" and final.usage.output_tokens == 9 and final.usage.input_tokens > 0


@every
def test_raw_events(client: Anthropic, name: str) -> None:
    kinds = [event.type for event in client.messages.create(**ask(name, "[[stream: 3]]"), stream=True)]
    assert kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1


@every
def test_case_23_thinking_comes_first_and_may_be_handed_back(client: Anthropic, name: str) -> None:
    asked = ask(name, "[[think: hm hm]] [[say: hello]]", thinking={"type": "adaptive"})
    with client.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()
    plain = client.messages.create(**asked)
    answers: list[Any] = [streamed, plain]
    for found in answers:
        assert [block.type for block in found.content] == ["thinking", "text"]
        assert found.content[0].thinking == "hm hm"
    messages = [*asked["messages"], {"role": "assistant", "content": streamed.content},
                {"role": "user", "content": "[[say: bye]]"}]  # fmt: skip
    after = client.messages.create(**{**asked, "messages": messages})
    assert after.content[-1].type == "text" and after.content[-1].text == "bye"


@every
@pytest.mark.parametrize("stream", [False, True])
def test_case_08_tools_in_parallel_and_their_results(client: Anthropic, name: str, stream: bool) -> None:
    text = '[[call: weather {"city": "Paris"}]] [[call: weather {"city": "Rome"}]]'
    asked = ask(name, text, tools=[WEATHER])
    if stream:
        with client.messages.stream(**asked) as events:
            found: Any = events.get_final_message()
    else:
        found = client.messages.create(**asked)
    calls = [block for block in found.content if block.type == "tool_use"]
    assert found.stop_reason == "tool_use" and [call.input for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    assert len({call.id for call in calls}) == 2
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": f"{place}1 degrees"}
               for place, call in enumerate(calls)]  # fmt: skip
    asked["messages"] += [{"role": "assistant", "content": found.content}, {"role": "user", "content": results}]
    after = client.messages.create(**asked)
    assert "01 degrees" in after.content[-1].text and "11 degrees" in after.content[-1].text


@every
def test_case_31_a_tool_that_must_be_used(client: Anthropic, name: str) -> None:
    asked = ask(name, "Hello", tools=[WEATHER], tool_choice={"type": "tool", "name": "weather"})
    found = client.messages.create(**asked)
    assert [block.name for block in found.content if block.type == "tool_use"] == ["weather"]


@every
def test_case_32_images_and_documents(client: Anthropic, name: str) -> None:
    blocks = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PNG}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}, "title": "notes"},
        {"type": "text", "text": "What is it?"},
    ]
    found = client.messages.create(**ask(name, blocks))
    assert found.content[0].type == "text"
    said = found.content[0].text
    assert "image" in said and "pdf" in said.lower()


@every
def test_case_30_an_answer_of_a_given_shape(client: Anthropic, name: str) -> None:
    config: Any = {"format": {"type": "json_schema", "schema": SCHEMA}}
    found = client.messages.create(**ask(name, "A city"), output_config=config)
    assert found.content[0].type == "text" and '"people"' in found.content[0].text


@every
def test_errors(client: Anthropic, name: str) -> None:
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(**ask(name, "[[fail: 429]]"))
    with pytest.raises(anthropic.APIStatusError) as overloaded:
        client.messages.create(**ask(name, "[[fail: 529]]"))
    assert overloaded.value.status_code == 529
    with (
        pytest.raises(anthropic.APIStatusError) as broken,
        client.messages.stream(**ask(name, "[[stream: 50]] [[fail: error-event 4]]")) as stream,
    ):
        list(stream)
    assert isinstance(broken.value.body, dict) and broken.value.body["error"]["type"] == "api_error"


def test_errors_of_the_gateways_own(client: Anthropic, served: Served) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(**ask("nothing", "Hi"))
    with pytest.raises(anthropic.BadRequestError, match="hologram"):
        client.messages.create(**ask("chat", [{"type": "hologram"}]))
    with pytest.raises(anthropic.AuthenticationError):
        Anthropic(api_key="cf_live_x", base_url=served.address, max_retries=0).messages.create(**ask("chat", "Hi"))


def test_counting_and_betas(client: Anthropic) -> None:
    asked = ask("messages", "Hello there")
    del asked["max_tokens"]
    assert client.messages.count_tokens(**asked).input_tokens > 0
    assert client.beta.messages.count_tokens(**asked).input_tokens > 0
    found = client.beta.messages.create(**ask("messages", "[[say: hi]]"), betas=["what-comes-next"])
    assert found.content[0].type == "text" and found.content[0].text == "hi"


@every
async def test_the_same_async(served: Served, key: str, name: str) -> None:
    async with AsyncAnthropic(auth_token=key, api_key=None, base_url=served.address, max_retries=0) as client:
        found = await client.messages.create(**ask(name, "[[say: hi]]"))
        assert found.content[0].type == "text" and found.content[0].text == "hi"
        async with client.messages.stream(**ask(name, "[[stream: 5]]")) as stream:
            text = "".join([piece async for piece in stream.text_stream])
        assert text == "000 001 002 003 004 "
