"""The anthropic-messages dialect: POST /v1/messages.

Law: as in base.py. Here a request is opened, and forwarded where both ends speak this dialect; anthropic_read.py and
anthropic_write.py translate it, the reader, the writer and the relay carry answers. What a request asks of this house,
or of the account that all callers share, is never forwarded: it is refused, or left out and named.
"""

from collections.abc import Mapping
from typing import Any

from conflux.dialects import anthropic_errors, anthropic_read, anthropic_write, signatures, strict_json
from conflux.dialects import anthropic_wire as wire
from conflux.dialects.anthropic_options import OUTPUT_WHEN_UNSAID, fix_effort
from conflux.dialects.anthropic_reader import MessagesReader
from conflux.dialects.anthropic_relay import MessagesPassThrough
from conflux.dialects.anthropic_wire import NAME, NOT_FORWARDED
from conflux.dialects.anthropic_writer import ID_PREFIX, MessagesWriter
from conflux.dialects.base import NOWHERE, AnswerReader, AnswerWriter, Lane, Place, Shape, Wanted, Written
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.events import Fault
from conflux.neutral.fields import Field, Hint, Words
from conflux.neutral.request import BY_ADDRESS, BY_TOOLS, Envelope, Need, Request

# Above what an image costs at any size.
IMAGE_TOKENS_BOUND = 4096
_SERVED = ("web_search", "web_fetch", "code_execution", "mcp")  # tools that run at the provider

_OWN = frozenset({"task_type", "flux", "prefer"})  # ours: not forwarding them loses nothing
_DECIDED = wire.KNOWN | NOT_FORWARDED
_COUNTING = ("/v1/messages/count_tokens", "/messages/count_tokens")
_HEADER_MOST = 4096
_VERSION, _BETA = "anthropic-version", "anthropic-beta"


# What its clients call a field that is refused or left out.
_WORDS: Words = {
    Field.STOP: ("stop_sequences",),
    Field.EFFORT: ("output_config.effort", "thinking"),
    Field.FORMAT: ("output_config.format", "output_format"),
    Field.FORMAT_SCHEMA: ("output_config.format", "output_format"),
    Field.SCHEMA: ("output_config.format.schema", "output_format.schema"),
    Field.SEARCH: ("tools",),
    Hint.PARALLEL: ("tool_choice.disable_parallel_tool_use",),
}


class AnthropicMessages:
    """The dialect as the table of dialects holds it."""

    name = NAME
    id_prefix = ID_PREFIX
    id_header = b"request-id"
    # The official clients' beta calls name it in the address too.
    routes: tuple[str, ...] = ("/v1/messages", "/messages", "/v1/messages?beta=true", "/messages?beta=true")
    words: Words = _WORDS
    listens: tuple[bytes, ...] = (_VERSION.encode(), _BETA.encode())

    def find(self, path: str) -> Place | None:
        return Place(counts="input_tokens") if path in _COUNTING else None

    def open(self, raw: bytes, place: Place = NOWHERE) -> Envelope:
        body, size = strict_json.decode_measured(raw)
        if not body.keys() <= _DECIDED:
            _check_names(body)
        checked = wire.check(body)
        needs, images, image_bytes = _needs(checked)
        return Envelope(
            dialect=NAME,
            body=body,
            headers=_heard(place),
            size=size - image_bytes + images * IMAGE_TOKENS_BOUND,
            model=checked.model,
            task_type=checked.task_type,
            stream=bool(checked.stream),
            include_usage=True,
            max_output=checked.max_tokens,
            needs=needs,
            images=images,
            fetches=_fetches(checked, files=Need.FILES in needs),
            searches=any((tool.type or "").startswith("web_search") for tool in checked.tools or ()),
            end_user=checked.metadata.user_id if checked.metadata is not None else None,
        )

    def read_request(self, envelope: Envelope) -> Request:
        return anthropic_read.read_request(envelope)

    def forward(self, envelope: Envelope, shape: Shape) -> Written:
        body = dict(envelope.body)
        dropped: set[str] = set()
        for name in NOT_FORWARDED & body.keys():
            del body[name]
            if name not in _OWN:
                dropped.add(name)
        body["model"] = shape.model
        body["max_tokens"] = shape.max_output or body.get("max_tokens") or OUTPUT_WHEN_UNSAID
        thinks = (body.get("thinking") or {}).get("type") in ("adaptive", "enabled")
        if shape.temperature is not None and body.get("temperature") is None and not thinks:
            body["temperature"] = shape.temperature
        if shape.stream:
            body["stream"] = True
        dropped.update(fix_effort(body, shape))
        _fit_conversation(body, shape, dropped)
        return Written(body=strict_json.encode(body), dropped=tuple(sorted(dropped)), head=_head(envelope.headers))

    def write_request(self, request: Request, shape: Shape) -> Written:
        return anthropic_write.write_request(request, shape)

    def path(self, shape: Shape) -> str:
        return "/messages"

    def reader(self, names: Mapping[str, str]) -> AnswerReader:
        return MessagesReader(names)

    def writer(self, wanted: Wanted, request: Request) -> AnswerWriter:
        return MessagesWriter(wanted)

    def passthrough(self, wanted: Wanted) -> Lane:
        return MessagesPassThrough(wanted)

    def error(self, error: GatewayError, style: str) -> tuple[int, bytes]:
        return anthropic_errors.body(error)

    def error_event(self, error: GatewayError) -> bytes:
        return anthropic_errors.event(error)

    def upstream_error(self, status: int, body: bytes) -> Fault:
        return anthropic_errors.read_upstream_error(status, body)


def _check_names(body: dict[str, Any]) -> None:
    """Readers that match names in any case would take "Model" for the model, after our own decision about it."""
    for name in body.keys() - _DECIDED:
        meant = name.casefold()
        if meant in _DECIDED:
            raise invalid(f"{name}: this field is written {meant}", param=name)
    container = body.get("container")
    skills = (container.get("skills") or ()) if isinstance(container, dict) else ()
    custom = isinstance(skills, list) and any(
        isinstance(one, dict) and one.get("type") != "anthropic" for one in skills
    )
    if isinstance(container, str) or (isinstance(container, dict) and (container.get("id") is not None or custom)):
        raise GatewayError(
            Kind.UNSUPPORTED,
            "container: it names something in the provider's own account, which callers have no part in: leave it out",
            param="container",
        )


def _heard(place: Place) -> Mapping[str, str]:
    for name, value in place.headers.items():
        if not value.isascii() or not value.isprintable() or len(value) > _HEADER_MOST:
            raise invalid(f"the header {name} holds what no header should", param=name)
    return place.headers


def _head(headers: Mapping[str, str]) -> bytes:
    """The protocol's own headers, as the client said them: the list of betas is an open one."""
    version = headers.get(_VERSION)
    lines = [f"{_VERSION}: {version}\r\n".encode() if version else wire.VERSION]
    if headers.get(_BETA):
        lines.append(f"{_BETA}: {headers[_BETA]}\r\n".encode())
    return b"".join(lines)


def _fit_conversation(body: dict[str, Any], shape: Shape, dropped: set[str]) -> None:
    """Leave out what is not for this upstream's eyes, or would be refused by it."""
    system = body.get("system")
    if system and shape.quirks.get("billing_line") is not True:
        found = _without_billing(system)
        if found is not system:
            dropped.add(anthropic_read.BILLING)
            if found:
                body["system"] = found
            else:
                del body["system"]
    if shape.quirks.get("conflux") is True:
        return  # it knows itself whose each seal is, and what its own upstream takes
    plain_systems = shape.quirks.get("system_messages") is not True
    messages = body["messages"]
    if any(_is_touched(message, plain_systems) for message in messages):
        fitted = [_fit_message(message, plain_systems, dropped) for message in messages]
        body["messages"] = [message for message in fitted if message["content"]]


def _without_billing(system: Any) -> Any:
    text = system if isinstance(system, str) else system[0]["text"]
    if not text.startswith(anthropic_read.BILLING_LINE):
        return system
    rest = text.partition("\n")[2]
    if isinstance(system, str):
        return rest
    return [{**system[0], "text": rest}, *system[1:]] if rest else system[1:]


def _is_touched(message: dict[str, Any], plain_systems: bool) -> bool:
    if message["role"] == "system":
        return plain_systems
    content = message["content"]
    return message["role"] == "assistant" and type(content) is list and any(map(_is_foreign, content))


def _is_foreign(block: dict[str, Any]) -> bool:
    """A thought without a signature, or with somebody else's."""
    kind = block["type"]
    if kind == "text":
        return any(map(_is_unsealed, block.get("citations") or ()))
    if kind == "thinking":
        return not block.get("signature") or signatures.unwrap(block["signature"], NAME)[1] != NAME
    return kind == "redacted_thinking" and signatures.unwrap(block["data"], NAME)[1] != NAME


def _fit_message(message: dict[str, Any], plain_systems: bool, dropped: set[str]) -> dict[str, Any]:
    content = message["content"]
    if message["role"] == "system" and plain_systems:
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        told = [{**one, "text": anthropic_write.wrapped(one["text"])} if "text" in one else one for one in blocks]
        return {**message, "role": "user", "content": told}
    if not _is_touched(message, plain_systems):
        return message
    kept = []
    for block in content:
        if not _is_foreign(block):
            kept.append(block)
        elif block["type"] == "text":
            cited = [one for one in block["citations"] if not _is_unsealed(one)]
            kept.append({**block, "citations": cited or None})
            dropped.add("citations")
        else:
            dropped.add("thinking without a signature")
    return {**message, "content": kept}


def _is_unsealed(citation: Any) -> bool:
    """A page that another provider's search found: Anthropic takes back only what it sealed."""
    return isinstance(citation, dict) and citation.get("encrypted_index") == ""


def _needs(checked: wire.Body) -> tuple[frozenset[Need], int, int]:
    """What the whole conversation asks for; how many images, and the bytes they take in the body."""
    found: set[Need] = set()
    images = image_bytes = 0
    for message in checked.messages:
        if isinstance(message.content, str):
            continue
        for block in message.content:
            if isinstance(block, wire.ToolUseBlock):
                found.add(Need.TOOLS)
            inner = block.content if isinstance(block, wire.ToolResultBlock) else None
            for one in inner if isinstance(inner, list) else (block,):
                if isinstance(one, wire.ImageBlock):
                    found.add(Need.VISION)
                    images += 1
                    image_bytes += _bytes_of(one)
                elif isinstance(one, wire.DocumentBlock) and not isinstance(
                    one.source, wire.TextSource | wire.ContentSource
                ):
                    found.add(Need.FILES)
                if isinstance(one, wire.ImageBlock | wire.DocumentBlock) and isinstance(one.source, wire.FileSource):
                    found.add(Need.STORED_FILES)
            if isinstance(block, wire.ContainerUpload):
                found.add(Need.STORED_FILES)
    if any(tool.type in (None, "custom") for tool in checked.tools or ()):
        found.add(Need.TOOLS)
    format_ = checked.output_config.format if checked.output_config is not None else None
    if format_ is not None or checked.output_format is not None:
        found.add(Need.STRUCTURED_OUTPUTS)
    return frozenset(found), images, image_bytes


def _fetches(checked: wire.Body, *, files: bool) -> int:
    """What is read at the provider: by tools that run there, and of files by their address."""
    found = BY_TOOLS if any((tool.type or "").startswith(_SERVED) for tool in checked.tools or ()) else 0
    for message in checked.messages if files else ():
        for block in message.content if isinstance(message.content, list) else ():
            inner = block.content if isinstance(block, wire.ToolResultBlock) else None
            for one in inner if isinstance(inner, list) else (block,):
                if isinstance(one, wire.DocumentBlock) and isinstance(one.source, wire.UrlSource):
                    found += BY_ADDRESS
    return found


def _bytes_of(image: wire.ImageBlock) -> int:
    source = image.source
    if isinstance(source, wire.Base64Source):
        return len(source.data)
    return len(source.url) if isinstance(source, wire.UrlSource) else 0
