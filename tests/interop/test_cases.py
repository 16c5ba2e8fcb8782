"""The numbered cases that have bitten gateways: those that lie between two protocols, and that none is without a test.

Law: a case's number is in its test's name, wherever the test is: test_case_07_…, test_case_08_and_09_…
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Shape, Wanted
from conflux.neutral.errors import GatewayError
from conflux.neutral.request import Request
from tests.fuzz.laws import check_events
from tests.interop.asked import Seen
from tests.interop.cases import FACES

CASES = 45
CALLING = sorted(FACES.keys() - {"openai-completions"})  # the clients whose protocol has tools
TESTS = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"def test_case_(\d\d)(?:_(and|to)_(\d\d))?_")
MODEL = {"model": "m", "max_tokens": 500}


def numbers(text: str) -> set[int]:
    found = set()
    for first, word, last in _NAME.findall(text):
        found |= set(range(int(first), int(last) + 1)) if word == "to" else {int(first), int(last or first)}
    return found


def test_every_case_has_a_test() -> None:
    found = set().union(*(numbers(path.read_text()) for path in TESTS.rglob("test_*.py")))
    assert found == set(range(1, CASES + 1))


def test_numbers_are_read_from_names() -> None:
    text = "def test_case_07_x():\n  def test_case_08_and_10_y(): def test_case_20_to_22_z() test_case_30_no"
    assert numbers(text) == {7, 8, 10, 20, 21, 22}


def through(upstream: str, stream: bytes, client: str) -> Seen:
    """An upstream's stream as a client of another protocol sees it."""
    reader = DIALECTS[upstream].reader({})
    events = reader.feed(stream) + reader.end()
    check_events(events)
    assert reader.tally.fault is None and reader.tally.usage is not None
    wanted = Wanted(answer_id="x_1234567890ab", model="acme/m", created=7, include_usage=True)
    writer = DIALECTS[client].writer(wanted, Request(dialect=client, messages=()))
    return FACES[client].streamed(writer.feed(events) + writer.last(reader.tally.usage))


def responses(*events: dict[str, Any], kind: str = "completed", **more: Any) -> bytes:
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 75}, "output_tokens": 9,
             "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 109}  # fmt: skip
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "up", "output": []}
    every = [
        {"type": "response.created", "response": {**head, "status": "in_progress"}},
        *events,
        {"type": f"response.{kind}", "response": {**head, "status": kind, "usage": usage, **more}},
    ]
    return b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in every)


def call(place: int, said: str, status: str) -> dict[str, Any]:
    return {"id": f"fc_{place}", "type": "function_call", "status": status, "call_id": f"call_{place}",
            "name": f"tool_{place}", "arguments": said}  # fmt: skip


def added(place: int) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": place, "item": call(place, "", "in_progress")}


def delta(place: int, said: str) -> dict[str, Any]:
    return {"type": "response.function_call_arguments.delta", "output_index": place, "item_id": f"fc_{place}",
            "delta": said}  # fmt: skip


def done(place: int, said: str) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": place, "item": call(place, said, "completed")}


@pytest.mark.parametrize("client", CALLING)
def test_case_01_interleaved_function_calls_are_serial_blocks(client: str) -> None:
    stream = responses(
        added(0), added(1), delta(0, '{"a'), delta(1, '{"b'), delta(0, '":1}'), delta(1, '":2}'),
        done(1, '{"b":2}'), done(0, '{"a":1}'),
    )  # fmt: skip
    seen = through("openai-responses", stream, client)
    assert [(one.name, json.loads(one.arguments)) for one in seen.calls] == [("tool_0", {"a": 1}), ("tool_1", {"b": 2})]
    assert seen.stop == "tools"


@pytest.mark.parametrize("client", CALLING)
def test_case_03_arguments_only_in_the_last_event_are_delivered(client: str) -> None:
    seen = through("openai-responses", responses(added(0), done(0, '{"a":1}')), client)
    assert [(one.name, json.loads(one.arguments)) for one in seen.calls] == [("tool_0", {"a": 1})]


def chat(arguments: str) -> bytes:
    function = {"name": "now", "arguments": arguments}
    deltas = [{"role": "assistant", "tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]},
              {}]  # fmt: skip
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": one, "finish_reason": None if one else "tool_calls"}]} for one in deltas
    ]
    chunks.append({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
    head = {"id": "up", "object": "chat.completion.chunk", "created": 1, "model": "up"}
    return b"".join(b"data: %b\n\n" % json.dumps({**head, **one}).encode() for one in chunks) + b"data: [DONE]\n\n"


@pytest.mark.parametrize("client", ["anthropic-messages", "gemini"])
@pytest.mark.parametrize("arguments", ["", "{}"])
def test_case_05_a_call_without_arguments_is_an_empty_object(client: str, arguments: str) -> None:
    (found,) = through("openai-chat", chat(arguments), client).calls
    assert json.loads(found.arguments) == {}


def test_case_05_an_empty_object_is_told_to_chat_and_responses_as_one() -> None:
    turns = [{"role": "user", "content": "a"},
             {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "now", "input": {}}]},
             {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "12"}]}]  # fmt: skip
    tools = [{"name": "now", "input_schema": {"type": "object", "properties": {}}}]
    dialect = DIALECTS["anthropic-messages"]
    request = dialect.read_request(dialect.open(json.dumps({**MODEL, "messages": turns, "tools": tools}).encode()))
    body = json.loads(DIALECTS["openai-chat"].write_request(request, Shape(model="up")).body)
    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"
    body = json.loads(DIALECTS["openai-responses"].write_request(request, Shape(model="up")).body)
    assert [item["arguments"] for item in body["input"] if item.get("type") == "function_call"] == ["{}"]


@pytest.mark.parametrize("client", FACES)
def test_case_19_an_incomplete_response_ended_by_length_with_its_usage(client: str) -> None:
    item = {"id": "msg_0", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    place = {"output_index": 0, "content_index": 0, "item_id": "msg_0"}
    stream = responses(
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": part},
        {"type": "response.output_text.delta", **place, "delta": "once upon"},
        kind="incomplete",
        incomplete_details={"reason": "max_output_tokens"},
    )
    seen = through("openai-responses", stream, client)
    assert (seen.text, seen.stop) == ("once upon", "length")
    assert seen.used is not None and (seen.used.prompt, seen.used.cached, seen.used.completion) == (25, 75, 9)


def test_case_38_probabilities_are_refused_where_there_are_none() -> None:
    dialect = DIALECTS["openai-chat"]
    body = {"model": "m", "messages": [{"role": "user", "content": "a"}], "logprobs": True, "top_logprobs": 2}
    request = dialect.read_request(dialect.open(json.dumps(body).encode()))
    with pytest.raises(GatewayError) as error:
        DIALECTS["anthropic-messages"].write_request(request, Shape(model="up"))
    assert error.value.param == "logprobs"
