"""Sealed thinking on the chat wire: the list `reasoning_details`, as OpenRouter speaks it.

Law: chat completions have no place for a signature, so what seals a thought travels in this list. An upstream's entry
is kept whole and goes back to chat upstreams that know the list, and to nobody else. A client is given an entry of
ours for each sealed thought, its text with it, so that thought and seal come back together; whose it is stays inside.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Raw

from conflux.dialects import signatures, strict_json
from conflux.dialects.base import Shape
from conflux.dialects.openai_chat_answer_wire import Choice
from conflux.dialects.openai_chat_calls import written
from conflux.dialects.openai_chat_wire import NAME
from conflux.neutral.errors import GatewayError
from conflux.neutral.events import ThinkingDelta
from conflux.neutral.request import Thinking

FIELD = "reasoning_details"
_TEXT, _ENCRYPTED = "reasoning.text", "reasoning.encrypted"
_SAID = ("text", "summary")

Entry = dict[str, Any]


def heard(details: Any, index: int, *, spoken: bool) -> Iterator[ThinkingDelta]:
    """What an upstream's entries say. `spoken`: their text was said beside them already."""
    for entry in details if isinstance(details, list) else ():
        if not isinstance(entry, dict):
            continue
        text = next((entry[name] for name in _SAID if isinstance(entry.get(name), str)), "")
        if text and not spoken:
            yield ThinkingDelta(text=text, index=index)
        if entry.get("type") == _ENCRYPTED and entry.get("data"):
            yield ThinkingDelta(index=index, redacted=_packed(entry), issuer=NAME)
        elif entry.get("signature"):
            bare = {name: value for name, value in entry.items() if name not in _SAID}
            yield ThinkingDelta(index=index, signature=_packed(bare), issuer=NAME)


def known(shape: Shape) -> bool:
    """Does the upstream take the list?"""
    return True in (shape.quirks.get("reasoning_details"), shape.quirks.get("conflux"))


def _packed(entry: Entry) -> str:
    return strict_json.encode(entry).decode()


def handed_back(part: Thinking) -> Entry | None:
    """An upstream's own entry, as it came; None for a thought that no chat upstream sealed."""
    packed = part.redacted or part.signature
    if part.issuer != NAME or not packed:
        return None
    try:
        entry = strict_json.decode_object(packed.encode("utf-8", "replace"))
    except GatewayError:
        return None
    if part.redacted is None and part.text:
        entry["text"] = part.text
    return entry


class Thoughts:
    """One choice's thoughts on their way to a client: each seal is given out with the text that it seals."""

    __slots__ = ("_place", "_text")

    def __init__(self) -> None:
        self._text: list[str] = []
        self._place = 0

    def note(self, text: str) -> None:
        if text:
            self._text.append(text)

    def add(self, event: ThinkingDelta) -> Entry | None:
        """The entry, where this is a seal. Clients put lists together by `index`, so each has one of its own."""
        self.note(event.text)
        if event.redacted is None and not event.signature:
            return None
        issuer, place = event.issuer or NAME, self._place
        self._place += 1
        if event.redacted is not None:
            return {"type": _ENCRYPTED, "data": signatures.wrap(event.redacted, issuer, ""), "index": place}
        text, self._text = "".join(self._text), []
        sealed = signatures.wrap(event.signature or "", issuer, "")
        return {"type": _TEXT, "text": text, "signature": sealed, "index": place}


def resealed(choices: list[Choice], thoughts: dict[int, Thoughts]) -> Raw:
    """An upstream's choices, with its entries made ours. `thoughts`: by choice, kept while the answer lasts."""
    found = []
    for choice in choices:
        shown = written(choice)
        for name in ("delta", "message"):
            said: Entry | None = shown.get(name)
            if said is None:
                continue
            details = said.pop(FIELD, None)
            text = said.get("reasoning_content") or said.get("reasoning") or ""
            ours = thoughts.setdefault(choice.index, Thoughts())
            ours.note(text)
            entries = []
            for event in heard(details, choice.index, spoken=bool(text)):
                if event.text:
                    said["reasoning_content"] = said.get("reasoning_content", "") + event.text
                sealed = ours.add(event)
                if sealed is not None:
                    entries.append(sealed)
            if entries:
                said[FIELD] = entries
        found.append(shown)
    return Raw(strict_json.encode(found))


def read(details: list[Any]) -> Iterator[Thinking]:
    """What a client hands back: entries of ours, and those of an upstream that it talked to before."""
    for entry in details:
        if not isinstance(entry, dict):
            continue
        text = next((entry[name] for name in _SAID if isinstance(entry.get(name), str)), "")
        field = "data" if entry.get("type") == _ENCRYPTED else "signature"
        sealed = entry.get(field)
        if not isinstance(sealed, str) or not sealed:
            yield Thinking(text=text, issuer=NAME)
            continue
        found, issuer = signatures.unwrap(sealed, "")
        if not issuer:  # not wrapped here
            found, issuer = _packed({name: one for name, one in entry.items() if name not in _SAID}), NAME
        if field == "data":
            yield Thinking(redacted=found, issuer=issuer)
        else:
            yield Thinking(text=text, signature=found, issuer=issuer)


def as_forwarded(message: Entry, knows: bool) -> tuple[Entry, bool]:
    """A client's message for an upstream of this wire, and whether something sealed had to stay behind. `knows`: the
    upstream knows the list."""
    details = message.get(FIELD)
    if not isinstance(details, list):
        return message, False
    parts = list(read(details))
    kept = [entry for part in parts if (entry := handed_back(part)) is not None] if knows else []
    found = {name: value for name, value in message.items() if name != FIELD}
    sealed = sum(bool(part.signature or part.redacted) for part in parts)
    return (found | {FIELD: kept} if kept else found), len(kept) < sealed
