"""The openai-responses dialect: POST /v1/responses.

Law: as in base.py. Here a request is opened, and forwarded where both ends speak this dialect; the other files of this
name translate it, read, write and relay answers. Nothing is kept in a provider's store, and tools that run at a
provider are offered only where its row says so.
"""

from collections.abc import Mapping
from typing import Any

from conflux.dialects import (
    call_ids,
    gemini_ids,
    openai_errors,
    openai_responses_errors,
    openai_responses_write,
    strict_json,
)
from conflux.dialects import openai_responses_wire as wire
from conflux.dialects.base import NOWHERE, AnswerReader, AnswerWriter, Lane, Place, Shape, Wanted, Written
from conflux.dialects.openai_chat import IMAGE_TOKENS_BOUND
from conflux.dialects.openai_responses_read import LOGPROBS, read_request
from conflux.dialects.openai_responses_reader import ResponsesReader
from conflux.dialects.openai_responses_relay import ResponsesPassThrough
from conflux.dialects.openai_responses_writer import ResponsesWriter
from conflux.dialects.signatures import unwrap
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.events import Fault
from conflux.neutral.fields import Field, Hint, Words
from conflux.neutral.request import BY_ADDRESS, BY_TOOLS, Envelope, Need, Request

_FORMATS = {"json_object": Need.JSON_MODE, "json_schema": Need.STRUCTURED_OUTPUTS}
_CALLS = (wire.FunctionCall, wire.CustomCall, wire.ShellCall)
_DECIDED = wire.KNOWN | wire.NOT_FORWARDED


# What its clients call a field that is refused or left out.
_WORDS: Words = {
    Field.MESSAGES: ("input",),
    Field.LOGPROBS: ("top_logprobs", "include"),
    Field.EFFORT: ("reasoning.effort", "reasoning"),
    Field.FORMAT: ("text.format",),
    Field.FORMAT_SCHEMA: ("text.format",),
    Field.SCHEMA: ("text.format.schema",),
    Field.SEARCH: ("tools",),
    Hint.LIMIT: ("max_output_tokens",),
}


class OpenAIResponses:
    """The dialect as the table of dialects holds it."""

    name = wire.NAME
    id_prefix = "resp_"
    routes: tuple[str, ...] = ("/v1/responses", "/responses")
    words: Words = _WORDS
    listens: tuple[bytes, ...] = ()
    id_header = b""

    def find(self, path: str) -> Place | None:
        return None

    def open(self, raw: bytes, place: Place = NOWHERE) -> Envelope:
        body, size = strict_json.decode_measured(raw)
        for name in body.keys() - _DECIDED:
            if name.casefold() in _DECIDED:  # read differently elsewhere, after our own decision about it
                raise invalid(f"{name}: this field is written {name.casefold()}", param=name)
        checked, items = wire.check(body)
        _nothing_stored(checked, body)
        needs, images, image_bytes = _needs(checked, items)
        return Envelope(
            dialect=wire.NAME,
            body=body,
            size=size - image_bytes + images * IMAGE_TOKENS_BOUND,
            model=checked.model,
            task_type=checked.task_type,
            stream=bool(checked.stream),
            include_usage=True,
            max_output=checked.max_output_tokens,
            needs=needs,
            images=images,
            fetches=_fetches(checked, items if Need.FILES in needs else []),
            searches=any(str(tool.get("type")).startswith("web_search") for tool in checked.tools or ()),
            effort=checked.reasoning.effort if checked.reasoning is not None else None,
            end_user=checked.user,
        )

    def read_request(self, envelope: Envelope) -> Request:
        return read_request(envelope)

    def forward(self, envelope: Envelope, shape: Shape) -> Written:
        body = {name: value for name, value in envelope.body.items() if name not in wire.NOT_FORWARDED}
        dropped = tuple(sorted((wire.NOT_FORWARDED & envelope.body.keys()) - wire.OURS))
        if body.get("store"):
            dropped += ("store",)
        dropped += _client_tools(body, shape)
        if shape.quirks.get("conflux") is not True:
            dropped += _own_seals(body)
            _own_ids(body)
        return Written(dropped=dropped + openai_responses_write.fit(body, shape), body=strict_json.encode(body))

    def write_request(self, request: Request, shape: Shape) -> Written:
        return openai_responses_write.write_request(request, shape)

    def path(self, shape: Shape) -> str:
        return "/responses"

    def reader(self, names: Mapping[str, str]) -> AnswerReader:
        return ResponsesReader(names)

    def writer(self, wanted: Wanted, request: Request) -> AnswerWriter:
        return ResponsesWriter(wanted, request)

    def passthrough(self, wanted: Wanted) -> Lane:
        return ResponsesPassThrough(wanted)

    def error(self, error: GatewayError, style: str) -> tuple[int, bytes]:
        return openai_responses_errors.body(error)

    def error_event(self, error: GatewayError) -> bytes:
        wanted = Wanted(answer_id="resp_none", model="", created=0)
        return ResponsesWriter(wanted, Request(dialect=wire.NAME, messages=())).fail(error)

    def upstream_error(self, status: int, body: bytes) -> Fault:
        return openai_errors.read_upstream_error(status, body)


def _nothing_stored(checked: wire.Body, body: dict[str, Any]) -> None:
    if checked.previous_response_id is not None:
        raise GatewayError(
            Kind.UNSUPPORTED,
            "previous_response_id: responses are not stored here: send the earlier items as input",
            param="previous_response_id",
        )
    for place, item in enumerate(body["input"] if isinstance(body["input"], list) else ()):
        if item.get("type", None if "role" in item else "item_reference") == "item_reference":
            where = f"input[{place}]"
            raise GatewayError(
                Kind.UNSUPPORTED, f"{where}: items are not stored here: send the item itself", param=where
            )


def _own_seals(body: dict[str, Any]) -> tuple[str, ...]:
    """Leaves out thinking that another issuer sealed, or nobody: this one would refuse the whole request for it."""
    items = body["input"]
    if isinstance(items, str):
        return ()
    body["input"] = [item for item in items if item.get("type") != "reasoning" or _is_own(item)]
    return () if len(body["input"]) == len(items) else ("reasoning signature",)


def _own_ids(body: dict[str, Any]) -> None:
    """Leaves out the names that items got here, and of the ids of calls what another provider signed."""
    items = body["input"]
    if not isinstance(items, str):
        body["input"] = [_with_own_ids(item) for item in items]


def _with_own_ids(item: dict[str, Any]) -> dict[str, Any]:
    named, call_id = item.get("id"), item.get("call_id")
    if isinstance(named, str) and named.startswith(wire.KEPT_ITEM):
        item = {name: value for name, value in item.items() if name != "id"}
    if isinstance(call_id, str) and gemini_ids.split(call_id)[1] is not None:
        item = {**item, "call_id": call_ids.short(call_id, openai_responses_write.ID_MOST)}
    return item


def _is_own(item: dict[str, Any]) -> bool:
    sealed = item.get("encrypted_content")
    if not sealed:
        return bool(item.get("content"))
    return unwrap(sealed, wire.NAME)[1] == wire.NAME


def _client_tools(body: dict[str, Any], shape: Shape) -> tuple[str, ...]:
    """Leaves only tools that the client runs itself, or that the provider's row says it may run."""
    tools = body.get("tools")
    if not tools:
        return ()
    hosted = shape.quirks.get("hosted_tools", ())
    kept = [tool for tool in tools if wire.runs_at_client(tool) or tool.get("type") in hosted]
    if len(kept) == len(tools):
        return ()
    left = sorted({str(tool.get("type")) for tool in tools if tool not in kept})
    choice = body.get("tool_choice")
    if (isinstance(choice, dict) and choice.get("type") in left) or (choice == "required" and not kept):
        raise GatewayError(
            Kind.UNSUPPORTED,
            f"tool_choice: the tool {left[0]!r} runs at its provider, which this gateway does not let it: "
            "let the model choose, or leave it out",
            param="tool_choice",
        )
    body["tools"] = kept
    if not kept:
        for name in ("tools", "tool_choice"):
            body.pop(name, None)
    return tuple(f"tools.{kind}" for kind in left)


def _needs(checked: wire.Body, items: list[wire.Item]) -> tuple[frozenset[Need], int, int]:
    """What the whole conversation asks for; how many images, and the bytes they take in the body."""
    found: set[Need] = set()
    images = image_bytes = 0
    for item in items:
        content: Any = ()
        if isinstance(item, wire.MessageItem):
            content = item.content
        elif isinstance(item, wire.CallOutput):
            content = item.output
        elif isinstance(item, _CALLS):
            found.add(Need.TOOLS)
        for part in content if isinstance(content, list) else ():
            if isinstance(part, wire.InputImage):
                found.add(Need.VISION)
                images += 1
                image_bytes += len(part.image_url or "")
            elif isinstance(part, wire.InputFile):
                found.add(Need.FILES)
            elif isinstance(part, wire.InputAudio):
                found.add(Need.AUDIO)
            if isinstance(part, wire.InputImage | wire.InputFile) and part.file_id is not None:
                found.add(Need.STORED_FILES)
    _asked(checked, found)
    return frozenset(found), images, image_bytes


def _fetches(checked: wire.Body, items: list[wire.Item]) -> int:
    """What is read at the provider: by tools that run there, and of files by their address."""
    found = BY_TOOLS if any(not wire.runs_at_client(tool) for tool in checked.tools or ()) else 0
    for item in items:
        content: Any = item.content if isinstance(item, wire.MessageItem) else None
        if isinstance(item, wire.CallOutput):
            content = item.output
        for part in content if isinstance(content, list) else ():
            if isinstance(part, wire.InputFile) and part.file_url is not None:
                found += BY_ADDRESS
    return found


def _asked(checked: wire.Body, found: set[Need]) -> None:
    """The needs that parameters state. Effort is a hint, and what is merely offered to run at a provider is no need."""
    if any(wire.runs_at_client(tool) for tool in checked.tools or ()):
        found.add(Need.TOOLS)
    choice = checked.tool_choice
    if isinstance(choice, dict) and str(choice.get("type")).startswith("web_search"):
        found.add(Need.WEB_SEARCH)
    form = checked.text.format if checked.text is not None else None
    if form is not None and form.type != "text":
        need = _FORMATS.get(form.type)
        if need is None:
            where = "text.format.type"
            raise invalid(f"{where}: {form.type!r} is not one of text, {', '.join(_FORMATS)}", param=where)
        if form.type == "json_schema" and (form.schema is None or form.name is None):
            where = "text.format.schema" if form.schema is None else "text.format.name"
            raise invalid(f"{where} is missing", where, "missing_required_parameter")
        found.add(need)
    if LOGPROBS in (checked.include or ()) or checked.top_logprobs:
        found.add(Need.LOGPROBS)
