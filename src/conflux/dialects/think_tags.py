"""Thoughts that a provider writes into its text, between <think> and </think>.

Law: only what begins an answer is a thought; a tag later on is text. What may be the beginning of a tag waits until it
is known, and is never lost: at the end it is what it looked like before.
"""

from conflux.dialects.base import AnswerReader, Tally
from conflux.neutral.events import BlockEnded, Event, Fault, Reported, TextDelta, ThinkingDelta

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkTagsReader:
    """Another reader's events, with the thoughts taken out of the text."""

    def __init__(self, reader: AnswerReader) -> None:
        self._reader = reader
        self._choices: dict[int, _Choice] = {}
        self.tally: Tally = reader.tally

    def whole(self, body: bytes) -> list[Event]:
        return self._sorted(self._reader.whole(body))

    def feed(self, data: bytes) -> list[Event]:
        return self._sorted(self._reader.feed(data))

    def end(self) -> list[Event]:
        return self._sorted(self._reader.end())

    def _sorted(self, events: list[Event]) -> list[Event]:
        found: list[Event] = []
        for event in events:
            if isinstance(event, Fault | Reported) or not hasattr(event, "index"):
                found.append(event)
                continue
            choice = self._choices.setdefault(event.index, _Choice(event.index))
            if isinstance(event, TextDelta) and choice.state != "text":
                found += choice.take(event)
            else:
                if isinstance(event, BlockEnded):
                    found += choice.rest()
                found.append(event)
        return found


class _Choice:
    __slots__ = ("_held", "index", "state")

    def __init__(self, index: int) -> None:
        self.index = index
        self.state = "start"  # start | opened | thought | after | text
        self._held = ""

    def take(self, event: TextDelta) -> list[Event]:
        text, self._held = self._held + event.text, ""
        found: list[Event] = []
        if self.state == "start":
            begun = text.lstrip()
            if begun.startswith(_OPEN):
                self.state, text = "opened", begun[len(_OPEN) :]
            elif _OPEN.startswith(begun):
                self._held = text
                return found
            else:
                self.state = "text"
        if self.state == "opened":
            text = text.lstrip("\n")
            if not text:
                return found
            self.state = "thought"
        if self.state == "thought":
            thought, closed, text = text.partition(_CLOSE)
            if closed:
                self.state = "after"
                if thought:
                    found.append(ThinkingDelta(text=thought, index=self.index))
                found.append(BlockEnded(index=self.index))
            else:
                keep = _beginning(thought)
                thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
                return [ThinkingDelta(text=thought, index=self.index)] if thought else found
        if self.state == "after":
            text = text.lstrip("\n")
            if not text:
                return found
            self.state = "text"
        if text or event.logprobs is not None:
            found.append(TextDelta(text=text, index=self.index, logprobs=event.logprobs))
        return found

    def rest(self) -> list[Event]:
        """The block ends: what waited is what it looked like."""
        held, self._held = self._held, ""
        if not held:
            return []
        if self.state == "thought":
            return [ThinkingDelta(text=held, index=self.index)]
        return [TextDelta(text=held, index=self.index)]


def _beginning(text: str) -> int:
    """How many of the last characters may begin the closing tag."""
    return next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)
