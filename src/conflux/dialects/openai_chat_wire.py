"""The chat completions wire: the shapes of a request, validated as they are read.

Law: what has a documented type is checked here, once, with the path of the first mistake; what is not documented
is left alone for `extra`. Types only: what they mean is said in openai_chat.py.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from conflux.dialects.complaints import complaint
from conflux.neutral.errors import invalid

NAME = "openai-chat"

MAX_OUTPUT_BOUND = 100_000_000

# Fields that would let a caller route, price, choose or reach past this gateway's own decision.
NOT_FORWARDED = frozenset(
    {
        "task_type",
        "flux",
        "prefer",
        "models",
        "fallbacks",
        "route",
        "provider",
        "transforms",
        "plugins",
        "preset",
        "service_tier",
        "api_base",
        "api_key",
        "base_url",
        # They would reach into the account that all callers share:
        "previous_response_id",
        "extra_body",
        "extra_headers",
        "extra_query",
    }
)

OURS = frozenset({"task_type", "flux", "prefer"})  # not forwarding them loses nothing

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
PART_TYPES = ("text", "image_url", "input_audio", "file", "refusal")


class TextPart(Struct, tag="text", tag_field="type"):
    text: str
    cache_control: dict[str, Any] | None = None


class ImageUrl(Struct):
    url: str
    detail: str | None = None


class ImagePart(Struct, tag="image_url", tag_field="type"):
    image_url: ImageUrl
    cache_control: dict[str, Any] | None = None


class AudioData(Struct):
    data: str
    format: str


class AudioPart(Struct, tag="input_audio", tag_field="type"):
    input_audio: AudioData


class FileData(Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Struct, tag="file", tag_field="type"):
    file: FileData
    cache_control: dict[str, Any] | None = None


class RefusalPart(Struct, tag="refusal", tag_field="type"):
    refusal: str


Part = TextPart | ImagePart | AudioPart | FilePart | RefusalPart
Content = str | list[Part] | None


class FunctionCall(Struct):
    name: str
    arguments: str = ""


class CustomCall(Struct):
    name: str
    input: str = ""


class ToolCall(Struct):
    id: str
    type: str = "function"
    function: FunctionCall | None = None
    custom: CustomCall | None = None


class System(Struct, tag="system", tag_field="role"):
    content: Content
    name: str | None = None


class Developer(Struct, tag="developer", tag_field="role"):
    content: Content
    name: str | None = None


class User(Struct, tag="user", tag_field="role"):
    content: Content
    name: str | None = None


class Assistant(Struct, tag="assistant", tag_field="role"):
    content: Content = None
    name: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Any] | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: FunctionCall | None = None
    audio: dict[str, Any] | None = None


class Tool(Struct, tag="tool", tag_field="role"):
    tool_call_id: str
    content: Content = None


class Function(Struct, tag="function", tag_field="role"):
    name: str
    content: Content = None


Message = System | Developer | User | Assistant | Tool | Function


class FunctionSpec(Struct):
    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class CustomSpec(Struct):
    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None
    format: Any = None


class ToolSpec(Struct):
    type: str
    function: FunctionSpec | None = None
    custom: CustomSpec | None = None
    cache_control: dict[str, Any] | None = None


class Choice(Struct):
    """What an object that chooses a tool may hold, in any of its forms."""

    type: Any = None
    function: Any = None
    custom: Any = None
    allowed_tools: Any = None
    name: Any = None


class Chosen(Struct):
    """The tool that a choice names."""

    name: Any = None


class SchemaSpec(Struct):
    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class ResponseFormat(Struct):
    type: str
    json_schema: SchemaSpec | None = None


class StreamOptions(Struct):
    include_usage: bool | None = None


Positive = Annotated[int, Meta(ge=1, le=MAX_OUTPUT_BOUND)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]


class ChatBody(Struct):
    messages: Annotated[list[Message], Meta(min_length=1)]
    model: str | None = None
    task_type: str | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: int | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    logit_bias: dict[str, float] | None = None
    tools: list[ToolSpec] | None = None
    tool_choice: str | dict[str, Any] | None = None
    functions: list[FunctionSpec] | None = None
    function_call: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None


KNOWN = frozenset(ChatBody.__struct_fields__)

_WORDS = {"role": ("role", ", ".join(ROLES)), "type": ("content part type", ", ".join(PART_TYPES))}


def check(body: dict[str, Any]) -> ChatBody:
    """The body as types, or a 400 that names the first field that is wrong."""
    try:
        found = msgspec.convert(body, ChatBody)
    except msgspec.ValidationError as error:
        raise complaint(str(error), body, _WORDS) from None
    if found.tools:
        for place, tool in enumerate(found.tools):
            _has_its_kind(tool, f"tools[{place}]")
    if found.response_format is not None and found.response_format.type == "json_schema":
        _has(found.response_format.json_schema, "response_format.json_schema")
    for number, message in enumerate(found.messages):
        if not message.content:
            _empty(message, number, body)
        if type(message) is Assistant and message.tool_calls:
            for place, call in enumerate(message.tool_calls):
                _has_its_kind(call, f"messages[{number}].tool_calls[{place}]")
    return found


def _empty(message: Message, number: int, body: dict[str, Any]) -> None:
    """A message without content: a mistake, or one that says it in a way of its own, or one that says nothing."""
    if message.content is None and isinstance(message, User | System | Developer):
        where = f"messages[{number}].content"
        raise invalid(f"{where}: must be a string or a list, not null", where)
    if message.content == [] or (message.content is None and not _speaks_otherwise(message)):
        body["messages"][number]["content"] = ""  # what upstreams want of a message that says nothing


def _speaks_otherwise(message: Message) -> bool:
    said = (
        (message.tool_calls, message.refusal, message.function_call, message.audio)
        if isinstance(message, Assistant)
        else ()
    )
    return any(one is not None for one in said)


def _has_its_kind(tool: ToolSpec | ToolCall, where: str) -> None:
    """A function is described under `function`, a custom tool under `custom`. Other kinds are their own affair."""
    if tool.type == "function":
        _has(tool.function, f"{where}.function")
    elif tool.type == "custom":
        _has(tool.custom, f"{where}.custom")


def _has(value: object, where: str) -> None:
    if value is None:
        raise invalid(f"{where} is missing", where, "missing_required_parameter")
