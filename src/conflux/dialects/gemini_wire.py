"""The generateContent wire: the shapes of a request, validated as they are read.

Law: what has a documented type is checked here, once, with the path of the first mistake. The names were put into one
spelling before, in gemini_names.py.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from conflux.dialects.complaints import complaint
from conflux.neutral.errors import invalid

NAME = "gemini"

MAX_OUTPUT_BOUND = 100_000_000

ROLES = ("user", "model", "function")

# The fields of a part that say what it is.
KINDS = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)


class Blob(Struct, rename="camel"):
    mime_type: str
    data: str
    display_name: str | None = None


class FileData(Struct, rename="camel"):
    file_uri: str
    mime_type: str | None = None
    display_name: str | None = None


class FunctionCall(Struct, rename="camel"):
    name: Annotated[str, Meta(min_length=1)]
    args: dict[str, Any] | None = None
    id: str | None = None


class ResponsePart(Struct, rename="camel"):
    inline_data: Blob | None = None
    file_data: FileData | None = None


class FunctionResponse(Struct, rename="camel"):
    name: Annotated[str, Meta(min_length=1)]
    response: dict[str, Any] | None = None
    id: str | None = None
    parts: list[ResponsePart] | None = None


class Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: dict[str, Any] | None = None
    code_execution_result: dict[str, Any] | None = None
    tool_call: dict[str, Any] | None = None
    tool_response: dict[str, Any] | None = None
    video_metadata: dict[str, Any] | None = None
    media_resolution: Any = None
    part_metadata: dict[str, Any] | None = None


class Content(Struct, rename="camel"):
    parts: list[Part] | None = None
    role: str | None = None


class Declaration(Struct, rename="camel"):
    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None
    behavior: str | None = None


class Tool(Struct, rename="camel"):
    function_declarations: list[Declaration] | None = None
    google_search: dict[str, Any] | None = None
    google_search_retrieval: dict[str, Any] | None = None


class Calling(Struct, rename="camel"):
    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(Struct, rename="camel"):
    function_calling_config: Calling | None = None
    retrieval_config: dict[str, Any] | None = None


class Thinking(Struct, rename="camel"):
    thinking_budget: Annotated[int, Meta(ge=-1, le=MAX_OUTPUT_BOUND)] | None = None
    thinking_level: str | None = None
    include_thoughts: bool | None = None


Penalty = Annotated[float, Meta(ge=-2, le=2)]


class GenerationConfig(Struct, rename="camel"):
    candidate_count: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop_sequences: list[str] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=MAX_OUTPUT_BOUND)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: float | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    response_logprobs: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None
    old_json_schema: dict[str, Any] | None = msgspec.field(default=None, name="_responseJsonSchema")
    response_modalities: list[str] | None = None
    thinking_config: Thinking | None = None


class Body(Struct, rename="camel"):
    contents: Annotated[list[Content], Meta(min_length=1)]
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[dict[str, Any]] | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None
    task_type: str | None = msgspec.field(default=None, name="task_type")


def check(body: dict[str, Any]) -> Body:
    """The body as types, or a 400 that names the first field that is wrong."""
    try:
        found = msgspec.convert(body, Body)
    except msgspec.ValidationError as error:
        raise complaint(str(error), body, {}) from None
    for place, content in enumerate(found.contents):
        if content.role is not None and content.role not in ROLES:
            where = f"contents[{place}].role"
            raise invalid(f"{where}: unknown role {content.role!r}; it is one of {', '.join(ROLES)}", param=where)
        _check_parts(body["contents"][place], content, f"contents[{place}]")
    if found.system_instruction is not None:
        _check_parts(body["systemInstruction"], found.system_instruction, "systemInstruction")
    return found


def _check_parts(raw: dict[str, Any], content: Content, where: str) -> None:
    for place, part in enumerate(content.parts or ()):
        if part.text is not None:
            continue  # the common case
        one = raw["parts"][place]
        if not any(one.get(kind) is not None for kind in KINDS) and part.thought_signature is None:
            path = f"{where}.parts[{place}]"
            listed = f"; it is one of {', '.join(KINDS)}"
            name = next((name for name in one if name not in ("thought", "partMetadata")), None)
            what = f"unknown part type {name!r}" if name is not None else "the part is empty"
            raise invalid(f"{path}: {what}{listed}", param=path)
