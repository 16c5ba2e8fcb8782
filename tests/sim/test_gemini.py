"""Gemini's answers: a stream says what a plain answer says, and counts what it says."""

import json
from typing import Any

import pytest

from conflux.sim import gemini
from conflux.sim.markers import USAGE_MANNERS
from conflux.sim.quirks import Quirks
from conflux.sim.script import Script
from tests.sim.client import ask
from tests.sim.conftest import Starter

TOOLS = [{"functionDeclarations": [{"name": "weather", "parameters": {
    "type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}}]}]  # fmt: skip
PLAIN = "/v1beta/models/gemini-3-pro:generateContent"
STREAM = "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse"

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("hello", {}),
    "empty": ("[[say:]]", {}),
    "beyond ascii": ("[[say: 日本語 😀 \u2028]]", {}),
    "thinking": ("[[think: let me see]] hi", {}),
    "refusal": ("[[refuse]]", {}),
    "length": ("a long story", {"generationConfig": {"maxOutputTokens": 3}}),
    "call": ('[[call: weather {"city": "Rome"}]]', {"tools": TOOLS}),
    "words and parallel calls": ("[[say: well]] [[call: weather]] [[call: weather]]", {"tools": TOOLS}),
    "candidates": ("hello", {"generationConfig": {"candidateCount": 3}}),
    "logprobs": ("hello", {"generationConfig": {"responseLogprobs": True, "logprobs": 2}}),
    "filtered": ("[[finish: content_filter]]", {}),
    "claimed": ("[[usage: prompt=10 completion=5 cached=3 reasoning=2]]", {}),
}


def body(text: str, **fields: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}


def joined(events: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"candidates": {}}
    for event in events:
        for one in event.get("candidates", ()):
            kept = found["candidates"].setdefault(one["index"], {"text": "", "thoughts": "", "calls": [], "logs": 0})
            for part in one["content"]["parts"]:
                if "functionCall" in part:
                    kept["calls"].append(part)
                else:
                    kept["thoughts" if part.get("thought") else "text"] += part["text"]
            kept["logs"] += len((one.get("logprobsResult") or {"chosenCandidates": []})["chosenCandidates"])
            if "finishReason" in one:
                assert "finish" not in kept, "something after the end"
                kept["finish"] = one["finishReason"]
        for name in ("usageMetadata", "promptFeedback", "modelVersion", "responseId"):
            if name in event:
                found[name] = event[name]
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("signs", [False, True])
async def test_a_stream_is_a_plain_answer(start: Starter, case: str, signs: bool) -> None:
    sim = await start(Script(quirks=Quirks(signed_calls=signs, call_ids=signs)))
    text, fields = CASES[case]
    plain = await ask(sim.port, body(text, **fields), path=PLAIN)
    stream = await ask(sim.port, body(text, **fields), path=STREAM)
    assert plain.status == stream.status == 200
    events = [json.loads(line) for line in stream.body.replace(b"data: ", b"").split(b"\r\n\r\n") if line]
    assert joined(events) == joined([plain.json])
    if signs and "call" in case:
        calls = joined(events)["candidates"][0]["calls"]
        assert "thoughtSignature" in calls[0] and all("id" in one["functionCall"] for one in calls)


@pytest.mark.parametrize("manner", USAGE_MANNERS)
async def test_usage_in_every_manner(start: Starter, manner: str) -> None:
    sim = await start()
    stream = await ask(sim.port, body(f"[[usage: {manner}]]"), path=STREAM)
    counts = [json.loads(one) for one in stream.body.replace(b"data: ", b"").split(b"\r\n\r\n") if one]
    told = [one["usageMetadata"] for one in counts if "usageMetadata" in one]
    assert bool(told) == (manner != "missing")
    if manner == "every-chunk":
        assert len(told) == len(counts)


async def test_refusals_and_faults_are_googles(start: Starter) -> None:
    sim = await start()
    wrong = await ask(sim.port, {"contents": []}, path=PLAIN)
    assert wrong.status == 400 and wrong.json["error"]["status"] == "INVALID_ARGUMENT"
    failed = await ask(sim.port, body("[[fail: 503]]"), path=PLAIN)
    assert failed.status == 503 and failed.json["error"]["status"] == "UNAVAILABLE"
    broken = await ask(sim.port, body("[[fail: error-event]] hello"), path=STREAM)
    assert b'"error":{"code":500' in broken.body
    endless = gemini.error_event("x")
    assert endless.endswith(b"\r\n\r\n")
