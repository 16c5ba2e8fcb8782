"""The official openai client's embeddings, and the paths of other documents."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.sdk.test_openai import client_of
from tests.system.serving import Served

MODEL = "qwen/text-embedding-v4"


@pytest.fixture(scope="module")
def flux_key(plain: Served) -> str:
    return plain.key(storefront="tokenflux")


@pytest.fixture(scope="module")
def client(plain: Served, flux_key: str) -> Iterator[OpenAI]:
    with client_of(plain, flux_key) as made:
        yield made


def test_base64_is_the_clients_default_and_reads_as_floats(client: OpenAI) -> None:
    found = client.embeddings.create(model=MODEL, input=["one", "two", "one"], dimensions=64)
    floats = client.embeddings.create(model=MODEL, input=["one", "two", "one"], dimensions=64, encoding_format="float")
    assert [row.embedding for row in found.data] == [row.embedding for row in floats.data]
    assert [row.index for row in found.data] == [0, 1, 2] and len(found.data[0].embedding) == 64
    assert found.data[0].embedding == found.data[2].embedding != found.data[1].embedding
    assert found.usage.prompt_tokens == found.usage.total_tokens > 0


def test_tokens_and_batches_of_them(client: OpenAI) -> None:
    assert len(client.embeddings.create(model=MODEL, input=[1, 2, 3]).data) == 1
    assert len(client.embeddings.create(model=MODEL, input=[[1], [2, 3]]).data) == 2


def test_a_receipt_in_dollars_for_a_price_in_yuan(plain: Served, flux_key: str, client: OpenAI) -> None:
    raw = client.embeddings.with_raw_response.create(model=MODEL, input="a text of some length")
    receipt = plain.get(f"/v1/receipts/{raw.headers['x-request-id']}", key=flux_key).json()
    assert receipt["usage"]["input"] == raw.parse().usage.prompt_tokens and receipt["requested_model"] == MODEL
    assert [line["bucket"] for line in receipt["lines"]] == ["input"]


@pytest.mark.parametrize(
    ("more", "param"),
    [({"dimensions": 63}, "dimensions"), ({"input": ""}, "input"), ({"model": "openai/gpt-4.1"}, "model")],
)
def test_mistakes_are_named(client: OpenAI, more: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as found:
        client.embeddings.create(**{"model": MODEL, "input": "x", **more})
    assert found.value.param == param


def test_an_embedding_model_does_not_chat(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="/v1/embeddings"):
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "x"}])


def test_text_longer_than_the_model_takes_is_refused_and_a_long_batch_is_not(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as found:
        client.embeddings.create(model=MODEL, input="word " * 10_000)
    assert found.value.code == "context_length_exceeded"
    assert len(client.embeddings.create(model=MODEL, input=["word " * 1000] * 10).data) == 10


async def test_the_async_client(plain: Served, flux_key: str) -> None:
    async with AsyncOpenAI(api_key=flux_key, base_url=plain.address + "/v1", max_retries=0, timeout=30) as made:
        assert len((await made.embeddings.create(model=MODEL, input="one")).data[0].embedding) == 64


CHAT = {"messages": [{"role": "user", "content": "[[say: hi]]"}]}


def test_the_inference_apis_paths(plain: Served) -> None:
    key = plain.key(storefront="inference")
    models = plain.get("/inference/models", key=key).json()["models"]
    able = next(model["id"] for model in models if model["supports_tools"])
    for path in ("/chat", "/code", "/inference/chat", "/inference/code"):
        answer = plain.call("POST", path, {"model": able, **CHAT}, headers={"x-api-key": key})
        assert answer.status == 200 and answer.json()["choices"][0]["message"]["content"] == "hi", path
    unable = {"model": "paddlepaddle/paddleocr-vl-0.9b", **CHAT}
    refused = plain.call("POST", "/code", unable, key=plain.key(storefront="llmbase"))
    assert refused.status == 400 and "tools" in refused.json()["error"]["message"]


def test_the_agents_path(plain: Served) -> None:
    key = plain.key(storefront="llmbase", agent=True)
    path = "/api/v1/agents/chat/completions"
    for prefix in ("", "/llmbase"):
        answer = plain.call("POST", prefix + path, {"model": "deepseek/deepseek-v4-flash", **CHAT}, key=key)
        assert answer.status == 200 and answer.json()["object"] == "chat.completion"
    assert plain.call("POST", path, {"model": "paddlepaddle/paddleocr-vl-0.9b", **CHAT}, key=key).status == 404
