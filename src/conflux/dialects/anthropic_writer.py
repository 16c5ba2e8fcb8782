"""Events, written as an answer of the messages dialect.

Law: blocks are serial, their indices contiguous, each begun and ended once; nothing goes before `message_start`, and
what counts, `message_delta` and `message_stop`, goes last. An answer has at least one block.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw

from conflux.dialects import anthropic_errors, call_ids, citations, signatures, strict_json
from conflux.dialects.anthropic_usage import write as write_usage
from conflux.dialects.anthropic_wire import NAME
from conflux.dialects.base import Wanted
from conflux.dialects.sse import write_event
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Event,
    Finished,
    RefusalDelta,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)
from conflux.neutral.usage import NOTHING, Usage

PING = write_event(b"ping", b'{"type":"ping"}')
ID_PREFIX = "msg_"

_REASONS = {
    Stop.END: "end_turn",
    Stop.LENGTH: "max_tokens",
    Stop.TOOL_CALLS: "tool_use",
    Stop.STOP_SEQUENCE: "stop_sequence",
    Stop.CONTENT_FILTER: "refusal",
    Stop.REFUSAL: "refusal",
    Stop.PAUSE: "pause_turn",
}
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b}\n\n'
_TEXT = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":%b}}\n\n'  # noqa: E501
_JSON = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":%b}}\n\n'  # noqa: E501
_THINKING = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"thinking_delta","thinking":%b}}\n\n'  # noqa: E501
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_LAST = write_event(b"message_stop", b'{"type":"message_stop"}')
_encode = msgspec.json.Encoder().encode


def told(name: str, **fields: Any) -> bytes:
    """One event, by its name."""
    return write_event(name.encode(), strict_json.encode({"type": name, **fields}))


def ending(delta: dict[str, Any], usage: Any, **more: Any) -> bytes:
    """The last words of every stream."""
    return told("message_delta", delta=delta, usage=usage, **more) + _LAST


def request_id_of(wanted: Wanted) -> str:
    """The request's own id, of which the answer's was made."""
    return "req_" + wanted.answer_id.removeprefix(ID_PREFIX)


def failed(error: GatewayError, wanted: Wanted) -> bytes:
    if error.request_id is None:
        error.request_id = request_id_of(wanted)
    return anthropic_errors.event(error)


class _Ended:
    """How an answer ended, as far as its events have said."""

    __slots__ = ("_refused", "_stop", "sequence")

    def __init__(self) -> None:
        self._refused = False
        self._stop = Stop.END
        self.sequence: str | None = None

    def note(self, event: Event) -> None:
        if isinstance(event, RefusalDelta):
            self._refused = True
        elif isinstance(event, Finished):
            self._stop, self.sequence = event.stop, event.sequence

    @property
    def reason(self) -> str:
        """Other protocols end a refusal like any other answer."""
        return _REASONS[Stop.REFUSAL if self._refused and self._stop is Stop.END else self._stop]


class MessagesWriter:
    """Events, as an Anthropic answer."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._begun = False
        self._index = -1
        self._block = ""  # the kind of the block that is open
        self._ended = _Ended()
        self.lost: set[str] = set()

    def feed(self, events: Iterable[Event]) -> bytes:
        return b"".join([self._write(event) for event in events])

    def last(self, usage: Usage, cost: Raw | None = None) -> bytes:
        out = self._close()
        if self._index < 0:
            out += self._begin({"type": "text", "text": ""}) + self._close()
        delta = {"stop_reason": self._ended.reason, "stop_sequence": self._ended.sequence}
        return out + ending(delta, write_usage(usage))

    def keep_alive(self) -> bytes:
        return PING

    def fail(self, error: GatewayError) -> bytes:
        return failed(error, self._wanted)

    def _write(self, event: Event) -> bytes:
        match event:
            case TextDelta(text=text):
                if event.logprobs is not None:
                    citations.note(self.lost, "logprobs")
                start = b"" if self._block == "text" else self._switch({"type": "text", "text": ""})
                return start + _TEXT % (self._index, _encode(text)) if text else start
            case ToolDelta(arguments=text):
                return _JSON % (self._index, _encode(text)) if self._block == "tool_use" else b""
            case ThinkingDelta():
                return self._think(event)
            case RefusalDelta(text=text):
                self._ended.note(event)
                start = b"" if self._block == "text" else self._switch({"type": "text", "text": ""})
                return start + _TEXT % (self._index, _encode(text))
            case ToolBegan():
                return self._switch(_call(event, {}))
            case BlockEnded():
                return self._close()
            case Began():
                return self._start(event)
            case Finished():
                self._ended.note(event)
                return self._close()
            case Aside():
                return self._aside(event)
            case _:
                return b""

    def _start(self, event: Began) -> bytes:
        self._begun = True
        message = {**_head(self._wanted, event.model), "content": [], "stop_reason": None, "stop_sequence": None}
        return told("message_start", message={**message, "usage": write_usage(event.usage or NOTHING)})

    def _think(self, event: ThinkingDelta) -> bytes:
        if event.redacted is not None:
            data = signatures.wrap(event.redacted, event.issuer or NAME, NAME)
            return self._switch({"type": "redacted_thinking", "data": data}) + self._close()
        out = b""
        if self._block != "thinking":
            out = self._switch({"type": "thinking", "thinking": "", "signature": ""})
        if event.text:
            out += _THINKING % (self._index, _encode(event.text))
        if event.signature:
            signature = signatures.wrap(event.signature, event.issuer or NAME, NAME)
            out += _DELTA % (self._index, _encode({"type": "signature_delta", "signature": signature}))
        return out

    def _aside(self, event: Aside) -> bytes:
        cited = self._cited(event)
        if cited is not None:
            start = b"" if self._block == "text" else self._switch({"type": "text", "text": ""})
            return start + _DELTA % (self._index, _encode({"type": "citations_delta", "citation": cited}))
        if event.dialect != NAME:
            return b""
        block = event.value
        if "input" not in block:
            return self._switch(block) + self._close()
        text = _encode(block["input"]).decode()
        start = self._switch({**block, "input": {}})
        return start + _JSON % (self._index, _encode(text)) + self._close()

    def _cited(self, event: Aside) -> dict[str, Any] | None:
        """A note on the open text, whoever made it. Its other notes are named."""
        if event.dialect == NAME:
            return event.value if event.kind == "citation" else None
        link = citations.unsaid(event, self.lost, places=False, quotes=True)
        return citations.write_messages(link) if link is not None else None

    def _switch(self, block: dict[str, Any]) -> bytes:
        return self._close() + self._begin(block)

    def _begin(self, block: dict[str, Any]) -> bytes:
        start = b"" if self._begun else self._start(Began())
        self._index += 1
        self._block = block["type"]
        return start + told("content_block_start", index=self._index, content_block=block)

    def _close(self) -> bytes:
        if not self._block:
            return b""
        self._block = ""
        return _STOP % self._index

    def whole(self, events: Iterable[Event], usage: Usage, cost: Raw | None = None) -> bytes:
        blocks: list[dict[str, Any]] = []
        arguments: list[str] = []
        model, open_block = "", False
        for event in events:
            self._ended.note(event)
            match event:
                case Began():
                    model = event.model
                case TextDelta(text=text) | RefusalDelta(text=text):
                    if getattr(event, "logprobs", None) is not None:
                        citations.note(self.lost, "logprobs")
                    _block(blocks, "text", open_block)["text"] += text
                    open_block = True
                case ThinkingDelta():
                    open_block = _thought(blocks, event, open_block)
                case ToolBegan():
                    arguments, open_block = [], True
                    blocks.append(_call(event, {}))
                case ToolDelta(arguments=text):
                    arguments.append(text)
                case BlockEnded():
                    if blocks and blocks[-1]["type"] == "tool_use":
                        blocks[-1]["input"] = _input("".join(arguments))
                    open_block = False
                case Aside():
                    cited = self._cited(event)
                    if cited is not None:
                        _block(blocks, "text", open_block).setdefault("citations", []).append(cited)
                        open_block = True
                    elif event.dialect == NAME:
                        blocks.append(event.value)
                        open_block = False
        answer = {
            **_head(self._wanted, model),
            "content": blocks or [{"type": "text", "text": ""}],
            "stop_reason": self._ended.reason,
            "stop_sequence": self._ended.sequence,
            "usage": write_usage(usage),
        }
        return strict_json.encode(answer)


def _head(wanted: Wanted, model: str) -> dict[str, Any]:
    return {"id": wanted.answer_id, "type": "message", "role": "assistant", "model": wanted.model or model}


_FIRST: dict[str, dict[str, Any]] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}


def _block(blocks: list[dict[str, Any]], kind: str, open_block: bool) -> dict[str, Any]:
    """The open block where it is of this kind, else a new one."""
    if not open_block or blocks[-1]["type"] != kind:
        blocks.append(dict(_FIRST[kind]))
    return blocks[-1]


def _thought(blocks: list[dict[str, Any]], event: ThinkingDelta, open_block: bool) -> bool:
    if event.redacted is not None:
        data = signatures.wrap(event.redacted, event.issuer or NAME, NAME)
        blocks.append({"type": "redacted_thinking", "data": data})
        return False
    block = _block(blocks, "thinking", open_block)
    block["thinking"] += event.text
    if event.signature:
        block["signature"] = signatures.wrap(event.signature, event.issuer or NAME, NAME)
    return True


def _call(event: ToolBegan, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_ids.wrap(event.call_id), "name": event.name, "input": arguments}


def _input(arguments: str) -> dict[str, Any]:
    """The object that a call's arguments are; of those that were cut or are none, the text as it came."""
    if not arguments.strip():
        return {}
    try:
        found: Any = msgspec.json.decode(arguments)
    except (msgspec.MsgspecError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"input": arguments}
