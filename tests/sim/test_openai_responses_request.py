"""The simulator is as strict with Responses as the real one."""

from typing import Any

import msgspec
import pytest

from conflux.sim.ask import Ask, BadRequest
from conflux.sim.openai_responses_request import read
from conflux.sim.quirks import Quirks

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "1"}
USER = {"role": "user", "content": "Hi"}


def ask(quirks: Quirks | None = None, **body: Any) -> Ask:
    return read(msgspec.json.encode({"model": "m", "input": "Hi", **body}), "/v1/responses", 0, quirks or Quirks())


def test_what_a_conversation_comes_down_to() -> None:
    parts = [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "data:image/png;base64,QUJD"},
             {"type": "input_file", "filename": "a.pdf", "file_url": "https://e"}]  # fmt: skip
    found = ask(
        instructions="be", input=[{"role": "developer", "content": "dev"}, {"role": "user", "content": parts}, CALL,
                                  {**CALL, "call_id": "d"}, OUTPUT, {**OUTPUT, "call_id": "d", "output": "2"}],
        tools=[{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}], max_output_tokens=5, stream=True,
        reasoning={"effort": "low"}, text={"format": {"type": "json_object"}},
    )  # fmt: skip
    assert (found.text, found.system, found.results, found.step) == ("see", "be\ndev", ("1", "2"), 1)
    assert found.attachments == ("image image/png of 3 bytes", "file a.pdf at https://e")
    assert (found.limits.tokens, found.effort, found.json_object, found.stream) == (5, "low", True, True)
    assert set(found.tools.schemas) == {"f", "g"} and found.prompt_tokens > 100


def test_how_it_is_delivered_is_no_part_of_the_question() -> None:
    assert ask().seed == ask(stream=True, store=False).seed != ask(input="Ho").seed


@pytest.mark.parametrize(
    "body",
    [
        {"input": None},
        {"input": []},
        {"input": [7]},
        {"model": ""},
        {"messages": []},
        {"stop": ["x"]},
        {"stream": "yes"},
        {"max_output_tokens": 0},
        {"previous_response_id": "resp_1"},
        {"input": [{"type": "odd"}]},
        {"input": [{"role": "tool", "content": "x"}]},
        {"input": [{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
        {"input": [{"role": "user", "content": None}]},
        {"input": [CALL]},
        {"input": [OUTPUT]},
        {"input": [CALL, {**OUTPUT, "type": "custom_tool_call_output"}]},
        {"input": [{**CALL, "name": "a b"}, OUTPUT]},
        {"input": [USER, {"type": "reasoning", "summary": []}]},
        {"input": [USER, {"type": "reasoning", "summary": [], "encrypted_content": "foreign"}]},
        {"tools": [{"type": "function"}]},
        {"tools": [{"type": "odd"}]},
        {"tools": [{"type": "function", "name": "f"}] * 2},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "name": "f"}},
        {"text": {"format": {"type": "json_schema"}}},
        {"text": {"format": {"type": "yaml"}}},
    ],
)
def test_what_the_real_one_refuses(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        ask(**body)


def test_quirks_refuse_fields_and_nonsense_is_no_body() -> None:
    with pytest.raises(BadRequest, match="user"):
        ask(Quirks(refuses=("user",)), user="u")
    for raw in (b"{", b"[]"):
        with pytest.raises(BadRequest):
            read(raw, "/v1/responses", 0, Quirks())


def test_tools_that_the_real_one_runs_itself_are_no_functions() -> None:
    kinds = ("web_search", "tool_search", "image_generation", "local_shell")
    assert ask(tools=[{"type": kind} for kind in kinds]).tools.schemas == {}
