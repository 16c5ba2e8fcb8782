"""The names of Gemini's request messages: one spelling of each, and what is not known.

Law: Google takes camelCase and snake_case, and one value where a list may stand; from here on there is camelCase and
lists. Both spellings at once are refused. What no message has is told by its path, never dropped here; what is free
(arguments, schemas, labels) is not looked into.
"""

import re
from typing import Any

from conflux.neutral.errors import invalid
from conflux.neutral.fields import Field, Hint, Words

_HUMP = re.compile(r"_([a-z0-9])")
_NOT_CAMEL = re.compile(r"[a-z0-9]_[a-z0-9]")

FREE = ""  # a field that holds a scalar, or what is not looked into

_BLOB = {"mimeType": FREE, "data": FREE, "displayName": FREE}
_FILE = {"mimeType": FREE, "fileUri": FREE, "displayName": FREE}

# message: field: the message it holds; "*" before a name is a list of them.
MESSAGES: dict[str, dict[str, str]] = {
    "body": {
        "contents": "*content",
        "systemInstruction": "content",
        "tools": "*tool",
        "toolConfig": "toolConfig",
        "generationConfig": "generationConfig",
        "safetySettings": FREE,
        "cachedContent": FREE,
        "labels": FREE,
        "model": FREE,
        "generateContentRequest": FREE,
        # of this house
        "task_type": FREE,
        "flux": FREE,
        "prefer": FREE,
    },
    "content": {"role": FREE, "parts": "*part"},
    "part": {
        "text": FREE,
        "thought": FREE,
        "thoughtSignature": FREE,
        "inlineData": "blob",
        "fileData": "file",
        "functionCall": "call",
        "functionResponse": "response",
        "executableCode": FREE,
        "codeExecutionResult": FREE,
        "toolCall": FREE,
        "toolResponse": FREE,
        "videoMetadata": FREE,
        "mediaResolution": FREE,
        "partMetadata": FREE,
    },
    "blob": _BLOB,
    "file": _FILE,
    "call": {"id": FREE, "name": FREE, "args": FREE},
    "response": {"id": FREE, "name": FREE, "response": FREE, "parts": "*responsePart"},
    "responsePart": {"inlineData": "blob", "fileData": "file"},
    "tool": {
        "functionDeclarations": "*declaration",
        "googleSearch": FREE,
        "googleSearchRetrieval": FREE,
        "enterpriseWebSearch": FREE,
        "codeExecution": FREE,
        "urlContext": FREE,
        "googleMaps": FREE,
        "computerUse": FREE,
        "fileSearch": FREE,
        "retrieval": FREE,
        "mcpServers": FREE,
    },
    "declaration": {
        "name": FREE,
        "description": FREE,
        "parameters": FREE,
        "parametersJsonSchema": FREE,
        "response": FREE,
        "responseJsonSchema": FREE,
        "behavior": FREE,
    },
    "toolConfig": {"functionCallingConfig": "calling", "retrievalConfig": FREE},
    "calling": {"mode": FREE, "allowedFunctionNames": FREE},
    "generationConfig": {
        "candidateCount": FREE,
        "stopSequences": FREE,
        "maxOutputTokens": FREE,
        "temperature": FREE,
        "topP": FREE,
        "topK": FREE,
        "seed": FREE,
        "presencePenalty": FREE,
        "frequencyPenalty": FREE,
        "responseLogprobs": FREE,
        "logprobs": FREE,
        "responseMimeType": FREE,
        "responseSchema": FREE,
        "responseJsonSchema": FREE,
        "_responseJsonSchema": FREE,
        "responseModalities": FREE,
        "mediaResolution": FREE,
        "speechConfig": FREE,
        "imageConfig": FREE,
        "enableEnhancedCivicAnswers": FREE,
        "thinkingConfig": "thinking",
    },
    "thinking": {"thinkingBudget": FREE, "thinkingLevel": FREE, "includeThoughts": FREE},
}


_SCHEMA = tuple(f"generationConfig.{name}" for name in ("responseSchema", "responseJsonSchema", "_responseJsonSchema"))
# What its clients call a field that is refused or left out.
WORDS: Words = {
    Field.MESSAGES: ("contents",),
    Field.TOOL_CHOICE: ("toolConfig.functionCallingConfig",),
    Field.STOP: ("generationConfig.stopSequences",),
    Field.CHOICES: ("generationConfig.candidateCount",),
    Field.LOGPROBS: ("generationConfig.responseLogprobs", "generationConfig.logprobs"),
    Field.EFFORT: ("generationConfig.thinkingConfig",),
    Field.FORMAT: ("generationConfig.responseMimeType",),
    Field.FORMAT_SCHEMA: _SCHEMA,
    Field.SCHEMA: _SCHEMA,
    Field.SEARCH: ("tools",),
    Hint.LIMIT: ("generationConfig.maxOutputTokens",),
    Hint.TEMPERATURE: ("generationConfig.temperature",),
    Hint.TOP_P: ("generationConfig.topP",),
    Hint.TOP_K: ("generationConfig.topK",),
    Hint.SEED: ("generationConfig.seed",),
    Hint.FREQUENCY: ("generationConfig.frequencyPenalty",),
    Hint.PRESENCE: ("generationConfig.presencePenalty",),
}


def tidy(body: dict[str, Any]) -> list[str]:
    """Puts the body into one spelling, in place. The paths of what no message has."""
    unknown: list[str] = []
    _tidy(body, "body", "", unknown)
    return unknown


def _tidy(value: dict[str, Any], kind: str, path: str, unknown: list[str]) -> None:
    fields = MESSAGES[kind]
    for name in list(value):
        where = f"{path}.{name}" if path else name
        held = fields.get(name)
        if held is None:
            camel = _HUMP.sub(lambda found: found[1].upper(), name) if _NOT_CAMEL.search(name) else name
            held = fields.get(camel)
            if held is None:
                unknown.append(where)
                continue
            if camel in value:
                raise invalid(f"{where}: {camel} is there too: send one of the two", param=where)
            value[camel] = value.pop(name)
            name = camel
        if held:
            value[name] = _held(value[name], held, where, unknown)


def _held(value: Any, held: str, where: str, unknown: list[str]) -> Any:
    if not held.startswith("*"):
        if type(value) is dict:
            _tidy(value, held, where, unknown)
        return value
    if type(value) is dict:
        value = [value]
    if type(value) is list:
        for place, one in enumerate(value):
            if type(one) is dict:
                _tidy(one, held[1:], f"{where}[{place}]", unknown)
    return value
