"""Events written as answers: in the order that strict clients insist on, and nothing of them lost."""

import json
from typing import Any

import msgspec
import pytest

from conflux.dialects.base import Wanted
from conflux.dialects.openai_responses_reader import ResponsesReader
from conflux.dialects.openai_responses_writer import ResponsesWriter
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import BlockEnded, Event, Finished, Stop, TextDelta, ThinkingDelta, ToolBegan, ToolDelta
from conflux.neutral.request import Request, Tool
from conflux.neutral.usage import Usage
from tests.dialects.golden import BILLED
from tests.dialects.golden_responses import ASKED, WANTED, Stream, core, data_of, streams

SOUND = [golden for golden in streams() if golden.sound]


def written(events: list[Event], request: Request = ASKED) -> list[Any]:
    writer = ResponsesWriter(WANTED, request)
    return data_of(b"".join([writer.feed([event]) for event in events]) + writer.last(BILLED))


@pytest.mark.parametrize("golden", SOUND, ids=str)
def test_a_written_stream_reads_as_the_same_events(golden: Stream) -> None:
    writer = ResponsesWriter(WANTED, ASKED)
    out = b"".join([writer.feed([event]) for event in golden.events]) + writer.last(BILLED)
    reader = ResponsesReader()
    found = core(reader.feed(out) + reader.end())
    if golden.name.startswith("case_18"):  # a filter's refusal is a refusal, in a message of its own
        found = [event for event in found if not isinstance(event, BlockEnded)]
        assert found == [event for event in golden.core if not isinstance(event, BlockEnded)]
        return
    assert found == golden.core
    usage = reader.tally.usage
    assert usage is not None and msgspec.structs.replace(usage, search=0) == BILLED


@pytest.mark.parametrize("golden", SOUND, ids=str)
def test_the_plain_answer_holds_the_items_of_the_stream(golden: Stream) -> None:
    body = json.loads(ResponsesWriter(WANTED, ASKED).whole(golden.events, BILLED))
    stream = written(list(golden.events))
    assert body == stream[-1]["response"]
    done = [event["item"] for event in stream if event["type"] == "response.output_item.done"]
    assert body["output"] == done
    assert [event["sequence_number"] for event in stream] == list(range(len(stream)))


def test_only_what_is_asked_for_is_sealed() -> None:
    events: list[Event] = [
        ThinkingDelta(text="t", signature="s", issuer="anthropic-messages"),
        BlockEnded(),
        Finished(stop=Stop.END),
    ]
    sealed = written(events)[-1]["response"]["output"][0]["encrypted_content"]
    assert sealed and sealed != "s"
    open_item = written(events, Request(dialect="openai-responses", messages=()))[-1]["response"]["output"][0]
    assert "encrypted_content" not in open_item


def test_case_18_an_answer_that_was_refused_is_never_empty() -> None:
    for stop in (Stop.REFUSAL, Stop.CONTENT_FILTER):
        response = written([Finished(stop=stop)])[-1]["response"]
        assert response["output"][0]["content"][0]["type"] == "refusal"
        assert response["status"] == ("completed" if stop is Stop.REFUSAL else "incomplete")


def test_case_18_a_refusal_in_common_words_is_incomplete() -> None:
    response = written([TextDelta(text="I would rather"), BlockEnded(), Finished(stop=Stop.REFUSAL)])[-1]["response"]
    assert response["output"][0]["content"][0]["type"] == "output_text"
    assert response["incomplete_details"] == {"reason": "content_filter"}


def test_case_17_what_was_cut_is_incomplete_everywhere() -> None:
    events: list[Event] = [ToolBegan(call_id="c", name="f"), ToolDelta(arguments='{"a":'), BlockEnded()]
    found = written([*events, Finished(stop=Stop.LENGTH)])
    item = next(event["item"] for event in found if event["type"] == "response.output_item.done")
    assert (item["status"], item["arguments"]) == ("incomplete", '{"a":')
    assert found[-1]["type"] == "response.incomplete"
    assert found[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_a_call_of_a_group_gets_both_its_names_back() -> None:
    tool = Tool(name="crm__find", namespace=("crm", "find"))
    request = Request(dialect="openai-responses", messages=(), tools=(tool,))
    events: list[Event] = [ToolBegan(call_id="c", name="crm__find"), BlockEnded(), Finished(stop=Stop.TOOL_CALLS)]
    item = written(events, request)[-1]["response"]["output"][0]
    assert (item["namespace"], item["name"]) == ("crm", "find")


@pytest.mark.parametrize(("said", "command"), [('{"command":["ls"]}', ["ls"]), ("nonsense", ["nonsense"]), ("", [])])
def test_a_command_for_the_clients_shell_is_told_whole(said: str, command: list[str]) -> None:
    request = Request(
        dialect="openai-responses", messages=(), tools=(Tool(name="local_shell", raw={"type": "local_shell"}),)
    )
    events: list[Event] = [ToolBegan(call_id="c", name="local_shell"), ToolDelta(arguments=said)]
    found = written([*events, BlockEnded(), Finished(stop=Stop.TOOL_CALLS)], request)
    kinds = [event["type"] for event in found]
    assert kinds[2:] == ["response.output_item.added", "response.output_item.done", "response.completed"]
    item = found[-1]["response"]["output"][0]
    assert item["type"] == "local_shell_call" and item["action"] == {"type": "exec", "command": command, "env": {}}


def test_what_was_asked_is_repeated() -> None:
    echo = {"instructions": "be brief", "tools": [{"type": "function", "name": "f"}], "include": []}
    found = written([TextDelta(text="x")], Request(dialect="openai-responses", messages=(), echo=echo))
    for event in (found[0], found[-1]):
        assert event["response"]["instructions"] == "be brief"
        assert event["response"]["tools"] == echo["tools"]
        assert event["response"]["store"] is False and "include" not in event["response"]


def test_silence_is_kept_alive_after_a_beginning() -> None:
    writer = ResponsesWriter(WANTED, ASKED)
    out = writer.keep_alive() + writer.keep_alive() + writer.feed([TextDelta(text="x")]) + writer.last(Usage())
    found = data_of(out)
    assert [event["type"] for event in found[:4]] == [
        "response.created", "response.in_progress", "response.in_progress", "response.output_item.added",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in found] == list(range(len(found)))


def test_case_34_it_fails_by_its_own_event() -> None:
    for events in ([], [TextDelta(text="x")]):
        writer = ResponsesWriter(Wanted(answer_id="resp_1", model="m", created=1), ASKED)
        found = data_of(writer.feed(events) + writer.fail(GatewayError(Kind.OVERLOADED, "busy")))
        assert found[0]["type"] == "response.created" and found[-1]["type"] == "response.failed"
        assert found[-1]["response"]["error"] == {"code": "server_is_overloaded", "message": "busy"}
