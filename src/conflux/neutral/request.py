"""A generation request, in nobody's dialect.

Law: a dialect's client face reads its wire into these records, its upstream face writes them out again.
What no record here can hold stays in `extra`, by the name it had on the wire, so that it is forwarded where
the dialect matches and refused or reported by name where it does not.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Role(StrEnum):
    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Need(StrEnum):
    """What a request asks of a model beyond plain text. A model serves it only with a certain yes."""

    TOOLS = "tools"
    VISION = "image"
    FILES = "file"
    AUDIO = "audio"
    JSON_MODE = "json_mode"
    STRUCTURED_OUTPUTS = "structured_outputs"
    REASONING = "reasoning"
    LOGPROBS = "logprobs"
    WEB_SEARCH = "web_search"
    COMPLETIONS = "completions"
    MANY_CHOICES = "n"
    STORED_FILES = "file_id"


# What a provider may read by itself, in tokens: by its own tools in one request (searches, pages, code), and of a file
# that is sent as an address.
BY_TOOLS = 32_768
BY_ADDRESS = 131_072


class Text(msgspec.Struct, frozen=True, kw_only=True, tag="text"):
    text: str
    cache: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None  # what only its own dialect understands, such as its citations


class Image(msgspec.Struct, frozen=True, kw_only=True, tag="image"):
    url: str | None = None
    data: str | None = None  # base64
    media_type: str | None = None
    detail: str | None = None
    cache: dict[str, Any] | None = None


class File(msgspec.Struct, frozen=True, kw_only=True, tag="file"):
    url: str | None = None
    data: str | None = None  # base64, or plain text where media_type says text/plain
    file_id: str | None = None
    media_type: str | None = None
    name: str | None = None
    cache: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None  # what only its own dialect understands


class Audio(msgspec.Struct, frozen=True, kw_only=True, tag="audio"):
    data: str
    format: str


class Thinking(msgspec.Struct, frozen=True, kw_only=True, tag="thinking"):
    text: str = ""
    signature: str | None = None
    issuer: str | None = None  # the dialect whose signature it is: no other may be sent it
    redacted: str | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    text: str


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, tag="tool_call"):
    id: str
    name: str
    arguments: str  # the JSON text as the model wrote it; free text for a custom tool
    custom: bool = False
    cache: dict[str, Any] | None = None


class Opaque(msgspec.Struct, frozen=True, kw_only=True, tag="opaque"):
    """A part only its own dialect understands: carried whole on the way back to it, else named as lost."""

    dialect: str
    kind: str
    value: Any
    vital: bool = False  # without it the conversation is another one: refused where it cannot be said


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, tag="tool_result"):
    call_id: str
    content: tuple[Text | Image | File | Opaque, ...]
    is_error: bool = False
    custom: bool = False
    cache: dict[str, Any] | None = None


Part = Text | Image | File | Audio | Thinking | Refusal | ToolCall | ToolResult | Opaque


class Message(msgspec.Struct, frozen=True, kw_only=True):
    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    kind: str = "function"  # function | custom | a server tool's own type
    raw: dict[str, Any] | None = None  # the wire form, for what only its own dialect understands
    namespace: tuple[str, str] | None = None  # the named group it came in, and its name there
    cache: dict[str, Any] | None = None


class ToolChoice(msgspec.Struct, frozen=True):
    mode: str = "auto"  # auto | none | required | named
    name: str | None = None


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    logprobs: bool = False
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None


class Output(msgspec.Struct, frozen=True, kw_only=True):
    kind: str = "text"  # text | json_object | json_schema
    name: str | None = None
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class Reasoning(msgspec.Struct, frozen=True, kw_only=True):
    effort: str | None = None
    budget: int | None = None
    summary: str | None = None
    enabled: bool | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The whole request, built only where a lane needs to read the conversation."""

    dialect: str
    messages: tuple[Message, ...]
    max_output: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    sampling: Sampling = Sampling()
    output: Output = Output()
    reasoning: Reasoning | None = None
    stream: bool = False
    include_usage: bool = False
    user: str | None = None
    metadata: dict[str, Any] | None = None
    extra: dict[str, Any] = {}
    unread: tuple[str, ...] = ()  # what stands inside of other fields and no record holds, by path
    vital: tuple[str, ...] = ()  # what of `extra` is demanded: refused by name where it cannot be said
    echo: dict[str, Any] = {}  # what of the body an answer of the client's own dialect repeats


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway must know of a request to admit, route and price it, without reading it whole.

    `body` is the one decoded JSON object: the passthrough lane re-encodes it, so that what is forwarded is
    exactly what was authorised; `Dialect.read_request` turns it into a Request for the compat lane.
    """

    dialect: str
    body: dict[str, Any]
    kind: str = "chat"  # what kind of model can answer: chat | embedding
    headers: Mapping[str, str] = {}  # the client's, as far as they belong to its protocol
    size: int  # bytes of the conversation as UTF-8: never fewer than its tokens
    widest: int | None = None  # bytes of what must fit at once, where that is less than the whole
    model: str | None
    task_type: str | None = None
    stream: bool = False
    include_usage: bool = False
    max_output: int | None = None
    choices: int = 1
    needs: frozenset[Need] = frozenset()
    images: int = 0
    searches: bool = False  # a search at the provider is offered, whether or not it is used
    fetches: int = 0  # tokens of what the provider may read by itself, where that is so
    effort: str | None = None
    dimensions: int | None = None  # of an embedding
    end_user: str | None = None
