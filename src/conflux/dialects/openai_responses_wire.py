"""The Responses wire: the shapes of a request, validated as they are read.

Law: what has a documented type is checked here, once, with the path of the first mistake; an item or part of a kind
nobody documented is refused by its name. Types only: what they mean is said in openai_responses_read.py.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from conflux.dialects import openai_chat_wire as chat
from conflux.dialects.complaints import complaint
from conflux.neutral.errors import GatewayError, Kind, invalid

NAME = "openai-responses"
KEPT_ITEM = "item_"  # so begin the names that the items of a kept request get here

# What a request asks of this house, or of the account that all callers share, is never sent on.
OURS = chat.OURS
NOT_FORWARDED = (chat.NOT_FORWARDED - {"previous_response_id"}) | {"access_programs"}

# Tools that the client runs itself. Any other runs at its provider, at a price that nobody here knows.
CLIENT_TOOLS = frozenset(
    {
        "function", "custom", "namespace", "local_shell", "shell", "apply_patch", "tool_search", "computer",
        "computer_use_preview",
    }
)  # fmt: skip


class InputText(Struct, tag="input_text", tag_field="type"):
    text: str


class OutputText(Struct, tag="output_text", tag_field="type"):
    text: str
    annotations: Any = None
    logprobs: Any = None


class InputImage(Struct, tag="input_image", tag_field="type"):
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None


class InputFile(Struct, tag="input_file", tag_field="type"):
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class AudioData(Struct):
    data: str
    format: str


class InputAudio(Struct, tag="input_audio", tag_field="type"):
    input_audio: AudioData


class RefusalPart(Struct, tag="refusal", tag_field="type"):
    refusal: str


Part = InputText | OutputText | InputImage | InputFile | InputAudio | RefusalPart
PART_TYPES = ("input_text", "input_image", "input_file", "input_audio", "output_text", "refusal")
Output = str | list[Part]


class MessageItem(Struct):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]
    phase: str | None = None


class Choice(Struct):
    """What an object that chooses a tool may hold, in any of its forms."""

    type: Any = None
    name: Any = None
    namespace: Any = None
    mode: Any = None
    tools: Any = None
    server_label: Any = None


class Said(Struct):
    text: str


class ReasoningItem(Struct):
    summary: list[Said] = []
    content: list[Said] | None = None
    encrypted_content: str | None = None


class FunctionCall(Struct):
    call_id: str
    name: str
    arguments: str
    namespace: str | None = None


class CustomCall(Struct):
    call_id: str
    name: str
    input: str
    namespace: str | None = None


class CallOutput(Struct):
    call_id: str
    output: Output


class ShellCall(Struct):
    action: dict[str, Any]
    call_id: str | None = None
    id: str | None = None


class ShellOutput(Struct):
    output: str
    call_id: str | None = None
    id: str | None = None


class AnyItem(Struct):
    """Of a kind that only the protocol's own providers and clients understand."""


class FunctionOutput(CallOutput):
    pass


class CustomOutput(CallOutput):
    pass


Item = MessageItem | ReasoningItem | FunctionCall | CustomCall | CallOutput | ShellCall | ShellOutput | AnyItem

ITEMS: dict[str, type[Item]] = {
    "message": MessageItem,
    "reasoning": ReasoningItem,
    "function_call": FunctionCall,
    "function_call_output": FunctionOutput,
    "custom_tool_call": CustomCall,
    "custom_tool_call_output": CustomOutput,
    "local_shell_call": ShellCall,
    "local_shell_call_output": ShellOutput,
    **dict.fromkeys(
        (
            "web_search_call", "file_search_call", "image_generation_call", "code_interpreter_call", "computer_call",
            "computer_call_output", "tool_search_call", "tool_search_output", "mcp_list_tools", "mcp_call",
            "mcp_approval_request", "mcp_approval_response", "shell_call", "shell_call_output", "apply_patch_call",
            "apply_patch_call_output", "compaction", "compaction_summary", "context_compaction", "compaction_trigger",
            "configuration_update", "additional_tools", "program", "program_output", "item_reference",
        ),
        AnyItem,
    ),
}  # fmt: skip


class ReasoningSpec(Struct):
    effort: str | None = None
    summary: str | None = None


class Format(Struct):
    type: str = "text"
    name: str | None = None
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class TextSpec(Struct):
    format: Format | None = None


class Body(Struct):
    input: str | list[dict[str, Any]]
    model: str | None = None
    task_type: str | None = None
    instructions: str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: chat.Positive | None = None
    max_tool_calls: int | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    prompt: Any = None
    reasoning: ReasoningSpec | None = None
    text: TextSpec | None = None
    include: list[str] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    metadata: dict[str, Any] | None = None
    user: str | None = None


KNOWN = frozenset(Body.__struct_fields__)
# What a neutral record holds, or what is answered here: everything else is the dialect's own.
CARRIED = (KNOWN - {"max_tool_calls", "stream_options", "truncation"}) | OURS

_WORDS = {"role": ("role", "system, developer, user, assistant"), "type": ("content part type", ", ".join(PART_TYPES))}

_NOT_HERE = {
    "background": "this gateway answers while the client waits: leave it out, and stream for long answers",
    "conversation": "conversations are kept in the provider's own store, which callers have no part in: send the items",
    "prompt": "prompt templates lie in the provider's own account: send the text itself as instructions and input",
}


def runs_at_client(tool: dict[str, Any]) -> bool:
    """Shells and the like count only where they are on the client's own machine."""
    if tool.get("type") == "shell":
        place = tool.get("environment") or {}
        return isinstance(place, dict) and bool(place.get("type", "local") == "local")
    return tool.get("type") in CLIENT_TOOLS


def check(body: dict[str, Any]) -> tuple[Body, list[Item]]:
    """The body and its items as types, or a 400 that names the first field that is wrong."""
    try:
        found = msgspec.convert(body, Body)
    except msgspec.ValidationError as error:
        raise complaint(str(error), body, _WORDS) from None
    for place, tool in enumerate(found.tools or ()):
        check_tool(tool, f"tools[{place}]")
    for name, why in _NOT_HERE.items():
        if body.get(name):
            raise GatewayError(Kind.UNSUPPORTED, f"{name}: {why}", param=name)
    if isinstance(found.input, str):
        return found, [MessageItem(role="user", content=found.input)]
    if not found.input:
        raise invalid("input: must hold at least one item", param="input")
    return found, [_item(item, place, body) for place, item in enumerate(found.input)]


def check_tool(tool: dict[str, Any], where: str) -> None:
    """What all kinds have in common."""
    if tool.get("type") is None:
        raise invalid(f"{where}.type is missing", f"{where}.type", "missing_required_parameter")
    for field in ("type", "name", "description"):
        if not isinstance(tool.get(field), str | None):
            raise invalid(f"{where}.{field}: must be a string", f"{where}.{field}")


def _item(item: dict[str, Any], place: int, body: dict[str, Any]) -> Item:
    kind = item.get("type")
    if kind is None:
        kind = "message" if "role" in item else "item_reference" if "id" in item else None
    wanted = ITEMS.get(kind) if isinstance(kind, str) else None
    if wanted is None:
        where = f"input[{place}].type"
        raise invalid(f"{where}: unknown item type {kind!r}; it is one of {', '.join(ITEMS)}", where)
    try:
        found: Item = msgspec.convert(item, wanted)
    except msgspec.ValidationError as error:
        said = str(error)
        head, at, path = said.partition(" - at `$")
        said = f"{head} - at `$.input[{place}]{path}" if at else f"{head} - at `$.input[{place}]`"
        raise complaint(said, body, _WORDS) from None
    return found
