"""The official openai client's completions against a running server, plain and streamed, over every upstream."""

import asyncio
import warnings
from collections.abc import Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.sdk.test_openai import client_of
from tests.system.fixtures import SPOKEN, over
from tests.system.serving import Served

MODEL = "conflux/deepseek-v4-pro"


@pytest.fixture(scope="module")
def client(plain: Served, plain_key: str) -> Iterator[OpenAI]:
    with client_of(plain, plain_key) as made:
        yield made


def test_a_completion(client: OpenAI) -> None:
    found = client.completions.create(
        model=MODEL, prompt=["[[say: hi there]]", "b"], n=2, echo=True, logprobs=1, max_tokens=50
    )
    assert (found.model, found.object, found.id[:5]) == (MODEL, "text_completion", "cmpl-")
    assert [choice.text[-8:] for choice in found.choices] == ["hi there"] * 4
    assert [choice.index for choice in found.choices] == [0, 1, 2, 3]
    assert found.choices[3].text == "bhi there" and found.choices[3].logprobs is not None
    assert found.usage is not None and found.usage.total_tokens > 0


def test_what_is_not_said_is_as_the_protocol_has_it(client: OpenAI) -> None:
    found = client.completions.create(model=MODEL, prompt="[[stream: 50]]")
    assert found.choices[0].finish_reason == "length"
    assert found.usage is not None and found.usage.completion_tokens == 16
    assert client.completions.create(model=MODEL, prompt=[1, 2, 3]).choices[0].text


@pytest.mark.parametrize("dialect", SPOKEN)
def test_over_every_upstream(wires: Served, wires_key: str, dialect: str) -> None:
    with warnings.catch_warnings(), client_of(wires, wires_key) as made:
        warnings.simplefilter("error")
        found = made.completions.create(model=over(dialect), prompt="Hello [[say: hi there]]")
        assert (found.choices[0].text, found.choices[0].finish_reason) == ("hi there", "stop")
        chunks = list(
            made.completions.create(
                model=over(dialect), prompt="[[stream: 9]]", stream=True, stream_options={"include_usage": True}
            )
        )
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices).split()[-1] == "008"
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == ["stop"]
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == 9


def test_the_asynchronous_client(plain: Served, plain_key: str) -> None:
    async def run() -> str:
        async with AsyncOpenAI(api_key=plain_key, base_url=plain.address + "/v1", max_retries=0, timeout=30) as made:
            stream = await made.completions.create(model=MODEL, prompt="[[stream: 5]]", stream=True)
            return "".join([choice.text async for chunk in stream for choice in chunk.choices])

    assert asyncio.run(run()) == "000 001 002 003 004 "


def test_a_model_that_does_not_complete_says_where_to_go(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="/v1/chat/completions"):
        client.completions.create(model="glm/glm-5.1", prompt="Hello")
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.completions.create(model=MODEL, prompt="x", extra_body={"messages": []})
