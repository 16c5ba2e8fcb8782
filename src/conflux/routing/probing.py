"""What a model can do, found out by asking it.

Law: an examination is a dialogue without I/O: it yields a question and is sent what was said. It ends in yes, no, or
None for nothing found out, which changes nothing. A yes needs what no guesser has; a no needs a refusal that names the
matter, or two wrong answers. A target that fails, is busy or shuts its door says nothing about its model.
"""

import json
import re
from collections.abc import Callable, Generator
from typing import Any, Literal

import msgspec

from conflux.neutral.records import Capability
from conflux.routing.swatches import COLOURS, swatch

Below = Callable[[int], int]  # a random number from 0 to n - 1

_WORD = re.compile(r"[a-z]+")
_LETTERS = "bcdfghjkmnpqrstvwxz"
_NONCE = 12
_PICTURES = 3
_WRONG = 2  # answers that make a no
ROOM = 1_024  # tokens of an answer: a model may think first
LONGEST = 800  # bytes of a question
_OF_IMAGES = ("image", "vision", "picture", "multimodal", "modalit", "image_url")
# What is said of a picture that is broken, too much or out of reach, whoever looks at it.
_OF_ONE_PICTURE = (
    "decod", "corrupt", "invalid", "malformed", "truncated", "damaged", "empty", "base64", "format", "mime",
    "media type", "large", "small", "size", "dimension", "resolution", "pixel", "byte", "exceed", "maximum", "too many",
    "url", "load", "fetch", "retriev", "process", "parse", "identify", "policy", "safety", "content filter",
)  # fmt: skip
_QUESTION = "Which colour fills this picture? Answer with one of these words alone: "


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """`refused`: the upstream blames the request, in its own words. `silent`: it failed, is busy, or let nobody in."""

    kind: Literal["answered", "refused", "silent"]
    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()  # name and arguments


class Verdict(msgspec.Struct, frozen=True):
    holds: bool | None
    evidence: tuple[str, ...]


Question = dict[str, Any]  # fields of a chat completions body
Examination = Generator[Question, Said, Verdict]


def vision(below: Below) -> Examination:
    """Three colours out of eight, and the same question with no picture: who names a colour there may be guessing, and
    sees three more."""
    evidence: list[str] = []
    wrong = right = 0
    shown = yield from _put({"messages": [{"role": "user", "content": _QUESTION + _shuffled(below)}]})
    if shown.kind == "silent":
        return Verdict(None, (f"without a picture: {shown.text}",))
    guesses = _colour(shown.text) is not None
    evidence.append(f"without a picture: {_short(shown)}")
    wanted = _PICTURES * (2 if guesses else 1)
    while right < wanted and wrong < _WRONG:
        colour = list(COLOURS)[below(len(COLOURS))]
        parts = [{"type": "text", "text": _QUESTION + _shuffled(below)},
                 {"type": "image_url", "image_url": {"url": swatch(colour)}}]  # fmt: skip
        said = yield from _put({"messages": [{"role": "user", "content": parts}]})
        evidence.append(f"{colour}: {_short(said)}")
        if said.kind == "silent":
            return Verdict(None, tuple(evidence))
        if said.kind == "refused":
            return Verdict(False if names_images(said.text) else None, tuple(evidence))
        if _colour(said.text) == colour:
            right += 1
        else:
            wrong += 1
            wanted = _PICTURES * 2  # one slip is made good by three more
    return Verdict(wrong < _WRONG, tuple(evidence))


def tools(below: Below) -> Examination:
    """A call it is made to make, with a word that only the question holds."""
    evidence: list[str] = []
    for _ in range(_WRONG):
        nonce = _nonce(below)
        schema = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
        said = yield from _put({
            "messages": [{"role": "user", "content": f"Call echo with the word {nonce}."}],
            "tools": [{"type": "function", "function": {"name": "echo", "description": "Repeats a word.",
                                                        "parameters": schema}}],
            "tool_choice": {"type": "function", "function": {"name": "echo"}},
        })  # fmt: skip
        evidence.append(f"{nonce}: {_short(said)}")
        if said.kind == "silent":
            return Verdict(None, tuple(evidence))
        if said.kind == "refused":
            named = _names(said.text, "tool", "function")
            return Verdict(False if named else None, tuple(evidence))
        if any(name == "echo" and _field(arguments, "word") == nonce for name, arguments in said.calls):
            return Verdict(True, tuple(evidence))
    return Verdict(False, tuple(evidence))


def structured_outputs(below: Below) -> Examination:
    """A schema that allows one word, which is not what the question asks for."""
    evidence: list[str] = []
    for _ in range(_WRONG):
        nonce = _nonce(below)
        schema = {"type": "object", "properties": {"word": {"type": "string", "enum": [nonce]}}, "required": ["word"],
                  "additionalProperties": False}  # fmt: skip
        said = yield from _put({
            "messages": [{"role": "user", "content": "Greet me with one word, as JSON with the field word."}],
            "response_format": {"type": "json_schema",
                                "json_schema": {"name": "greeting", "strict": True, "schema": schema}},
        })  # fmt: skip
        evidence.append(f"{nonce}: {_short(said)}")
        if said.kind == "silent":
            return Verdict(None, tuple(evidence))
        if said.kind == "refused":
            named = _names(said.text, "response_format", "schema", "json", "structured")
            return Verdict(False if named else None, tuple(evidence))
        if _field(said.text, "word") == nonce:
            return Verdict(True, tuple(evidence))
    return Verdict(False, tuple(evidence))


EXAMINATIONS: dict[Capability, Callable[[Below], Examination]] = {
    Capability.VISION: vision,
    Capability.TOOLS: tools,
    Capability.STRUCTURED_OUTPUTS: structured_outputs,
}


def _put(question: Question) -> Generator[Question, Said, Said]:
    return (yield {"max_tokens": ROOM, "temperature": 0} | question)


def _shuffled(below: Below) -> str:
    """The words in any order, so that "the first" is no answer."""
    left = list(COLOURS)
    return ", ".join([left.pop(below(len(left))) for _ in range(len(left))])


def _nonce(below: Below) -> str:
    return "".join([_LETTERS[below(len(_LETTERS))] for _ in range(_NONCE)])


def _colour(text: str) -> str | None:
    """The one colour that is named; two are none."""
    found = {word for word in _WORD.findall(text.lower()) if word in COLOURS}
    return found.pop() if len(found) == 1 else None


def _field(text: str, name: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found.get(name) if isinstance(found, dict) else None


def names_images(text: str) -> bool:
    """Does a refusal blame the picture?"""
    return _names(text, *_OF_IMAGES)


def refuses_images(text: str) -> bool:
    """Does it blame the target's eyes, or only the picture at hand? Where it may be the picture, it is."""
    text = text.lower().replace("image_url", "image").replace("invalid content type", "")
    return names_images(text) and not _names(text, *_OF_ONE_PICTURE)


def _names(text: str, *words: str) -> bool:
    return any(word in text.lower() for word in words)


def _short(said: Said) -> str:
    words = "; ".join([said.text, *(f"{name}({arguments})" for name, arguments in said.calls)]).strip("; ")
    return f"{said.kind}, {words[:120]!r}"
