"""A request opened and forwarded; where it arrives."""

import json
from typing import Any

import pytest

from conflux.dialects import DIALECTS, signatures
from conflux.dialects.anthropic_messages import IMAGE_TOKENS_BOUND, AnthropicMessages
from conflux.dialects.anthropic_wire import KNOWN, NAME, NOT_FORWARDED
from conflux.dialects.base import Place, Shape, Written
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.request import BY_ADDRESS, BY_TOOLS, Need
from tests.dialects.messages import MESSAGES, WANTED, body, read

FIRST_PARTY = {"billing_line": True, "system_messages": True}


def forward(shape: Shape | None = None, headers: dict[str, str] | None = None, **fields: Any) -> Written:
    envelope = MESSAGES.open(body(**fields), Place(headers=headers or {}))
    before = json.dumps(envelope.body)
    found = MESSAGES.forward(envelope, shape or Shape(model="up"))
    assert json.dumps(envelope.body) == before, "an envelope is forwarded to one target after the other"
    return found


def sent(shape: Shape | None = None, **fields: Any) -> Any:
    return json.loads(forward(shape, **fields).body)


def test_where_it_is_spoken() -> None:
    assert isinstance(DIALECTS[NAME], AnthropicMessages)
    assert {"/v1/messages", "/messages", "/v1/messages?beta=true"} <= set(MESSAGES.routes)
    place = MESSAGES.find("/v1/messages/count_tokens")
    assert place is not None and place.counts == "input_tokens" and MESSAGES.find("/v1/messages/batches") is None
    assert MESSAGES.path(Shape(model="m")) == "/messages"


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, set()),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, set()),  # hints gate nothing
        ({"tools": [{"name": "f", "input_schema": {}}]}, {Need.TOOLS}),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, set()),  # case 41: merely offered
        ({"output_format": {"type": "json_schema", "schema": {}}}, {Need.STRUCTURED_OUTPUTS}),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, {Need.STRUCTURED_OUTPUTS}),
    ],
)
def test_what_it_needs(fields: Any, needs: set[Need]) -> None:
    assert MESSAGES.open(body(**fields)).needs == needs


@pytest.mark.parametrize(
    ("source", "kind", "needs"),
    [
        ({"type": "base64", "media_type": "image/png", "data": "A" * 9000}, "image", {Need.VISION}),
        ({"type": "url", "url": "u"}, "image", {Need.VISION}),
        ({"type": "file", "file_id": "f"}, "image", {Need.VISION, Need.STORED_FILES}),
        ({"type": "base64", "media_type": "application/pdf", "data": "A"}, "document", {Need.FILES}),
        ({"type": "text", "data": "A"}, "document", set()),
        ({"type": "file", "file_id": "f"}, "document", {Need.FILES, Need.STORED_FILES}),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_what_its_blocks_need(source: Any, kind: str, needs: set[Need], inside: bool) -> None:
    block: Any = {"type": kind, "source": source}
    if inside:
        block = {"type": "tool_result", "tool_use_id": "t", "content": [block]}
    envelope = MESSAGES.open(body(messages=[{"role": "user", "content": [block]}]))
    assert envelope.needs == needs and envelope.images == (kind == "image")
    assert envelope.size < (IMAGE_TOKENS_BOUND + 500 if kind == "image" else 500)


@pytest.mark.parametrize("kind", ["web_search_20250305", "web_fetch_20250910", "code_execution_20250825"])
def test_tools_that_run_at_the_provider_read_there(kind: str) -> None:
    assert MESSAGES.open(body(tools=[{"type": kind, "name": "t"}])).fetches == BY_TOOLS
    client = [{"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}]
    assert MESSAGES.open(body(tools=client)).fetches == 0


@pytest.mark.parametrize("inside", [False, True])
def test_a_document_by_its_address_is_read_there(inside: bool) -> None:
    block: Any = {"type": "document", "source": {"type": "url", "url": "https://e/a.pdf"}}
    if inside:
        block = {"type": "tool_result", "tool_use_id": "t", "content": [block]}
    sent = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "A"}}
    assert MESSAGES.open(body(messages=[{"role": "user", "content": [block, block, sent]}])).fetches == 2 * BY_ADDRESS


def test_what_is_known_of_it() -> None:
    found = MESSAGES.open(body(stream=True, metadata={"user_id": "u"}, output_config={"effort": "low"}))
    assert (found.model, found.stream, found.max_output, found.end_user) == ("m", True, 50, "u")
    assert found.effort is None, "an effort is a hint here: no id that fixes one refuses it"
    assert MESSAGES.open(json.dumps({"model": "m", "messages": [{"role": "user", "content": ""}]}).encode()).size > 0


@pytest.mark.parametrize("name", ["Model", "MAX_TOKENS", "Service_Tier", "me\u017fsages"])
def test_a_name_that_others_would_take_for_another_is_refused(name: str) -> None:
    assert name.casefold() in KNOWN | NOT_FORWARDED
    with pytest.raises(GatewayError, match=name.casefold()):
        MESSAGES.open(body(**{name: "x"}))


@pytest.mark.parametrize("container", ["c_1", {"id": "c_1"}, {"skills": [{"type": "custom", "skill_id": "s"}]}])
def test_what_lies_in_the_shared_account_is_refused(container: Any) -> None:
    with pytest.raises(GatewayError) as caught:
        MESSAGES.open(body(container=container))
    assert (caught.value.kind, caught.value.param) == (Kind.UNSUPPORTED, "container")


def test_a_container_of_the_callers_own_passes() -> None:
    skills = {"skills": [{"type": "anthropic", "skill_id": "pdf"}]}
    assert sent(container=skills)["container"] == skills


def test_forwarded_as_it_came_but_for_what_is_decided_here() -> None:
    fields: dict[str, Any] = {
        "system": [{"type": "text", "text": "x-anthropic-billing-header: a"}, {"type": "text", "text": "s"}],
        "messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}],
        "thinking": {"type": "adaptive"}, "context_management": {"edits": []}, "future": {"a": [1]},
    }  # fmt: skip
    shape = Shape(model="up", max_output=40, stream=True, temperature=0.7, quirks=FIRST_PARTY)
    found = forward(shape, **fields, stream=True)
    assert json.loads(found.body) == {**fields, "model": "up", "max_tokens": 40, "stream": True}
    assert found.dropped == ()


def test_what_is_left_out_is_named() -> None:
    line = {"type": "text", "text": "x-anthropic-billing-header: a"}
    found = forward(service_tier="auto", speed="fast", task_type=None, system=[line])
    assert found.dropped == ("service_tier", "speed", "x-anthropic-billing-header")
    assert set(json.loads(found.body)) == {"model", "max_tokens", "messages"}
    assert sent(system="x-anthropic-billing-header: a\nrest")["system"] == "rest"
    assert sent(system=[{"type": "text", "text": line["text"] + "\nrest"}])["system"] == [
        {"type": "text", "text": "rest"}
    ]


def test_case_13_a_system_message_amid_the_conversation_is_wrapped() -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "system", "content": [{"type": "text", "text": "b"}]},
                {"role": "system", "content": "c"}]  # fmt: skip
    found = sent(messages=messages)["messages"]
    assert [one["role"] for one in found] == ["user"] * 3
    assert found[1]["content"] == [{"type": "text", "text": "<system>\nb\n</system>"}]


def test_case_25_thinking_that_is_not_anthropics_is_not_sent_there() -> None:
    own: Any = {"type": "thinking", "thinking": "t", "signature": "s"}
    foreign = [
        {"type": "thinking", "thinking": "t", "signature": ""},
        {"type": "thinking", "thinking": "t", "signature": signatures.wrap("s", "gemini", NAME)},
        {"type": "redacted_thinking", "data": signatures.wrap("s", "openai-responses", NAME)},
    ]
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": foreign},
                {"role": "assistant", "content": [own, *foreign]}]  # fmt: skip
    found = forward(messages=messages)
    assert json.loads(found.body)["messages"] == [messages[0], {"role": "assistant", "content": [own]}]
    assert found.dropped == ("thinking without a signature",)


def test_defaults_only_where_nothing_was_said() -> None:
    shape = Shape(model="up", temperature=0.7, effort="high")
    assert sent(shape)["temperature"] == 0.7 and sent(shape, temperature=0)["temperature"] == 0
    assert "temperature" not in sent(shape, thinking={"type": "adaptive"})
    found = forward(shape, output_config={"effort": "low"})
    assert json.loads(found.body)["output_config"] == {"effort": "high"} and found.dropped == ("output_config.effort",)


def test_the_protocols_own_headers() -> None:
    assert forward().head == b"anthropic-version: 2023-06-01\r\n"
    headers = {"anthropic-version": "2024-01-01", "anthropic-beta": "a-1,what-comes-next"}
    assert forward(headers=headers).head == b"anthropic-version: 2024-01-01\r\nanthropic-beta: a-1,what-comes-next\r\n"
    for value in ("a\x01b", "ä", "x" * 5000):
        with pytest.raises(GatewayError, match="anthropic-beta"):
            forward(headers={"anthropic-beta": value})


def test_both_faces() -> None:
    assert MESSAGES.reader({}).whole(b'{"content":[]}')
    assert MESSAGES.writer(WANTED, read()).keep_alive() == MESSAGES.passthrough(WANTED).keep_alive()
    error = GatewayError(Kind.OVERLOADED, "m")
    assert MESSAGES.error(error, "conflux")[0] == 529 and MESSAGES.error_event(error).startswith(b"event: error\n")
    assert MESSAGES.upstream_error(500, b"{}").status == 500
