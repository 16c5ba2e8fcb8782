"""What the matrix asks of every pair of protocols, and what must come of it.

Law: what is expected is said here once, in no protocol's words. A cell is whole ("yes") or it is refused by name, and
only where REFUSED says so; whatever was left out on the way is named in the answer's header and becomes part of the
cell's text. Anything else is a failure.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from tests.interop.asked import CITY, Asked, Face, Seen, Used
from tests.interop.openai_faces import Chat, Completions, Responses
from tests.interop.other_faces import Gemini, Messages

FACES: dict[str, Face] = {face.name: face for face in (Chat(), Completions(), Responses(), Messages(), Gemini())}
# Protocols of upstreams: where the simulator speaks them, below its address.
UPSTREAMS = {"openai-chat": "/v1", "openai-responses": "/v1", "anthropic-messages": "/v1", "gemini": "/v1beta"}

# What a client protocol cannot even ask: the field that the refusal names.
REFUSED: dict[tuple[str, str], str] = {
    ("openai-completions", "tools"): "tools",
    ("openai-completions", "parallel tools"): "tools",
    ("openai-completions", "images"): "prompt",
    ("openai-completions", "reasoning"): "reasoning_effort",
    ("openai-completions", "schema"): "response_format",
}
THOUGHT = "hm, let me see"


class Case(NamedTuple):
    asked: Asked
    check: Callable[[Face, Seen], None]
    results: tuple[str, ...] = ()  # of the tools it calls; then the answer repeats them


def _plain(face: Face, seen: Seen) -> None:
    assert seen.text == "Grüße, 世界 👋"
    assert (seen.stop, seen.thinking, seen.calls, seen.refused) == ("end", "", [], False)
    assert seen.used is not None
    assert seen.used._replace(reasoning=None) == Used(25, 75, 20, None)
    assert seen.used.reasoning in (0, None)


def _calls(*cities: str) -> Callable[[Face, Seen], None]:
    def check(face: Face, seen: Seen) -> None:
        assert [(call.name, json.loads(call.arguments)) for call in seen.calls] == [
            ("weather", {"city": city}) for city in cities
        ]
        if face.name != "gemini":
            assert all(call.id for call in seen.calls)
            assert len({call.id for call in seen.calls}) == len(cities)
        assert (seen.stop, seen.text) == ("tools", "")

    return check


def _image(face: Face, seen: Seen) -> None:
    assert "image image/png of " in seen.text and seen.stop == "end"


def _reasoning(face: Face, seen: Seen) -> None:
    assert (seen.thinking, seen.text, seen.stop) == (THOUGHT, "yes", "end")
    assert seen.used is not None and seen.used.completion == 30


def _schema(face: Face, seen: Seen) -> None:
    found = json.loads(seen.text)
    assert set(found) == set(CITY["required"])
    assert isinstance(found["city"], str) and isinstance(found["people"], int)
    assert seen.stop == "end"


def _refusal(face: Face, seen: Seen) -> None:
    assert seen.refused and seen.stop == "refusal" and not seen.calls


def _length(face: Face, seen: Seen) -> None:
    assert (seen.text, seen.stop) == ("".join(f"{number:03d} " for number in range(16)), "length")


def _error(face: Face, seen: Seen) -> None:
    assert seen.stop == "error" and seen.error and not seen.calls
    assert "".join(f"{number:03d} " for number in range(20)).startswith(seen.text)


CASES: dict[str, Case] = {
    "plain": Case(Asked("Hello [[say: Grüße, 世界 👋]] [[usage: prompt=100 completion=20 cached=75]]"), _plain),
    "tools": Case(Asked('[[call: weather {"city": "Rome"}]]', tools=True), _calls("Rome"), ("21 degrees",)),
    "parallel tools": Case(
        Asked('[[call: weather {"city": "Rome"}]] [[call: weather {"city": "Oslo"}]]', tools=True),
        _calls("Rome", "Oslo"),
        ("21 degrees", "4 degrees"),
    ),
    "images": Case(Asked("What is this?", image=True), _image),
    "reasoning": Case(
        Asked(f"[[think: {THOUGHT}]] [[say: yes]] [[usage: prompt=50 completion=30 reasoning=25]]", reasoning=True),
        _reasoning,
    ),
    "schema": Case(Asked("A city", schema=True), _schema),
    "refusal": Case(Asked("[[refuse]]"), _refusal),
    "length": Case(Asked("[[stream: 50]]", limit=16), _length),
    "error mid-stream": Case(Asked("[[stream: 30 at 200]] [[fail: error-event 20]]"), _error),
}


def common(face: Face, seen: Seen, model: str) -> None:
    """Of any whole answer."""
    assert seen.id.startswith(face.id_prefix) and len(seen.id) > 12, seen.id
    assert "sim" not in seen.id
    assert seen.model == model
    assert seen.used is not None
    assert seen.used.prompt + seen.used.cached > 0
    assert seen.used.completion > 0
