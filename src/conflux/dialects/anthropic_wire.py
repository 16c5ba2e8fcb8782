"""The messages wire: the shapes of a request, validated as they are read.

Law: what has a documented type is checked here, once, with the path of the first mistake; what is not documented is
left alone for `extra`. A block whose kind only this dialect understands is checked for its kind and carried as it came.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from conflux.dialects.complaints import complaint
from conflux.neutral.errors import invalid

NAME = "anthropic-messages"
VERSION = b"anthropic-version: 2023-06-01\r\n"  # the only one there is; a client's own goes before it

MAX_OUTPUT_BOUND = 100_000_000

# Fields that would let a caller route, price, choose or reach past this gateway's own decision, or into the account
# that all callers share.
NOT_FORWARDED = frozenset(
    {
        "task_type",
        "flux",
        "prefer",
        "models",
        "fallbacks",
        "fallback_credit_token",
        "route",
        "provider",
        "transforms",
        "plugins",
        "preset",
        "service_tier",
        "speed",
        "inference_geo",
        "billing_policy",
        "user_profile_id",
        "workspace_id",
        "thread",
        "diagnostics",
        "api_base",
        "api_key",
        "base_url",
        "extra_body",
        "extra_headers",
        "extra_query",
    }
)

Cache = dict[str, Any] | None


class TextBlock(Struct, tag="text", tag_field="type"):
    text: str
    cache_control: Cache = None
    citations: list[Any] | None = None


class Base64Source(Struct, tag="base64", tag_field="type"):
    media_type: str
    data: str


class UrlSource(Struct, tag="url", tag_field="type"):
    url: str


class TextSource(Struct, tag="text", tag_field="type"):
    data: str
    media_type: str = "text/plain"


class FileSource(Struct, tag="file", tag_field="type"):
    file_id: str


class ContentSource(Struct, tag="content", tag_field="type"):
    content: "str | list[TextBlock | ImageBlock]"


class ImageBlock(Struct, tag="image", tag_field="type"):
    source: Base64Source | UrlSource | FileSource
    cache_control: Cache = None


class DocumentBlock(Struct, tag="document", tag_field="type"):
    source: Base64Source | UrlSource | TextSource | FileSource | ContentSource
    title: str | None = None
    context: str | None = None
    citations: dict[str, Any] | None = None
    cache_control: Cache = None


class ThinkingBlock(Struct, tag="thinking", tag_field="type"):
    thinking: str
    signature: str | None = None


class RedactedThinkingBlock(Struct, tag="redacted_thinking", tag_field="type"):
    data: str


class ToolUseBlock(Struct, tag="tool_use", tag_field="type"):
    id: str
    name: str
    input: dict[str, Any] = {}
    cache_control: Cache = None


class Carried(Struct, tag_field="type"):
    """A block that nobody but its own dialect could read."""


class SearchResult(Carried, tag="search_result"): ...


class ToolReference(Carried, tag="tool_reference"): ...


class ToolResultBlock(Struct, tag="tool_result", tag_field="type"):
    tool_use_id: str
    content: str | list[TextBlock | ImageBlock | DocumentBlock | SearchResult | ToolReference] | None = None
    is_error: bool | None = None
    cache_control: Cache = None


class ServerToolUse(Carried, tag="server_tool_use"): ...


class WebSearchResult(Carried, tag="web_search_tool_result"): ...


class WebFetchResult(Carried, tag="web_fetch_tool_result"): ...


class CodeResult(Carried, tag="code_execution_tool_result"): ...


class BashCodeResult(Carried, tag="bash_code_execution_tool_result"): ...


class EditorCodeResult(Carried, tag="text_editor_code_execution_tool_result"): ...


class ToolSearchResult(Carried, tag="tool_search_tool_result"): ...


class McpToolUse(Carried, tag="mcp_tool_use"): ...


class McpToolResult(Carried, tag="mcp_tool_result"): ...


class McpToolListing(Carried, tag="mcp_tool_listing"): ...


class AdvisorResult(Carried, tag="advisor_tool_result"): ...


class ContainerUpload(Carried, tag="container_upload"): ...


class Compaction(Carried, tag="compaction"): ...


class Fallback(Carried, tag="fallback"): ...


class ToolAddition(Carried, tag="tool_addition"): ...


class ToolRemoval(Carried, tag="tool_removal"): ...


class BrowserState(Carried, tag="browser_state"): ...


Block = (
    TextBlock | ImageBlock | DocumentBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | ToolResultBlock
    | SearchResult | ToolReference | ServerToolUse | WebSearchResult | WebFetchResult | CodeResult | BashCodeResult
    | EditorCodeResult | ToolSearchResult | McpToolUse | McpToolResult | McpToolListing | AdvisorResult
    | ContainerUpload | Compaction | Fallback | ToolAddition | ToolRemoval | BrowserState
)  # fmt: skip
Content = str | list[Block]


class Message(Struct):
    role: Literal["user", "assistant", "system"]
    content: Content


class Tool(Struct):
    name: str | None = None
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None
    cache_control: Cache = None


class ToolChoice(Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(Struct):
    type: Literal["adaptive", "enabled", "disabled"]
    budget_tokens: Annotated[int, Meta(ge=1, le=MAX_OUTPUT_BOUND)] | None = None


class Format(Struct):
    type: Literal["json_schema"]
    schema: dict[str, Any]
    name: str | None = None


class OutputConfig(Struct):
    effort: str | None = None
    format: Format | None = None


class Metadata(Struct):
    user_id: str | None = None


class Body(Struct):
    messages: Annotated[list[Message], Meta(min_length=1)]
    model: str | None = None
    task_type: str | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=MAX_OUTPUT_BOUND)] | None = None
    system: str | list[TextBlock] | None = None
    stream: bool | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    stop_sequences: list[str] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    metadata: Metadata | None = None


KNOWN = frozenset(Body.__struct_fields__)
KINDS = tuple(str(one.__struct_config__.tag) for one in Block.__args__)
_WORDS = {"type": ("content block type", ", ".join(KINDS)), "role": ("role", "user, assistant, system")}


def check(body: dict[str, Any]) -> Body:
    """The body as types, or a 400 that names the first field that is wrong."""
    try:
        found = msgspec.convert(body, Body)
    except msgspec.ValidationError as error:
        raise complaint(str(error), body, _WORDS) from None
    for place, tool in enumerate(found.tools or ()):
        if not tool.name and tool.type in (None, "custom"):
            raise invalid(f"tools[{place}].name is missing", f"tools[{place}].name", "missing_required_parameter")
    if found.tool_choice is not None and found.tool_choice.type == "tool" and not found.tool_choice.name:
        raise invalid("tool_choice.name is missing", "tool_choice.name", "missing_required_parameter")
    return found
