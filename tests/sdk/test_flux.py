"""The official clients take a panel's streams, progress and all, as they take any other's."""

from typing import Any

from anthropic import Anthropic
from openai import OpenAI

from tests.system.serving import Served

ASKS = "[[say: a draft]]"
FLUX = {"flux": {"progress": "chunk", "expose": "summary"}}


def test_openai_chat(plain: Served, plain_key: str) -> None:
    client = OpenAI(base_url=f"{plain.address}/v1", api_key=plain_key, max_retries=0)
    messages: Any = [{"role": "user", "content": ASKS}]
    options = {"include_usage": True}
    chunks: list[Any] = list(
        client.chat.completions.create(model="conflux/flux", messages=messages, stream=True, extra_body=FLUX,
                                       stream_options=options)  # type: ignore[call-overload]
    )  # fmt: skip
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    events = [chunk.model_extra["flux"]["event"] for chunk in chunks if (chunk.model_extra or {}).get("flux")]
    assert (events[0], events[-2], events[-1]) == ("panel", "fuser", "result")
    assert chunks[-1].usage.total_tokens > 0
    plain_one = client.chat.completions.create(model="conflux/flux", messages=messages)
    assert plain_one.choices[0].message.content
    client.close()


def test_openai_responses(plain: Served, plain_key: str) -> None:
    client = OpenAI(base_url=f"{plain.address}/v1", api_key=plain_key, max_retries=0)
    with client.responses.stream(model="conflux/flux", input=ASKS, extra_body=FLUX) as stream:
        for _ in stream:
            pass
        final: Any = stream.get_final_response()
    assert final.output_text
    assert final.model_extra["flux"]["answered_by"] == "fuser"
    client.close()


def test_anthropic(plain: Served, plain_key: str) -> None:
    client = Anthropic(base_url=plain.address, api_key=plain_key, max_retries=0)
    messages: Any = [{"role": "user", "content": ASKS}]
    with client.messages.stream(model="conflux/flux", max_tokens=300, messages=messages, extra_body=FLUX) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text and final.usage.output_tokens > 0
    client.close()
