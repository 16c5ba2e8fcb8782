"""The official clients name their requests: plain and streamed, by header and by option."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI
from openai.types.chat import ChatCompletion

from tests.sdk.test_openai import MODEL, client_of, says
from tests.system.serving import Served


@pytest.fixture(scope="module")
def client(plain: Served, plain_key: str) -> Iterator[OpenAI]:
    with client_of(plain, plain_key) as made:
        yield made


def named(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


def test_openai_by_header(client: OpenAI) -> None:
    def ask(name: str, text: str = "Hello") -> Any:
        return client.chat.completions.with_raw_response.create(model=MODEL, messages=says(text),
                                                                extra_headers=named(name))  # fmt: skip

    first, again = ask("sdk-1"), ask("sdk-1")
    assert first.parse() == again.parse()
    assert again.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
    with pytest.raises(openai.UnprocessableEntityError, match="Idempotency-Key") as error:
        ask("sdk-1", "Goodbye")
    assert error.value.code == "idempotency_mismatch"


def test_openai_by_its_option(plain: Served, plain_key: str) -> None:
    """`idempotency_key` goes out in the header that the client was told to use."""
    with client_of(plain, plain_key) as made:
        made._idempotency_header = "Idempotency-Key"
        body = {"model": MODEL, "messages": says("by option")}
        first, again = (
            made.post("/chat/completions", cast_to=ChatCompletion, body=body, options={"idempotency_key": "sdk-2"})
            for _ in range(2)
        )
        assert first == again and first.id.startswith("chatcmpl-")
        other = made.post("/chat/completions", cast_to=ChatCompletion, body=body, options={"idempotency_key": "sdk-3"})
        assert other.id != first.id


def test_openai_streams_are_told_again_event_by_event(client: OpenAI) -> None:
    def ask() -> list[Any]:
        with client.chat.completions.create(model=MODEL, messages=says("Count [[stream: 20]]"), stream=True,
                                            stream_options={"include_usage": True},
                                            extra_headers=named("sdk-4")) as found:  # fmt: skip
            return list(found)

    first = ask()
    assert len(first) > 10 and first[-1].usage is not None
    assert ask() == first


def test_openai_responses(client: OpenAI) -> None:
    def ask() -> list[Any]:
        return list(client.responses.create(model=MODEL, input="Hello", stream=True, extra_headers=named("sdk-5")))

    first = ask()
    assert first[-1].type == "response.completed" and ask() == first


def test_openai_waits_by_itself_while_it_is_under_way(plain: Served, plain_key: str) -> None:
    """Its own retries meet 409, wait as they are told, and get the answer of the first try."""
    slow = says("[[slow-first: 600]] [[say: once]]")
    with client_of(plain, plain_key) as made:
        hasty = made.with_options(timeout=0.2)
        with pytest.raises(openai.APITimeoutError):
            hasty.chat.completions.create(model=MODEL, messages=slow, extra_headers=named("sdk-6"))
        patient = made.with_options(max_retries=5)
        found = patient.chat.completions.with_raw_response.create(model=MODEL, messages=slow,
                                                                  extra_headers=named("sdk-6"))  # fmt: skip
    assert found.headers["idempotent-replayed"] == "true"
    assert found.parse().choices[0].message.content == "once"


def test_anthropic(plain: Served, plain_key: str) -> None:
    ask: Any = {"model": MODEL, "max_tokens": 50, "messages": says("Hello")}
    with Anthropic(api_key=plain_key, base_url=plain.address, max_retries=0) as client:
        first, again = (client.messages.create(**ask, extra_headers=named("sdk-7")) for _ in range(2))
        assert first == again
        streams = []
        for _ in range(2):
            with client.messages.stream(**ask, extra_headers=named("sdk-8")) as stream:
                streams.append(stream.get_final_message())
        assert streams[0] == streams[1] and streams[0].id != first.id
