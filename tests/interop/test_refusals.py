"""Whatever refuses a field, over whichever upstream, its client reads the word that it wrote itself.

Law: every field that can be refused, as every face says it, is sent towards every dialect with every quirk that
refuses; the name in the refusal leads to something in the client's own body, and no other protocol's word is said.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Place, Shape
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.fields import Field, Refused, worded
from conflux.policy.capability import MEETS
from tests.interop.asked import Asked
from tests.interop.cases import FACES
from tests.interop.matrix import Pair, model_of, send, serving

SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "pattern": "x", "minLength": 3}}}
FORM = {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "f"}}
FILE = {"type": "file", "file": {"file_id": "file-1"}}
BLOCKS = [{"type": "container_upload", "file_id": "f"}]
# What each face says of a field. A field that is missing here cannot be said there.
SAID: dict[str, dict[Field, list[dict[str, Any]]]] = {
    "openai-chat": {
        Field.MESSAGES: [{"messages": [{"role": "user", "content": [FILE]}]},
                         {"messages": [{"role": "system", "content": "a"}]}],
        Field.TOOLS: [{"tools": [TOOL]}, {"functions": [{"name": "f"}]}],
        Field.TOOL_CHOICE: [{"tool_choice": "required"}, {"function_call": {"name": "f"}}],
        Field.STOP: [{"stop": list("abcdef")}],
        Field.CHOICES: [{"n": 2}],
        Field.LOGPROBS: [{"logprobs": True}],
        Field.LOGIT_BIAS: [{"logit_bias": {"1": 2}}],
        Field.EFFORT: [{"reasoning_effort": "high"}],
        Field.FORMAT: [{"response_format": {"type": "json_object"}}],
        Field.FORMAT_SCHEMA: [{"response_format": FORM}],
        Field.SCHEMA: [{"response_format": FORM}],
        Field.SEARCH: [{"web_search_options": {}}],
    },
    "openai-completions": {
        Field.MESSAGES: [{}], Field.STOP: [{"stop": list("abcdef")}], Field.CHOICES: [{"n": 2}],
        Field.LOGPROBS: [{"logprobs": 1}], Field.LOGIT_BIAS: [{"logit_bias": {"1": 2}}],
    },
    "openai-responses": {
        Field.MESSAGES: [{"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}],
        Field.TOOLS: [{"tools": [{"type": "function", "name": "f", "parameters": {}}]}],
        Field.TOOL_CHOICE: [{"tools": [{"type": "web_search"}], "tool_choice": "required"}],
        Field.LOGPROBS: [{"top_logprobs": 2}],
        Field.EFFORT: [{"reasoning": {"effort": "high"}}],
        Field.FORMAT: [{"text": {"format": {"type": "json_object"}}}],
        Field.FORMAT_SCHEMA: [{"text": {"format": {"type": "json_schema", "name": "s", "schema": SCHEMA}}}],
        Field.SCHEMA: [{"text": {"format": {"type": "json_schema", "name": "s", "schema": SCHEMA}}}],
        Field.SEARCH: [{"tools": [{"type": "web_search"}]}],
    },
    "anthropic-messages": {
        Field.MESSAGES: [{"messages": [{"role": "user", "content": BLOCKS}]}],
        Field.TOOLS: [{"tools": [{"name": "f", "input_schema": {"type": "object"}}]}],
        Field.TOOL_CHOICE: [{"tools": [{"type": "web_search_20250305", "name": "web_search"}],
                             "tool_choice": {"type": "any"}}],
        Field.STOP: [{"stop_sequences": list("abcdef")}],
        Field.EFFORT: [{"output_config": {"effort": "high"}}, {"thinking": {"type": "enabled", "budget_tokens": 2000}}],
        Field.FORMAT_SCHEMA: [{"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}],
        Field.SCHEMA: [{"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}],
        Field.SEARCH: [{"tools": [{"type": "web_search_20250305", "name": "web_search"}]}],
    },
    "gemini": {
        Field.MESSAGES: [{"contents": [{"role": "user", "parts": [
            {"fileData": {"fileUri": "https://a/b", "mimeType": "application/x-strange"}}]}]}],
        Field.TOOLS: [{"tools": [{"functionDeclarations": [{"name": "f"}]}]}],
        Field.TOOL_CHOICE: [{"tools": [{"googleSearch": {}}],
                             "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
                            {"tools": [{"google_search": {}}],
                             "tool_config": {"function_calling_config": {"mode": "ANY"}}}],
        Field.STOP: [{"generationConfig": {"stopSequences": list("abcdef")}},
                     {"generation_config": {"stop_sequences": list("abcdef")}}],
        Field.CHOICES: [{"generationConfig": {"candidateCount": 2}}],
        Field.LOGPROBS: [{"generationConfig": {"responseLogprobs": True, "logprobs": 2}}],
        Field.EFFORT: [{"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}}],
        Field.FORMAT: [{"generationConfig": {"responseMimeType": "application/json"}}],
        Field.FORMAT_SCHEMA: [{"generationConfig": {"responseMimeType": "application/json", name: SCHEMA}}
                              for name in ("responseSchema", "responseJsonSchema")],
        Field.SCHEMA: [{"generationConfig": {"responseMimeType": "application/json", name: SCHEMA}}
                       for name in ("responseSchema", "responseJsonSchema")],
        Field.SEARCH: [{"tools": [{"googleSearch": {}}]}],
    },
}  # fmt: skip
QUIRKS: tuple[dict[str, Any], ...] = ({}, {"choices": False, "required_tools": False, "json_schema": False,
                                           "most_stops": 1})  # fmt: skip
# What only one protocol writes, and what it might be said instead of.
_NAMES = ("stop", "n", "messages", "response_format", "reasoning_effort", "web_search_options", "logprobs", "input",
          "prompt", "contents", "stop_sequences", "stopSequences", "candidateCount", "output_config")  # fmt: skip
WORDS = re.compile(rf"\b({'|'.join(_NAMES)})\b(?=[:.]| out\b)")

# What these protocols' clients offer with every request, so that nobody is refused for it; and what they alone forbid.
HINTS = {
    "openai-responses": {Field.EFFORT, Field.SEARCH},
    "anthropic-messages": {Field.EFFORT, Field.SEARCH, Field.SCHEMA},
    "gemini": {Field.EFFORT, Field.SEARCH},
}


def bodies() -> Iterator[tuple[str, Field, dict[str, Any]]]:
    for face, fields in SAID.items():
        for field, said in fields.items():
            for one in said:
                plain = FACES[face].body("m", Asked("Hi"), False)
                yield face, field, {**plain, **one}


def refused(face: str, body: dict[str, Any]) -> Iterator[GatewayError]:
    """By every dialect, in every manner."""
    ours = DIALECTS[face]
    raw = json.dumps(body).encode()
    place = Place(model="m", stream=False) if face == "gemini" else Place()
    envelope = ours.open(raw, place)
    for theirs in DIALECTS.values():
        for quirks in QUIRKS:
            try:
                theirs.write_request(ours.read_request(envelope), Shape(model="up", quirks=quirks, max_output=100))
            except GatewayError as error:
                yield worded(error, ours.words, body)
    for need in envelope.needs & MEETS.keys():
        yield worded(Refused(Kind.UNSUPPORTED, MEETS[need][1], "leave {field} out"), ours.words, body)


def leads(body: Any, path: str) -> bool:
    """To something in the body; a place within a schema may be its keyword's."""
    for step in path.split("."):
        name = step.partition("[")[0]
        if not isinstance(body, dict) or name not in body:
            return False
        body = body[name]
        if not isinstance(body, dict):
            return True
    return True


@pytest.mark.parametrize(("face", "field", "body"), list(bodies()))
def test_a_refusal_names_what_the_client_wrote(face: str, field: Field, body: dict[str, Any]) -> None:
    for error in refused(face, body):
        param = error.param
        if param is None or param == "model":
            continue
        assert leads(body, param), (param, error.message)
        for word in WORDS.findall(error.message):
            assert word in param.replace("[", ".").split("."), error.message


def test_every_field_is_refused_to_every_face_that_can_say_it() -> None:
    """So that the property above is one of all of them."""
    for face, fields in SAID.items():
        seen = {error.field for _, field, body in bodies() if _ == face for error in refused(face, body)
                if isinstance(error, Refused)}  # fmt: skip
        assert seen >= fields.keys() - HINTS.get(face, set()) - {Field.MESSAGES, Field.TOOL_CHOICE}, (face, seen)
    told = {field for fields in SAID.values() for field in fields}
    assert told == set(Field) - {Field.MODEL}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with serving(tmp_path_factory.mktemp("refusals")) as made:
        yield made


@pytest.mark.parametrize(("face", "over", "field", "name"), [
    ("anthropic-messages", "openai-responses", Field.STOP, "stop_sequences"),
    ("gemini", "anthropic-messages", Field.CHOICES, "generationConfig.candidateCount"),
    ("openai-responses", "anthropic-messages", Field.SCHEMA, "text.format.schema.properties.a"),
    ("openai-chat", "openai-responses", Field.STOP, "stop"),
])  # fmt: skip
def test_over_the_wire(pair: Pair, face: str, over: str, field: Field, name: str) -> None:
    client, model = FACES[face], model_of(over)
    body = {**client.body(model, Asked("Hi"), False), **SAID[face][field][0]}
    answer = send(pair, client, client.path(model, False), body)
    assert answer.status == 400
    assert client.complaint(answer.body).startswith(name), answer.body
