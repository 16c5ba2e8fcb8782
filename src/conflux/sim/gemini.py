"""The simulator's gemini face, writing half: a plan becomes Gemini's bytes.

Law: exact in what it says: the usage of a stream and of a plain answer to the same request are the same, and the
tokens an event delivers add up to it. Written without the gateway's dialects, as the other side of the tests.
"""

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from conflux.sim import gemini_request
from conflux.sim.ask import Ask
from conflux.sim.line import Headers
from conflux.sim.plan import CallPlan, Plan, call_size, pieces
from conflux.sim.quirks import Quirks

read = gemini_request.read

_encode = msgspec.json.encode
_FINISHES = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
             429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}  # fmt: skip


def headers(ask: Ask) -> Headers:
    return [
        (b"server", b"scaffolding on HTTPServer2"),
        (b"vary", b"X-Origin"),
        (b"x-gemini-service-tier", b"standard"),
        (b"server-timing", b"gfet4t7; dur=7"),
    ]


def render(ask: Ask, plan: Plan, created: int, quirks: Quirks) -> "GeminiRendering":
    return GeminiRendering(ask, plan, quirks)


class GeminiRendering:
    """A plan as Gemini's bytes."""

    def __init__(self, ask: Ask, plan: Plan, quirks: Quirks) -> None:
        self._ask = ask
        self._plan = plan
        self._quirks = quirks
        self._manner = plan.usage.manner

    def whole(self) -> bytes:
        plan = self._plan
        if self._blocked():
            return _encode(self._answer(None, self._usage(), promptFeedback={"blockReason": "SAFETY"}))
        candidates = []
        for index, choice in enumerate(plan.choices):
            parts = self._thoughts([plan.thinking] if plan.thinking else [])
            parts += [{"text": choice.text}] if choice.text or not plan.calls else []
            parts += [self._call(index, place, call) for place, call in enumerate(plan.calls)]
            candidate = self._candidate(index, parts, _FINISHES[choice.finish])
            if plan.logprobs is not None:
                candidate["logprobsResult"] = self._logprobs(pieces(choice.text))
            candidates.append(candidate)
        return _encode(self._answer(candidates, self._usage()))

    def events(self) -> Iterator[tuple[bytes, int]]:
        plan = self._plan
        if self._blocked():
            yield self._event(None, self._usage(), promptFeedback={"blockReason": "SAFETY"}), 0
            return
        early = self._usage() if self._manner in ("every-chunk", "twice") else None
        for index, choice in enumerate(plan.choices):
            for piece in pieces(plan.thinking):
                yield self._event([self._candidate(index, self._thoughts([piece]))], early), 1
            for piece in pieces(choice.text):
                candidate = self._candidate(index, [{"text": piece}])
                if plan.logprobs is not None:
                    candidate["logprobsResult"] = self._logprobs([piece])
                yield self._event([candidate], early), 1
            for place, call in enumerate(plan.calls):
                yield self._event([self._candidate(index, [self._call(index, place, call)])], early), call_size(call)
        last = len(plan.choices) - 1
        for index, choice in enumerate(plan.choices):
            usage = self._usage() if index == last and self._manner not in ("after-finish", "own-chunk") else None
            yield self._event([self._candidate(index, [{"text": ""}], _FINISHES[choice.finish])], usage), 0
        if self._manner in ("after-finish", "own-chunk"):
            yield self._event([], self._usage()), 0

    def text_event(self) -> bytes:
        return self._event([self._candidate(0, [{"text": "more"}])], None)

    def _blocked(self) -> bool:
        return self._plan.refused

    def _thoughts(self, texts: list[str]) -> list[dict[str, Any]]:
        return [{"text": text, "thought": True} for text in texts]

    def _call(self, index: int, place: int, call: CallPlan) -> dict[str, Any]:
        try:
            args = msgspec.json.decode(call.arguments or "{}")
        except msgspec.DecodeError:
            args = {}  # cut at the limit: the real one then gives none
        inner: dict[str, Any] = {"name": call.name, "args": args}
        if self._quirks.call_ids:
            inner["id"] = f"{self._ask.seed % 10**8:08d}{index}{place}"
        part: dict[str, Any] = {"functionCall": inner}
        if self._quirks.signed_calls and place == 0:
            part["thoughtSignature"] = base64.b64encode(f"signed {call.name} {self._ask.seed}".encode()).decode()
        return part

    def _candidate(self, index: int, parts: list[dict[str, Any]], finish: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": index}
        if finish is not None:
            found["finishReason"] = finish
        return found

    def _usage(self) -> dict[str, Any] | None:
        used = self._plan.usage
        if self._manner == "missing":
            return None
        found = {
            "promptTokenCount": used.prompt,
            "candidatesTokenCount": used.completion - used.reasoning,
            "totalTokenCount": used.prompt + used.completion,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": used.prompt}],
            "trafficType": "ON_DEMAND",
        }
        if used.cached:
            found["cachedContentTokenCount"] = used.cached
        if used.reasoning:
            found["thoughtsTokenCount"] = used.reasoning
        return found

    def _logprobs(self, texts: list[str]) -> dict[str, Any]:
        chosen = [{"token": text, "logProbability": -0.1} for text in texts]
        others = [{"token": f"alt{number}", "logProbability": -float(number + 1)}
                  for number in range(1, self._plan.logprobs or 0)]  # fmt: skip
        tops = [{"candidates": [one, *others] if self._plan.logprobs else []} for one in chosen]
        return {"chosenCandidates": chosen, "topCandidates": tops}

    def _answer(
        self, candidates: list[dict[str, Any]] | None, usage: dict[str, Any] | None, **more: Any
    ) -> dict[str, Any]:
        found: dict[str, Any] = {} if candidates is None else {"candidates": candidates}
        found |= more
        if usage is not None:
            found["usageMetadata"] = usage
        return found | {"modelVersion": self._plan.model or self._ask.model, "responseId": f"sim{self._ask.seed:016x}"}

    def _event(self, candidates: list[dict[str, Any]] | None, usage: dict[str, Any] | None, **more: Any) -> bytes:
        return b"data: " + _encode(self._answer(candidates, usage, **more)) + b"\r\n\r\n"


def error_body(status: int, message: str, code: str | None = None, param: str | None = None) -> bytes:
    name = code or _STATUSES.get(status, "UNKNOWN")
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if param is not None:
        violation = {"field": param, "description": message}
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    return _encode({"error": error})


def error_event(message: str) -> bytes:
    return b"data: " + error_body(500, message) + b"\r\n\r\n"
