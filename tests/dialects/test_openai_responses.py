"""The dialect as the table holds it: opened, and forwarded."""

import json
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Shape
from conflux.dialects.gemini_ids import sign
from conflux.dialects.openai_responses import OpenAIResponses
from conflux.dialects.signatures import wrap
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.request import BY_ADDRESS, BY_TOOLS, Envelope, Need
from tests.dialects.golden_responses import data_of

RESPONSES = OpenAIResponses()
TOOL = {"type": "function", "name": "f", "parameters": {}}


def opened(**more: Any) -> Envelope:
    return RESPONSES.open(json.dumps({"model": "m", "input": "Hi", **more}).encode())


def test_it_is_in_the_table_with_its_paths() -> None:
    assert isinstance(DIALECTS["openai-responses"], OpenAIResponses)
    assert RESPONSES.routes == ("/v1/responses", "/responses") and RESPONSES.path(Shape(model="m")) == "/responses"
    assert RESPONSES.find("/v1/responses/resp_1") is None


def test_what_is_known_of_a_request() -> None:
    found = opened(stream=True, max_output_tokens=9, reasoning={"effort": "high"}, user="u")
    assert (found.model, found.stream, found.max_output, found.effort, found.end_user) == ("m", True, 9, "high", "u")
    assert found.needs == frozenset() and found.include_usage


PARTS: dict[str, tuple[dict[str, Any], Need]] = {
    "input_image": ({"image_url": "https://e"}, Need.VISION),
    "input_file": ({"file_url": "https://e"}, Need.FILES),
    "input_audio": ({"input_audio": {"data": "", "format": "wav"}}, Need.AUDIO),
}


@pytest.mark.parametrize("kind", PARTS)
def test_needs_of_parts_also_in_results(kind: str) -> None:
    part = {"type": kind, **PARTS[kind][0]}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items = [call, {"type": "function_call_output", "call_id": "c", "output": [part]}]
    assert opened(input=[{"role": "user", "content": [part]}]).needs == {PARTS[kind][1]}
    assert opened(input=items).needs == {PARTS[kind][1], Need.TOOLS}


def test_what_is_read_at_the_provider() -> None:
    assert opened(tools=[TOOL, {"type": "custom", "name": "c"}]).fetches == 0
    assert opened(tools=[TOOL, {"type": "web_search"}]).fetches == BY_TOOLS
    part = {"type": "input_file", "file_url": "https://e"}
    items = [{"role": "user", "content": [part, {"type": "input_file", "filename": "f", "file_data": "A"}]},
             {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
             {"type": "function_call_output", "call_id": "c", "output": [part]}]  # fmt: skip
    assert opened(input=items).fetches == 2 * BY_ADDRESS


def test_needs_of_parameters() -> None:
    assert opened(tools=[TOOL]).needs == {Need.TOOLS}
    assert opened(tools=[{"type": "web_search"}]).needs == frozenset()  # case 41: merely offered
    assert opened(tools=[{"type": "web_search"}], tool_choice={"type": "web_search"}).needs == {Need.WEB_SEARCH}
    assert opened(text={"format": {"type": "json_object"}}).needs == {Need.JSON_MODE}
    form = {"type": "json_schema", "name": "n", "schema": {}}
    assert opened(text={"format": form}).needs == {Need.STRUCTURED_OUTPUTS}
    assert opened(include=["message.output_text.logprobs"]).needs == {Need.LOGPROBS}
    part = {"type": "input_image", "file_id": "file_1"}
    assert Need.STORED_FILES in opened(input=[{"role": "user", "content": [part]}]).needs


def test_an_image_counts_by_its_bound_and_not_by_its_bytes() -> None:
    part = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 50_000}
    found = opened(input=[{"role": "user", "content": [part]}])
    assert found.images == 1 and 4096 < found.size < 6000


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": [{"id": "x"}]}, "input[0]"),
        ({"text": {"format": {"type": "yaml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
        ({"Model": "x"}, "Model"),
    ],
)
def test_case_40_what_is_refused_when_opened(more: Any, param: str) -> None:
    with pytest.raises(GatewayError) as found:
        opened(**more)
    assert found.value.param == param


def test_forwarded() -> None:
    foreign = {"type": "reasoning", "summary": [], "encrypted_content": wrap("s", "gemini", "openai-responses")}
    own = {"type": "reasoning", "summary": [], "encrypted_content": "own"}
    bare = {"type": "reasoning", "id": "rs_1", "summary": []}
    user = {"role": "user", "content": "Hi"}
    envelope = opened(
        input=[own, foreign, bare, user], store=True, tools=[TOOL, {"type": "web_search"}, {"type": "mcp"}],
        service_tier="flex", client_metadata={"a": "b"}, task_type=None,
    )  # fmt: skip
    found = RESPONSES.forward(envelope, Shape(model="up", stream=True, max_output=5))
    assert json.loads(found.body) == {
        "model": "up", "input": [own, user], "store": False, "tools": [TOOL], "client_metadata": {"a": "b"},
        "stream": True, "max_output_tokens": 5,
    }  # fmt: skip
    assert found.dropped == ("service_tier", "store", "tools.mcp", "tools.web_search", "reasoning signature")
    assert envelope.body["tools"] != [TOOL]  # what was authorised stays as it is


def test_names_given_here_and_elsewhere_are_not_forwarded() -> None:
    """OpenAI takes no message whose name does not begin as its own do, and no id of a call over 64 long."""
    user = {"type": "message", "role": "user", "content": "Hi"}
    call = {"type": "function_call", "name": "f", "arguments": "{}", "id": "fc_1"}
    result = {"type": "function_call_output", "output": "x"}
    signed = sign("call_1", "A" * 400)
    envelope = opened(
        input=[{**user, "id": "item_6870000"}, {**call, "call_id": signed}, {**result, "call_id": signed}]
    )
    found = json.loads(RESPONSES.forward(envelope, Shape(model="up")).body)["input"]
    assert found == [user, {**call, "call_id": "call_1"}, {**result, "call_id": "call_1"}]


def test_case_41_a_provider_may_run_what_its_row_says() -> None:
    envelope = opened(tools=[{"type": "web_search"}], tool_choice="auto")
    kept = RESPONSES.forward(envelope, Shape(model="up", quirks={"hosted_tools": ["web_search"]}))
    assert json.loads(kept.body)["tools"] == [{"type": "web_search"}] and kept.dropped == ()
    left = RESPONSES.forward(envelope, Shape(model="up"))
    assert json.loads(left.body).keys() == {"model", "input", "store"} and left.dropped == ("tools.web_search",)
    for choice in ({"type": "web_search"}, "required"):
        with pytest.raises(GatewayError, match="web_search") as found:
            RESPONSES.forward(opened(tools=[{"type": "web_search"}], tool_choice=choice), Shape(model="up"))
        assert found.value.kind is Kind.UNSUPPORTED


def test_errors_are_its_own_whatever_the_style() -> None:
    error = GatewayError(Kind.MODEL_NOT_FOUND, "Unknown model: x", param="model")
    status, body = RESPONSES.error(error, "conflux")
    assert status == 404 and json.loads(body)["error"]["code"] == "model_not_found"
    kinds = [event["type"] for event in data_of(RESPONSES.error_event(error))]
    assert kinds == ["response.created", "response.in_progress", "response.failed"]
    assert RESPONSES.upstream_error(400, b'{"error":{"message":"m","code":"c"}}').message == "m"
