"""The conversation of a neutral request, as Gemini's contents.

Law: results stand right after the calls they answer and in their order, whatever was said between; calls and results
that belong together are in one content each. A part that has no place in Gemini is refused by its name.
"""

import base64
from typing import Any

from conflux.dialects import gemini_wire as wire
from conflux.dialects import losses, strict_json
from conflux.dialects.base import Shape
from conflux.dialects.gemini_ids import split
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.fields import Field, Refused
from conflux.neutral.request import (
    Audio,
    File,
    Image,
    Message,
    Opaque,
    Part,
    Refusal,
    Request,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

# What Google's own documents tell to send with a call whose thought was another model's, or is gone.
_UNSIGNED = "skip_thought_signature_validator"

_TYPES = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}

Json = dict[str, Any]


def write_contents(request: Request, shape: Shape) -> tuple[list[Json], list[Json], list[str]]:
    """The parts of the instruction, the contents, and the names of what they have no place for."""
    writer = _Writer(shape)
    for message in request.messages:
        writer.take(message)
    writer.release()
    if not writer.contents:
        raise Refused(Kind.INVALID, Field.MESSAGES, losses.SILENT)
    return writer.system, writer.contents, sorted(writer.dropped)


class _Writer:
    def __init__(self, shape: Shape) -> None:
        self.system: list[Json] = []
        self.contents: list[Json] = []
        self.dropped: set[str] = set()
        self._ids = shape.quirks.get("call_ids") is True
        family = shape.quirks.get("signed_call_models")
        self._signs = isinstance(family, str) and shape.model.rsplit("/", 1)[-1].startswith(family)
        self._calls: dict[str, tuple[int, str]] = {}  # of the last calls: their place and name
        self._results: list[tuple[int, list[Json]]] = []
        self._later: list[Message] = []  # came between calls and their results

    def take(self, message: Message) -> None:
        if message.name:
            self.dropped.add("messages.name")
        if message.role in (Role.SYSTEM, Role.DEVELOPER):
            self.system += [{"text": part.text} for part in message.parts if isinstance(part, Text)]
            self.dropped.update(part.kind for part in message.parts if isinstance(part, Opaque))
            if not all(isinstance(part, Text | Opaque) for part in message.parts):
                raise Refused(Kind.INVALID, Field.MESSAGES, "{field}: an instruction to this model is text")
            return
        if message.role is Role.ASSISTANT:
            self.release()
            self._add("model", self._assistant(message))
            return
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            self._result(result)
        others = tuple(part for part in message.parts if not isinstance(part, ToolResult))
        if others:
            self._later.append(Message(role=Role.USER, parts=others, name=message.name))

    def release(self) -> None:
        """Results first, in the order of their calls, then what the user said."""
        if self._results:
            self._results.sort(key=lambda one: one[0])
            self.contents.append({"role": "user", "parts": [part for _, parts in self._results for part in parts]})
        after_results = bool(self._results)
        self._results, self._calls = [], {}
        for message in self._later:
            parts = [self._part(part) for part in message.parts
                     if not isinstance(part, Opaque) or part.dialect == wire.NAME]  # fmt: skip
            if after_results and parts:
                self.contents.append({"role": "user", "parts": parts})
                after_results = False
            else:
                self._add("user", parts)
        self._later = []

    def _add(self, role: str, parts: list[Json]) -> None:
        if not parts:
            return
        if (
            self.contents
            and self.contents[-1]["role"] == role
            and "functionResponse" not in self.contents[-1]["parts"][0]
        ):
            self.contents[-1]["parts"] += parts
        else:
            self.contents.append({"role": role, "parts": parts})

    def _assistant(self, message: Message) -> list[Json]:
        out: list[Json] = []
        signature: str | None = None
        first = True
        for part in message.parts:
            if isinstance(part, Thinking):
                if part.issuer not in (wire.NAME, None):
                    if part.text:
                        self.dropped.add("thinking")
                    continue  # another's thoughts are no instruction of ours to Gemini
                if part.text:
                    out.append(_signed({"text": part.text, "thought": True}, part.signature))
                else:
                    signature = part.signature  # belongs to what follows
            elif isinstance(part, ToolCall):
                out.append(self._call(part, signature, first))
                signature, first = None, False
            elif not isinstance(part, Opaque) or part.dialect == wire.NAME:
                out.append(_signed(self._part(part), signature))
                signature = None
        if signature:
            out.append(_signed({"text": ""}, signature))
        return out

    def _call(self, call: ToolCall, signature: str | None, first: bool) -> Json:
        plain, own = split(call.id)
        signature = own or signature
        if signature is None and first and self._signs:
            signature = _UNSIGNED
        self._calls[call.id] = (len(self._calls), call.name)
        inner: Json = {"name": call.name, "args": _arguments(call)}
        if self._ids:
            inner["id"] = plain
        return _signed({"functionCall": inner}, signature)

    def _result(self, result: ToolResult) -> None:
        found = self._calls.get(result.call_id)
        if found is None:
            text = f"{{field}}: no call before it waits for the tool result {split(result.call_id)[0][:80]!r}"
            raise Refused(Kind.INVALID, Field.MESSAGES, text)
        place, name = found
        text = "".join(part.text for part in result.content if isinstance(part, Text))
        inner: Json = {"name": name, "response": _response(text, result.is_error)}
        if self._ids:
            inner["id"] = split(result.call_id)[0]
        others = [self._part(part) for part in result.content if not isinstance(part, Text)]
        self._results.append((place, [{"functionResponse": inner}]))
        if others:  # after all of the results, which are counted
            self._results.append((len(self._calls) + place, others))

    def _part(self, part: Part) -> Json:
        for name, hint in (("cache", "cache_control"), ("detail", "detail"), ("name", "filename")):
            if getattr(part, name, None) not in (None, "auto"):
                self.dropped.add(hint)
        match part:
            case Text() | Refusal():
                return {"text": part.text}
            case Image(data=None):
                return _pointer(part.url, part.media_type, "jpeg")
            case Image():
                return {"inlineData": {"mimeType": part.media_type or "image/png", "data": part.data}}
            case Audio():
                kind = "mpeg" if part.format == "mp3" else part.format
                return {"inlineData": {"mimeType": f"audio/{kind}", "data": part.data}}
            case File():
                return _file(part)
            case Opaque() if isinstance(part.value, dict):
                return part.value
        text = f"{{field}}: a part of the kind {type(part).__name__} has no place there"
        raise Refused(Kind.INVALID, Field.MESSAGES, text)


def _signed(part: Json, signature: str | None) -> Json:
    return {**part, "thoughtSignature": signature} if signature else part


def _arguments(call: ToolCall) -> Json:
    if not call.arguments.strip():
        return {}
    try:
        found = strict_json.decode_object(call.arguments.encode("utf-8", "replace"))
    except GatewayError:
        return {"input": call.arguments}  # a model wrote it, cut or wrong: said as it was
    return found


def _response(text: str, is_error: bool) -> Json:
    if is_error:
        return {"error": text}
    if text[:1] == "{":
        try:
            return strict_json.decode_object(text.encode("utf-8", "replace"))
        except GatewayError:
            pass  # text that begins like an object
    return {"output": text}


def _pointer(url: str | None, media_type: str | None, usual: str) -> Json:
    ending = (url or "").partition("?")[0].rsplit(".", 1)[-1].lower()
    return {"fileData": {"fileUri": url, "mimeType": media_type or _TYPES.get(ending) or f"image/{usual}"}}


def _file(file: File) -> Json:
    if file.file_id is not None:
        raise Refused(
            Kind.UNSUPPORTED,
            Field.MESSAGES,
            "{field}: a file_id names nothing at this model's provider: send the file itself",
        )
    kind = file.media_type or _TYPES.get((file.name or "").rsplit(".", 1)[-1].lower())
    if file.data is None:
        if file.url is None:
            raise Refused(Kind.INVALID, Field.MESSAGES, "{field}: a file needs its data or where it is: send either")
        found: Json = {"fileUri": file.url}
        if kind is not None:
            found["mimeType"] = kind
        return {"fileData": found}
    data = base64.b64encode(file.data.encode()).decode() if kind == "text/plain" else file.data
    return {"inlineData": {"mimeType": kind or "application/pdf", "data": data}}
