"""The gemini dialect: models/{model}:generateContent and its stream, as Google's clients and servers speak it.

Law: as in base.py. The model and the wish for a stream stand in the path; a stream is server-sent events where the
query asks for them and a JSON list otherwise, which the face makes of the events. What would reach into the account
that all callers share is refused by name.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from conflux.dialects import gemini_errors, gemini_names, gemini_read, gemini_write, signatures, strict_json
from conflux.dialects import gemini_wire as wire
from conflux.dialects.base import NOWHERE, AnswerReader, AnswerWriter, Lane, Place, Shape, Wanted, Written
from conflux.dialects.gemini_reader import GeminiReader
from conflux.dialects.gemini_relay import GeminiPassThrough
from conflux.dialects.gemini_writer import GeminiWriter
from conflux.dialects.openai_chat import IMAGE_TOKENS_BOUND
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.events import Fault
from conflux.neutral.fields import Words
from conflux.neutral.request import BY_ADDRESS, BY_TOOLS, Envelope, Need, Request

# /v1beta/models/ID:generateContent, Vertex's longer one too. An id may hold slashes and colons.
_PATH = re.compile(
    r"/v1(?:alpha|beta\d*)?/(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/)?(?:tunedModels|models)/"
    r"(?P<model>.+):(?P<verb>generateContent|streamGenerateContent|countTokens)"
)
_AT_CLIENT = frozenset({"functionDeclarations", "computerUse"})
_STORED = re.compile(r"gs://|https?://[^/]*googleapis\.com/.*/?files/")
# They ask this house for another price or service: left out and named.
_NOT_FORWARDED = ("serviceTier", "store")
_OURS = frozenset({"model", "task_type", "flux", "prefer"})  # not forwarding them loses nothing
_ANY = "auto"  # in the path where a model's id would be: the task says what answers


class Gemini:
    """The dialect as the table of dialects holds it."""

    name = wire.NAME
    id_prefix = "gen-"
    id_header = b""
    routes: tuple[str, ...] = ()
    words: Words = gemini_names.WORDS
    listens: tuple[bytes, ...] = ()

    def find(self, path: str) -> Place | None:
        found = _PATH.fullmatch(path) if ":" in path else None
        if found is None:
            return None
        if found["verb"] == "countTokens":
            return Place(model=found["model"], stream=False, secret_in="key", counts="totalTokens")
        streams = found["verb"] == "streamGenerateContent"
        return Place(model=found["model"], stream=streams, listed_unless="alt=sse" if streams else "", secret_in="key")

    def open(self, raw: bytes, place: Place = NOWHERE) -> Envelope:
        body, size = strict_json.decode_measured(raw)
        if place.counts and isinstance(inner := body.get("generateContentRequest"), dict):
            body = inner  # what is counted may be a whole request
        gemini_names.tidy(body)
        checked = wire.check(body)
        if checked.cached_content is not None:
            text = "cachedContent: what is cached at the provider is not the caller's: send the contents themselves"
            raise GatewayError(Kind.UNSUPPORTED, text, param="cachedContent")
        needs, images, image_bytes = _needs(checked)
        settings = checked.generation_config or wire.GenerationConfig()
        thinking = settings.thinking_config or wire.Thinking()
        return Envelope(
            dialect=wire.NAME,
            body=body,
            size=size - image_bytes + images * IMAGE_TOKENS_BOUND,
            model=_named(body) if place.model == _ANY and (checked.task_type or "flux" in body) else place.model,
            task_type=checked.task_type,
            stream=bool(place.stream),
            include_usage=True,
            max_output=settings.max_output_tokens,
            choices=settings.candidate_count or 1,
            needs=frozenset(needs),
            images=images,
            fetches=_fetches(checked, body, files=Need.FILES in needs),
            effort=thinking.thinking_level.lower() if thinking.thinking_level else None,
        )

    def read_request(self, envelope: Envelope) -> Request:
        return gemini_read.read_request(envelope)

    def forward(self, envelope: Envelope, shape: Shape) -> Written:
        body = {name: value for name, value in envelope.body.items() if name not in _OURS}
        dropped = tuple(name for name in _NOT_FORWARDED if body.pop(name, None) is not None)
        body["generationConfig"] = dict(body.get("generationConfig") or {})
        dropped += gemini_write.fit(body, shape)
        if shape.quirks.get("conflux") is not True:
            dropped += _own_seals(body)
        if not body["generationConfig"]:
            del body["generationConfig"]
        return Written(body=strict_json.encode(body), dropped=dropped)

    def write_request(self, request: Request, shape: Shape) -> Written:
        return gemini_write.write_request(request, shape)

    def path(self, shape: Shape) -> str:
        model = shape.model if "/" in shape.model else f"models/{shape.model}"
        verb = "streamGenerateContent?alt=sse" if shape.stream else "generateContent"
        return f"/{quote(model, safe='/')}:{verb}"

    def reader(self, names: Mapping[str, str]) -> AnswerReader:
        return GeminiReader(names)

    def writer(self, wanted: Wanted, request: Request) -> AnswerWriter:
        return GeminiWriter(wanted, request)

    def passthrough(self, wanted: Wanted) -> Lane:
        return GeminiPassThrough(wanted)

    def error(self, error: GatewayError, style: str) -> tuple[int, bytes]:
        return gemini_errors.body(error)

    def error_event(self, error: GatewayError) -> bytes:
        return gemini_errors.event(error)

    def upstream_error(self, status: int, body: bytes) -> Fault:
        return gemini_errors.read_upstream_error(status, body)


def _named(body: Mapping[str, Any]) -> str | None:
    """Whom a body names whose path names nobody: as other protocols do, beside a task it is refused."""
    name = body.get("model")
    return name if isinstance(name, str) else None


def _needs(checked: wire.Body) -> tuple[set[Need], int, int]:
    """What the whole conversation asks for; how many images, and the bytes they take in the body."""
    found: set[Need] = set()
    images = image_bytes = 0
    for content in checked.contents:
        for part in content.parts or ():
            if part.function_call is not None or part.function_response is not None:
                found.add(Need.TOOLS)
            held: list[Any] = [part]
            if part.function_response is not None:
                held += part.function_response.parts or ()
            for one in held:
                if one.inline_data is None and one.file_data is None:
                    continue
                if _attached(one, found):
                    images += 1
                    image_bytes += len(one.inline_data.data) if one.inline_data is not None else 0
    _asked(checked, found)
    return found, images, image_bytes


def _attached(part: wire.Part | wire.ResponsePart, found: set[Need]) -> bool:
    """Notes what an attachment needs. Is it an image?"""
    if part.file_data is not None and _STORED.match(part.file_data.file_uri):
        found.add(Need.STORED_FILES)
    blob = part.inline_data
    kind = (blob.mime_type if blob is not None else (part.file_data.mime_type if part.file_data else None)) or ""
    image = kind.lower().startswith("image/")
    found.add(Need.VISION if image else Need.AUDIO if kind.lower().startswith("audio/") else Need.FILES)
    return image


def _fetches(checked: wire.Body, body: Mapping[str, Any], *, files: bool) -> int:
    """What is read at the provider: by tools that run there, and of files by their address."""
    served = any(tool[name] is not None for tool in body.get("tools") or () for name in tool.keys() - _AT_CLIENT)
    found = BY_TOOLS if served else 0
    for content in checked.contents if files else ():
        for part in content.parts or ():
            held = [part, *(part.function_response.parts or ())] if part.function_response is not None else [part]
            for one in held:
                if one.file_data is not None and not (one.file_data.mime_type or "").lower().startswith("image/"):
                    found += BY_ADDRESS
    return found


def _asked(checked: wire.Body, found: set[Need]) -> None:
    """The needs that settings state, whatever the conversation holds."""
    for tool in checked.tools or ():
        if tool.function_declarations:
            found.add(Need.TOOLS)
        if tool.google_search is not None or tool.google_search_retrieval is not None:
            found.add(Need.WEB_SEARCH)
    settings = checked.generation_config
    if settings is None:
        return
    schema = settings.response_schema or settings.response_json_schema or settings.old_json_schema
    if settings.response_mime_type == "application/json" or schema:
        found.add(Need.STRUCTURED_OUTPUTS if schema else Need.JSON_MODE)
    if settings.response_logprobs:
        found.add(Need.LOGPROBS)
    if settings.candidate_count is not None and settings.candidate_count > 1:
        found.add(Need.MANY_CHOICES)


def _own_seals(body: dict[str, Any]) -> tuple[str, ...]:
    """Leaves out what another issuer sealed: this one would refuse the whole request for it."""
    contents, lost = [], False
    for content in body["contents"]:
        parts = content.get("parts") or []
        kept = [_without_seal(part) if _is_foreign(part) else part for part in parts]
        if kept != parts:
            lost = True
            content = {**content, "parts": [part for part in kept if part]}
        contents.append(content)
    if not lost:
        return ()
    body["contents"] = [content for content in contents if content.get("parts")]
    return ("reasoning signature",)


def _is_foreign(part: Any) -> bool:
    sealed = part.get("thoughtSignature") if isinstance(part, dict) else None
    return isinstance(sealed, str) and signatures.unwrap(sealed, wire.NAME)[1] != wire.NAME


def _without_seal(part: dict[str, Any]) -> dict[str, Any]:
    """Nothing at all, where it was a seal alone or a thought: who did not think it gets no thoughts."""
    if part.get("thought"):
        return {}
    return {name: value for name, value in part.items() if name != "thoughtSignature"}
