"""Nothing of a client's request is lost silently, whatever protocol it is in and whichever the upstream's is.

Law: each field arrives, is refused by name, or is named among what was left out. A field is told by a mark that it
carries, by its name, or by another dialect's name for it. (Anthropic's fields are in test_messages_losses.py.)
"""

import json
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import Place, Shape
from conflux.dialects.freeform import as_functions, tools_of
from conflux.dialects.losses import check_vital
from conflux.neutral.errors import GatewayError
from tests.interop.cases import UPSTREAMS

MARK = "markofthisfield"
DATA = "QUJDREVG"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "description": MARK}}}
FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}

# field: the body's part that carries it, and what tells of it
Field = tuple[dict[str, Any], tuple[str, ...]]


def talk(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts), **more}]}


def replayed(**more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", **more},
                         {"role": "user", "content": "c"}]}  # fmt: skip


def called(result: Any) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": f'{{"a":"{MARK}"}}'}}
    return {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": None, "tool_calls": [call]},
                         {"role": "tool", "tool_call_id": "c1", "content": result}], "tools": [TOOL]}  # fmt: skip


CHAT: dict[str, Field] = {
    "system": ({"messages": [{"role": "system", "content": MARK}, {"role": "user", "content": "a"}]}, (MARK,)),
    "developer": ({"messages": [{"role": "developer", "content": MARK}, {"role": "user", "content": "a"}]}, (MARK,)),
    "name": (talk({"type": "text", "text": "a"}, name=MARK), (MARK, "name")),
    "image": (talk({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}), (DATA,)),
    "image.detail": (talk({"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "high"}}),
                     ("high", "detail")),
    "image address": (talk({"type": "image_url", "image_url": {"url": f"https://a/{MARK}.png"}}), (MARK,)),
    "audio": (talk({"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}}), (DATA,)),
    "file": (talk({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{DATA}", "filename": "a.pdf"}}),
             (DATA,)),
    "filename": (talk({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{DATA}", "filename": MARK}}),
                 (MARK, "filename")),
    "refusal": (replayed(refusal=MARK), (MARK, "refusal")),
    "reasoning_content": (replayed(reasoning_content=MARK), (MARK, "reasoning", "thinking")),
    "tool_calls": (called("x"), (MARK,)),
    "tool result": (called(MARK), (MARK,)),
    "tool result parts": (called([{"type": "text", "text": MARK}]), (MARK,)),
    "max_tokens": ({"max_tokens": 7919}, ("7919",)),
    "max_completion_tokens": ({"max_completion_tokens": 7919}, ("7919",)),
    "temperature": ({"temperature": 0.125}, ("0.125", "temperature")),
    "top_p": ({"top_p": 0.125}, ("0.125", "top_p")),
    "n": ({"n": 3}, ('"n":3', "candidateCount", "'n'")),
    "stop": ({"stop": [MARK]}, (MARK, "stop")),
    "seed": ({"seed": 7919}, ("7919", "seed")),
    "logit_bias": ({"logit_bias": {"50256": -100}}, ("50256", "logit_bias")),
    "logprobs": ({"logprobs": True, "top_logprobs": 7}, ("logprobs",)),
    "presence_penalty": ({"presence_penalty": 0.125}, ("0.125", "presence_penalty")),
    "frequency_penalty": ({"frequency_penalty": 0.125}, ("0.125", "frequency_penalty")),
    "json_object": ({"response_format": {"type": "json_object"}}, ("json_object", "json", "response_format")),
    "json_schema": ({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
                    (MARK,)),
    "json_schema.name": ({"response_format": {"type": "json_schema", "json_schema": {
        "name": MARK, "schema": {"type": "object", "properties": {}}}}}, (MARK, "name")),
    "json_schema.description": ({"response_format": {"type": "json_schema", "json_schema": {
        "name": "n", "description": MARK, "schema": {"type": "object", "properties": {}}}}}, (MARK, "description")),
    "tools.description": ({"tools": [{"type": "function", "function": {**FUNCTION, "description": MARK}}]}, (MARK,)),
    "tools.parameters": ({"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}]}, (MARK,)),
    "tools.strict": ({"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]}, ("strict",)),
    "tool_choice": ({"tools": [TOOL], "tool_choice": "required"}, ("required", "any", "ANY")),
    "tool_choice none": ({"tools": [TOOL], "tool_choice": "none"}, ("none", "NONE")),
    "parallel_tool_calls": ({"tools": [TOOL], "parallel_tool_calls": False}, ("parallel",)),
    "custom tool": ({"tools": [{"type": "custom", "custom": {"name": "p", "description": MARK}}]}, (MARK,)),
    "reasoning_effort": ({"reasoning_effort": "low"}, ("low", "effort", "thinking", "reasoning")),
    "verbosity": ({"verbosity": "low"}, ("verbosity",)),
    "user": ({"user": MARK}, (MARK, "user")),
    "metadata": ({"metadata": {"a": MARK}}, (MARK, "metadata")),
    "store": ({"store": True}, ("store",)),
    "service_tier": ({"service_tier": "flex"}, ("service_tier", "flex")),
    "modalities": ({"modalities": ["text", "audio"]}, ("modalities", "audio")),
    "prediction": ({"prediction": {"type": "content", "content": MARK}}, (MARK, "prediction")),
    "web_search_options": ({"web_search_options": {"search_context_size": MARK}}, (MARK, "web_search")),
    "prompt_cache_key": ({"prompt_cache_key": MARK}, (MARK, "prompt_cache_key")),
    "safety_identifier": ({"safety_identifier": MARK}, (MARK, "safety_identifier")),
    "chat_template_kwargs": ({"chat_template_kwargs": {"a": MARK}}, (MARK, "chat_template_kwargs")),
    "top_k": ({"top_k": 7919}, ("7919", "top_k")),
    "what comes next": ({"what_comes_next": MARK}, (MARK, "what_comes_next")),
}  # fmt: skip


def items(*found: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": "a"}, *found, {"role": "user", "content": "b"}]}


def part(**found: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}, found]}]}


_FUNCTION = {"type": "function", **FUNCTION}
_CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": f'{{"a":"{MARK}"}}'}
_OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "x"}
RESPONSES: dict[str, Field] = {
    "instructions": ({"instructions": MARK}, (MARK,)),
    "developer": (items({"role": "developer", "content": MARK}), (MARK,)),
    "input_image": (part(type="input_image", image_url=f"data:image/png;base64,{DATA}"), (DATA,)),
    "input_image.detail": (part(type="input_image", image_url="https://a/b.png", detail="high"), ("high", "detail")),
    "input_file": (part(type="input_file", file_data=f"data:application/pdf;base64,{DATA}", filename="a.pdf"), (DATA,)),
    "input_file.filename": (part(type="input_file", file_data=f"data:application/pdf;base64,{DATA}", filename=MARK),
                            (MARK, "filename")),
    "function_call": (items(_CALL, _OUTPUT), (MARK,)),
    "function_call_output": (items({**_CALL, "arguments": "{}"}, {**_OUTPUT, "output": MARK}), (MARK,)),
    "custom_tool_call": (items({"type": "custom_tool_call", "call_id": "c1", "name": "p", "input": MARK},
                               {"type": "custom_tool_call_output", "call_id": "c1", "output": "x"}), (MARK,)),
    "custom_tool_call_output": (items({"type": "custom_tool_call", "call_id": "c1", "name": "p", "input": "x"},
                                      {"type": "custom_tool_call_output", "call_id": "c1", "output": MARK}), (MARK,)),
    "reasoning": (items({"type": "reasoning", "summary": [{"type": "summary_text", "text": MARK}],
                         "encrypted_content": "x"}, {"role": "assistant", "content": "y"}), (MARK, "reasoning")),
    "web_search_call": (items({"type": "web_search_call", "id": "w", "status": "completed",
                               "action": {"type": "search", "query": MARK}}), (MARK, "web_search_call")),
    "compaction": (items({"type": "compaction", "encrypted_content": MARK}), (MARK, "compaction")),
    "refusal": (items({"role": "assistant", "content": [{"type": "refusal", "refusal": MARK}]}), (MARK,)),
    "max_output_tokens": ({"max_output_tokens": 7919}, ("7919",)),
    "temperature": ({"temperature": 0.125}, ("0.125", "temperature")),
    "top_p": ({"top_p": 0.125}, ("0.125", "top_p")),
    "top_logprobs": ({"top_logprobs": 7, "include": ["message.output_text.logprobs"]}, ("logprobs",)),
    "text.format": ({"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}}, (MARK,)),
    "text.verbosity": ({"text": {"verbosity": "low"}}, ("verbosity",)),
    "reasoning.effort": ({"reasoning": {"effort": "low"}}, ("low", "effort", "thinking", "reasoning")),
    "reasoning.summary": ({"reasoning": {"effort": "low", "summary": "detailed"}},
                          ("detailed", "summary", "display", "includeThoughts", "thinking")),
    "tools.description": ({"tools": [{**_FUNCTION, "description": MARK}]}, (MARK,)),
    "tools.strict": ({"tools": [{**_FUNCTION, "strict": True}]}, ("strict",)),
    "tools.custom": ({"tools": [{"type": "custom", "name": "p", "description": MARK}]}, (MARK,)),
    "tools.custom.format": ({"tools": [{"type": "custom", "name": "p", "format": {
        "type": "grammar", "syntax": "lark", "definition": MARK}}]}, (MARK, "format", "grammar")),
    "tools.namespace": ({"tools": [{"type": "namespace", "name": "crm", "description": MARK, "tools": [_FUNCTION]}]},
                        ("crm",)),
    "tools.web_search": ({"tools": [{"type": "web_search"}]}, ("web_search", "googleSearch")),
    "tools.tool_search": ({"tools": [{"type": "tool_search"}]}, ("tool_search",)),
    "tools.file_search": ({"tools": [{"type": "file_search", "vector_store_ids": [MARK]}]}, (MARK, "file_search")),
    "tool_choice": ({"tools": [_FUNCTION], "tool_choice": {"type": "function", "name": "f"}}, ("choice", "onfig")),
    "parallel_tool_calls": ({"tools": [_FUNCTION], "parallel_tool_calls": False}, ("parallel",)),
    "metadata": ({"metadata": {"a": MARK}}, (MARK, "metadata")),
    "user": ({"user": MARK}, (MARK, "user")),
    "store": ({"store": True}, ("store",)),
    "service_tier": ({"service_tier": "flex"}, ("service_tier", "flex")),
    "truncation": ({"truncation": "auto"}, ("truncation",)),
    "prompt_cache_key": ({"prompt_cache_key": MARK}, (MARK, "prompt_cache_key")),
    "safety_identifier": ({"safety_identifier": MARK}, (MARK, "safety_identifier")),
    "client_metadata": ({"client_metadata": {"a": MARK}}, (MARK, "client_metadata")),
    "max_tool_calls": ({"max_tool_calls": 7919}, ("7919", "max_tool_calls")),
    "previous_response_id": ({"previous_response_id": MARK}, (MARK, "previous_response_id")),
    "what comes next": ({"what_comes_next": MARK}, (MARK, "what_comes_next")),
}  # fmt: skip


def config(**found: Any) -> dict[str, Any]:
    return {"generationConfig": found}


def contents(*parts: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "a"}, *parts]}]}


def declared(**found: Any) -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "f", **found}]}]}


_MODEL = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": MARK}}}]}
GEMINI: dict[str, Field] = {
    "systemInstruction": ({"systemInstruction": {"parts": [{"text": MARK}]}}, (MARK,)),
    "inlineData": (contents({"inlineData": {"mimeType": "image/png", "data": DATA}}), (DATA,)),
    "fileData": (contents({"fileData": {"mimeType": "image/png", "fileUri": f"https://a/{MARK}"}}), (MARK,)),
    "functionCall": ({"contents": [{"role": "user", "parts": [{"text": "a"}]}, _MODEL, {"role": "user", "parts": [
        {"functionResponse": {"name": "f", "response": {"output": "x"}}}]}], **declared()}, (MARK,)),
    "functionResponse": ({"contents": [{"role": "user", "parts": [{"text": "a"}]}, _MODEL, {"role": "user", "parts": [
        {"functionResponse": {"name": "f", "response": {"b": "other" + MARK}}}]}], **declared()}, ("other" + MARK,)),
    "thought": ({"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [
        {"text": MARK, "thought": True}, {"text": "b"}]}, {"role": "user", "parts": [{"text": "c"}]}]},
        (MARK, "reasoning", "thinking", "thought")),
    "executableCode": (contents({"executableCode": {"language": "PYTHON", "code": MARK}}), (MARK, "executable_code")),
    "maxOutputTokens": (config(maxOutputTokens=7919), ("7919",)),
    "temperature": (config(temperature=0.125), ("0.125", "temperature")),
    "topP": (config(topP=0.125), ("0.125", "top_p", "topP")),
    "topK": (config(topK=7919), ("7919", "top_k", "topK")),
    "candidateCount": (config(candidateCount=3), ('"n":3', "andidateCount", "'n'", "n")),
    "stopSequences": (config(stopSequences=[MARK]), (MARK, "stop")),
    "seed": (config(seed=7919), ("7919", "seed")),
    "presencePenalty": (config(presencePenalty=0.125), ("0.125", "presence")),
    "frequencyPenalty": (config(frequencyPenalty=0.125), ("0.125", "frequency")),
    "responseLogprobs": (config(responseLogprobs=True, logprobs=3), ("ogprobs",)),
    "responseMimeType": (config(responseMimeType="application/json"), ("json", "response")),
    "responseSchema": (config(responseMimeType="application/json", responseSchema=SCHEMA), (MARK,)),
    "responseModalities": (config(responseModalities=["TEXT", "IMAGE"]), ("odalities", "IMAGE")),
    "thinkingBudget": (config(thinkingConfig={"thinkingBudget": 2048}), ("2048", "effort", "reasoning", "thinking")),
    "thinkingLevel": (config(thinkingConfig={"thinkingLevel": "low"}), ("low", "effort", "LOW")),
    "speechConfig": (config(speechConfig={"a": MARK}), (MARK, "speechConfig")),
    "mediaResolution": (config(mediaResolution=MARK), (MARK, "mediaResolution")),
    "tools.description": (declared(description=MARK), (MARK,)),
    "tools.parameters": (declared(parameters=SCHEMA), (MARK,)),
    "tools.parametersJsonSchema": (declared(parametersJsonSchema=SCHEMA), (MARK,)),
    "tools.response": (declared(response={"type": "OBJECT", "description": MARK}), (MARK, "response")),
    "tools.behavior": (declared(behavior="NON_BLOCKING"), ("behavior",)),
    "tools.googleSearch": ({"tools": [{"googleSearch": {}}]}, ("web_search", "googleSearch")),
    "tools.codeExecution": ({"tools": [{"codeExecution": {}}]}, ("codeExecution",)),
    "tools.urlContext": ({"tools": [{"urlContext": {}}]}, ("urlContext",)),
    "toolConfig": ({**declared(), "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
                   ("required", "any", "ANY")),
    "toolConfig.retrievalConfig": ({**declared(), "toolConfig": {"retrievalConfig": {"languageCode": MARK}}},
                                   (MARK, "retrievalConfig", "toolConfig")),
    "safetySettings": ({"safetySettings": [{"category": MARK, "threshold": "x"}]}, (MARK, "safetySettings")),
    "cachedContent": ({"cachedContent": MARK}, (MARK, "cachedContent")),
    "labels": ({"labels": {"a": MARK}}, (MARK, "labels")),
    "what comes next": ({"whatComesNext": MARK}, (MARK, "whatComesNext")),
    "generationConfig.what comes next": (config(whatComesNext=MARK), (MARK, "whatComesNext")),
}  # fmt: skip

COMPLETIONS: dict[str, Field] = {
    "prompt": ({"prompt": MARK}, (MARK,)),
    "prompts": ({"prompt": ["a", MARK]}, (MARK,)),
    "suffix": ({"suffix": MARK}, (MARK, "suffix")),
    "echo": ({"echo": True}, ("echo",)),
    "best_of": ({"best_of": 3}, ("best_of",)),
    "n": ({"n": 3}, ('"n":3', "candidateCount")),
    "logprobs": ({"logprobs": 3}, ("logprobs",)),
    "logit_bias": ({"logit_bias": {"50256": -100}}, ("50256", "logit_bias")),
    "max_tokens": ({"max_tokens": 7919}, ("7919",)),
    "temperature": ({"temperature": 0.125}, ("0.125", "temperature")),
    "top_p": ({"top_p": 0.125}, ("0.125", "top_p")),
    "stop": ({"stop": [MARK]}, (MARK, "stop")),
    "seed": ({"seed": 7919}, ("7919", "seed")),
    "presence_penalty": ({"presence_penalty": 0.125}, ("0.125", "presence_penalty")),
    "frequency_penalty": ({"frequency_penalty": 0.125}, ("0.125", "frequency_penalty")),
    "user": ({"user": MARK}, (MARK, "user")),
    "stream_options": ({"stream": True, "stream_options": {"include_obfuscation": True}}, ("obfuscation",)),
    "what comes next": ({"what_comes_next": MARK}, (MARK, "what_comes_next")),
}  # fmt: skip
EVERY: dict[str, tuple[dict[str, Any], dict[str, Field]]] = {
    "openai-chat": ({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}, CHAT),
    "openai-completions": ({"model": "m", "prompt": "Hi"}, COMPLETIONS),
    "openai-responses": ({"model": "m", "input": "Hi"}, RESPONSES),
    "gemini": ({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}, GEMINI),
}
CASES = [(client, field) for client, (_, fields) in EVERY.items() for field in fields]


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize(("client", "field"), CASES)
def test_every_field_arrives_is_refused_or_is_named(client: str, field: str, upstream: str) -> None:
    basis, fields = EVERY[client]
    added, telling = fields[field]
    dialect = DIALECTS[client]
    raw = json.dumps({**basis, **added}, ensure_ascii=False).encode()
    try:
        envelope = dialect.open(raw, Place(model="m", stream=False))
        shape = Shape(model="up", max_output=envelope.max_output or 4000, reasons=True)
        request = dialect.read_request(envelope)
        check_vital(request, upstream)
        # As a lane does where the upstream has no freeform tools.
        request = as_functions(request) if client != upstream and tools_of(request) else request
        found = DIALECTS[upstream].write_request(request, shape)
    except GatewayError as error:
        assert error.param is not None or any(word in error.message for word in telling)
        return
    told = found.body.decode() + " ".join(found.dropped) + found.head.decode()
    assert any(word in told for word in telling), (json.loads(found.body), found.dropped)


def test_every_client_protocol_is_there() -> None:
    assert {*EVERY, "anthropic-messages"} == DIALECTS.keys() - {"embeddings"}
