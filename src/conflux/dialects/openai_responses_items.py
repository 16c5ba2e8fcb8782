"""The output items of a Responses answer, as they are written: added, fed, done.

Law: an item is added once with nothing in it and done once with all of it; each part of it likewise. The sequence is
counted in one place, for all events of an answer.
"""

from typing import Any

from conflux.dialects import strict_json
from conflux.dialects.citations import write_responses
from conflux.dialects.openai_responses_read import redacted_issuer
from conflux.dialects.openai_responses_tools import SHELL
from conflux.dialects.openai_responses_wire import NAME
from conflux.dialects.signatures import wrap
from conflux.dialects.sse import write_event
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import Link, RefusalDelta, TextDelta, ThinkingDelta, ToolBegan, ToolDelta
from conflux.neutral.request import Tool

_encode = strict_json.encode


class Sequence:
    """The events of one answer, numbered."""

    __slots__ = ("chars", "next")

    def __init__(self) -> None:
        self.next = 0
        self.chars = 0  # of the text of all parts that are over

    def event(self, kind: str, fields: dict[str, Any]) -> bytes:
        number, self.next = self.next, self.next + 1
        return write_event(kind.encode(), _encode({"type": kind, **fields, "sequence_number": number}))


class OpenItem:
    """What all kinds have in common."""

    prefix = ""

    def __init__(self, sequence: Sequence, mark: str) -> None:
        self._sequence = sequence
        self._mark = mark
        self._index = 0
        self._id = ""

    def place(self, index: int) -> None:
        """Where it stands among the items of the answer."""
        self._index = index
        self._id = f"{self.prefix}_{self._mark}{index:04x}"

    def _event(self, kind: str, **fields: Any) -> bytes:
        return self._sequence.event(f"response.{kind}", {"item_id": self._id, "output_index": self._index, **fields})

    def added(self, item: dict[str, Any]) -> bytes:
        return self._sequence.event("response.output_item.added", {"output_index": self._index, "item": item})

    def done(self, item: dict[str, Any]) -> bytes:
        return self._sequence.event("response.output_item.done", {"output_index": self._index, "item": item})

    def begin(self) -> bytes:
        return self.added(self.item("in_progress"))

    def close(self, status: str) -> bytes:
        raise NotImplementedError

    def item(self, status: str) -> dict[str, Any]:
        raise NotImplementedError


class MessageItem(OpenItem):
    """What the model says, and what it refuses to."""

    prefix = "msg"

    def __init__(self, sequence: Sequence, mark: str) -> None:
        super().__init__(sequence, mark)
        self._parts: list[dict[str, Any]] = []  # those that are over
        self._open = ""  # output_text | refusal
        self._said: list[str] = []
        self._logprobs: list[Any] = []
        self._notes: list[dict[str, Any]] = []
        self._before = b""

    def text(self, event: TextDelta) -> bytes:
        out = b"" if self._open == "output_text" else self._switch("output_text")
        self._said.append(event.text)
        logprobs = event.logprobs.get("content") if isinstance(event.logprobs, dict) else None
        shown = b"[]"
        if logprobs:
            self._logprobs += logprobs
            shown = _encode(logprobs)
        sequence = self._sequence
        number, sequence.next = sequence.next, sequence.next + 1
        return b"".join(
            (out, self._before, _encode(event.text), b',"logprobs":', shown, b',"sequence_number":%d}\n\n' % number)
        )

    def refusal(self, event: RefusalDelta) -> bytes:
        out = b"" if self._open == "refusal" else self._switch("refusal")
        self._said.append(event.text)
        return out + self._event("refusal.delta", content_index=len(self._parts), delta=event.text)

    def note(self, value: dict[str, Any] | Link) -> bytes:
        """What the text cites: the same protocol's annotation, or a page as other protocols say it."""
        out = b"" if self._open == "output_text" else self._switch("output_text")
        if isinstance(value, Link):
            value = write_responses(value, self._sequence.chars, sum(map(len, self._said)))
        self._notes.append(value)
        return out + self._event("output_text.annotation.added", content_index=len(self._parts),
                                 annotation_index=len(self._notes) - 1, annotation=value)  # fmt: skip

    def _switch(self, kind: str) -> bytes:
        out = self._end_part()
        self._open = kind
        place = len(self._parts)
        head = {"type": "response.output_text.delta", "item_id": self._id, "output_index": self._index}
        start = _encode({**head, "content_index": place})[:-1]
        self._before = b"event: response.output_text.delta\ndata: " + start + b',"delta":'
        return out + self._event("content_part.added", content_index=place, part=self._part("", []))

    def _part(self, said: str, logprobs: list[Any]) -> dict[str, Any]:
        if self._open == "refusal":
            return {"type": "refusal", "refusal": said}
        return {"type": "output_text", "text": said, "annotations": self._notes, "logprobs": logprobs}

    def _end_part(self) -> bytes:
        if not self._open:
            return b""
        said, place = "".join(self._said), len(self._parts)
        part = self._part(said, self._logprobs)
        if self._open == "refusal":
            out = self._event("refusal.done", content_index=place, refusal=said)
        else:
            self._sequence.chars += len(said)
            out = self._event("output_text.done", content_index=place, text=said, logprobs=self._logprobs)
        out += self._event("content_part.done", content_index=place, part=part)
        self._parts.append(part)
        self._open, self._said, self._logprobs, self._notes = "", [], [], []
        return out

    def close(self, status: str) -> bytes:
        return self._end_part() + self.done(self.item(status))

    def item(self, status: str) -> dict[str, Any]:
        return {"id": self._id, "type": "message", "status": status, "role": "assistant", "content": self._parts.copy()}


class WholeItem(OpenItem):
    """What came whole from the same protocol, and what no other one knows."""

    prefix = "it"

    def __init__(self, sequence: Sequence, mark: str, value: dict[str, Any]) -> None:
        super().__init__(sequence, mark)
        self._value = value

    def close(self, status: str) -> bytes:
        return self.done(self.item(status))

    def item(self, status: str) -> dict[str, Any]:
        return {"id": self._id, **self._value}


class ReasoningItem(OpenItem):
    """What the model thinks, as a summary, and what seals it."""

    prefix = "rs"

    def __init__(self, sequence: Sequence, mark: str, *, sealed: bool) -> None:
        super().__init__(sequence, mark)
        self._sealed = sealed
        self._thought: list[str] = []
        self._seal: str | None = None

    def thought(self, event: ThinkingDelta) -> bytes:
        out = b""
        if event.text:
            if not self._thought:
                out = self._event("reasoning_summary_part.added", summary_index=0, part=_summary(""))
            self._thought.append(event.text)
            out += self._event("reasoning_summary_text.delta", summary_index=0, delta=event.text)
        issuer = event.issuer or NAME
        if event.signature:
            self._seal = wrap(event.signature, issuer, NAME)
        elif event.redacted:
            self._seal = wrap(event.redacted, redacted_issuer(issuer), NAME)
        return out

    def close(self, status: str) -> bytes:
        out = b""
        if self._thought:
            text = "".join(self._thought)
            out = self._event("reasoning_summary_text.done", summary_index=0, text=text)
            out += self._event("reasoning_summary_part.done", summary_index=0, part=_summary(text))
        return out + self.done(self.item(status))

    def item(self, status: str) -> dict[str, Any]:
        text = "".join(self._thought)
        found = {"id": self._id, "type": "reasoning", "summary": [_summary(text)] if text else []}
        return {**found, "encrypted_content": self._seal} if self._sealed and self._seal else found


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}


class CallItem(OpenItem):
    """A call of a function, of a freeform tool, or of the client's own shell."""

    def __init__(self, sequence: Sequence, mark: str, began: ToolBegan, tool: Tool | None) -> None:
        self.prefix = "ctc" if began.custom else "fc"
        super().__init__(sequence, mark)
        self._call = began
        self._shell = tool is not None and (tool.raw or {}).get("type") == SHELL
        inside = tool.namespace if tool is not None else None
        self._namespace = inside[0] if inside is not None else None
        self._name = inside[1] if inside is not None else began.name
        self._arguments: list[str] = []

    def begin(self) -> bytes:
        return b"" if self._shell else super().begin()  # a command is told whole

    def arguments(self, event: ToolDelta) -> bytes:
        self._arguments.append(event.arguments)
        if self._shell or not event.arguments:
            return b""
        return self._event(f"{self._channel}.delta", delta=event.arguments)

    @property
    def _channel(self) -> str:
        return "custom_tool_call_input" if self._call.custom else "function_call_arguments"

    def close(self, status: str) -> bytes:
        item = self.item(status)
        if self._shell:
            return self.added(item) + self.done(item)
        text = "".join(self._arguments)
        if self._call.custom:
            return self._event(f"{self._channel}.done", input=text) + self.done(item)
        return self._event(f"{self._channel}.done", name=self._name, arguments=text) + self.done(item)

    def item(self, status: str) -> dict[str, Any]:
        text = "".join(self._arguments)
        if self._shell:
            return {"id": self._id, "type": "local_shell_call", "call_id": self._call.call_id,
                    "action": _action(text), "status": status}  # fmt: skip
        found: dict[str, Any] = {"id": self._id, "type": "custom_tool_call" if self._call.custom else "function_call",
                                 "status": status, "call_id": self._call.call_id, "name": self._name}  # fmt: skip
        if self._namespace:
            found["namespace"] = self._namespace
        found["input" if self._call.custom else "arguments"] = text
        return found


def _action(text: str) -> dict[str, Any]:
    """The command as the client's shell takes it; what is no such thing is shown as it is."""
    empty = {"type": "exec", "command": [], "env": {}}
    try:
        found = strict_json.decode_object(text.encode("utf-8", "replace"))
    except GatewayError:
        return {**empty, "command": [text]} if text else empty
    return {**empty, **found}
