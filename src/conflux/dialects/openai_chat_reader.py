"""Answers of the openai-chat dialect, read as events.

Law: the blocks of a choice leave one after the other, however the upstream interleaved them; what comes for a block
that is not open waits for its turn and is never lost. A tool call is closed early only when its arguments are a whole
JSON value; it begins once its id and its name are known, and both are said once.
"""

from collections import deque
from collections.abc import Mapping

from conflux.dialects import citations, openai_chat_thoughts
from conflux.dialects.base import Tally
from conflux.dialects.call_ids import made_up
from conflux.dialects.openai_chat_answer_wire import Choice, Delta, ToolCallDelta, hear_choices
from conflux.dialects.openai_chat_calls import NAMELESS, Arguments, is_another
from conflux.dialects.openai_chat_intake import Intake, Taken
from conflux.dialects.openai_chat_wire import NAME
from conflux.neutral.events import (
    Aside,
    Began,
    BlockEnded,
    Event,
    Finished,
    RefusalDelta,
    Reported,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolBegan,
    ToolDelta,
)

# What may have waited for its turn, in characters and what it costs to keep a fragment. No real answer comes near.
MOST_WAITING = 8 * 1024 * 1024
_FRAGMENT = 200

_STOPS = {
    "stop": Stop.END,
    "length": Stop.LENGTH,
    "max_tokens": Stop.LENGTH,
    "model_length": Stop.LENGTH,
    "tool_calls": Stop.TOOL_CALLS,
    "function_call": Stop.TOOL_CALLS,
    "content_filter": Stop.CONTENT_FILTER,
    "safety": Stop.CONTENT_FILTER,
    "sensitive": Stop.CONTENT_FILTER,
}

Said = TextDelta | ThinkingDelta | RefusalDelta
Waited = Said | Aside


class ChatReader:
    """An OpenAI chat upstream's answer, as events."""

    def __init__(self, names: Mapping[str, str] | None = None, intake: Intake | None = None) -> None:
        self._intake = intake or Intake(hear_choices)
        self._names = names or {}
        self.tally: Tally = self._intake.tally
        self._choices: dict[int, _Choice] = {}
        self._began = False
        self._ended = False

    def feed(self, data: bytes) -> list[Event]:
        return self._events(self._intake.cut(data))

    def end(self) -> list[Event]:
        events = self._events(self._intake.rest())
        self._intake.closed()
        return events + self._close(complete=False)

    def whole(self, body: bytes) -> list[Event]:
        taken = self._intake.take_whole(body)
        events = self._taken(taken) if taken is not None else []
        return events + self._close(complete=True)

    def _events(self, payloads: list[tuple[bytes, bytes]]) -> list[Event]:
        events: list[Event] = []
        for name, payload in payloads:
            taken = self._intake.take(name, payload)
            if taken is not None:
                events += self._taken(taken)
        if self.tally.done or self.tally.fault is not None:
            events += self._close(complete=True)
        return events

    def _taken(self, taken: Taken) -> list[Event]:
        events: list[Event] = []
        if not self._began:
            self._began = True
            events.append(Began(id=self.tally.upstream_id or "", model=self.tally.model or ""))
        for choice in taken[2]:
            found = self._choices.get(choice.index)
            if found is None:
                found = self._choices[choice.index] = _Choice(choice.index, self._intake, self._names)
            found.read(choice, events)
        return events

    def _close(self, *, complete: bool) -> list[Event]:
        """Let what waited have its turn, end what is open, then say how it ended and what it used.

        `complete`: the upstream said that this was all; else only what has a finish reason is finished.
        """
        if self._ended:
            return []
        if self.tally.fault is not None:
            self._ended = True
            return [self.tally.fault]
        self._ended = True
        events: list[Event] = []
        for _, choice in sorted(self._choices.items()):
            choice.close(events, complete=complete)
        if self.tally.fault is not None:
            return [*events, self.tally.fault]
        for _, choice in sorted(self._choices.items()):
            stop = choice.ending(complete=complete)
            if stop is not None:
                events.append(Finished(stop=stop, index=choice.index))
        if self.tally.usage is not None:
            events.append(Reported(usage=self.tally.usage))
        return events


class _Call:
    """A tool call as it is put together."""

    __slots__ = ("arguments", "began", "call_id", "custom", "name", "parked", "place", "queued")

    def __init__(self, place: int) -> None:
        self.place = place
        self.call_id: str | None = None
        self.name: str | None = None
        self.custom = False
        self.queued = False
        self.began = False
        self.parked: list[str] = []  # arguments that wait for their turn
        self.arguments = Arguments()

    @property
    def whole(self) -> bool:
        """Nothing more can belong to it. Free text never says so."""
        return self.arguments.whole and not self.custom


class _Choice:
    """One choice: the block that is open, and what waits until it is closed."""

    __slots__ = (
        "_block",
        "_calls",
        "_heard",
        "_ids",
        "_intake",
        "_names",
        "_open",
        "_stop",
        "_waiting",
        "_waits",
        "index",
    )

    def __init__(self, index: int, intake: Intake, names: Mapping[str, str]) -> None:
        self.index = index
        self._names = names
        self._intake = intake
        self._block = ""  # "text", "thinking", "refusal", "tool", or none
        self._open: _Call | None = None  # the call that is open, where a call is
        self._calls: dict[int, _Call] = {}  # by the upstream's index
        self._ids: set[str] = set()
        self._heard: list[_Call] = []  # all of them, in the order they came
        self._waiting: deque[_Call | tuple[str, Waited]] = deque()
        self._waits = 0
        self._stop: Stop | None = None

    def read(self, choice: Choice, events: list[Event]) -> None:
        delta, index = choice.delta or choice.message, self.index
        if delta is not None:
            thinking = delta.reasoning_content or delta.reasoning
            if thinking:
                self._say("thinking", ThinkingDelta(text=thinking, index=index), events)
            if delta.reasoning_details:
                for thought in openai_chat_thoughts.heard(delta.reasoning_details, index, spoken=bool(thinking)):
                    self._say("thinking", thought, events)
            if delta.content or (choice.logprobs and delta.content is not None):
                said = TextDelta(text=delta.content, index=index, logprobs=choice.logprobs)
                self._say("text", said, events)
            if delta.images:  # as the text that chats show of them
                drawn = "".join(f"![image]({url})" for url in delta.drawn)
                self._say("text", TextDelta(text=drawn, index=index), events)
            if delta.annotations or delta.audio:
                self._note(delta, events)
            if delta.refusal:
                self._say("refusal", RefusalDelta(text=delta.refusal, index=index), events)
            for place, call in enumerate(delta.tool_calls or ()):
                self._hear(call.index if call.index is not None else place, call, events)
            if delta.function_call is not None:
                name = delta.function_call.name
                legacy = ToolCallDelta(id=f"call_{name}" if name else None, function=delta.function_call)
                self._hear(0, legacy, events)
        if choice.finish_reason:
            self._stop = _STOPS.get(choice.finish_reason, Stop.END)

    def _note(self, delta: Delta, events: list[Event]) -> None:
        """What stands beside the text. A page is told where it stands in all of the text."""
        for value in delta.annotations if isinstance(delta.annotations, list) else ():
            if isinstance(value, dict):
                link = citations.read_openai(value)
                self._cite(Aside(dialect=NAME, kind="citation", value=value, index=self.index, link=link), events)
        if delta.audio:
            events.append(Aside(dialect=NAME, kind="audio", value=delta.audio, index=self.index))

    def _cite(self, event: Aside, events: list[Event]) -> None:
        if self._open is None:
            self._switch("text", events)
            events.append(event)
        else:
            self._wait(len(str(event.value)))
            self._waiting.append(("text", event))

    def _say(self, block: str, event: Said, events: list[Event]) -> None:
        if self._open is None:
            self._switch(block, events)
            events.append(event)
            return
        # Nobody says when a call ends: closing it now could cut it.
        self._wait(len(event.text))
        self._waiting.append((block, event))
        self._advance(events)

    def _hear(self, place: int, delta: ToolCallDelta, events: list[Event]) -> None:
        inner = delta.function or delta.custom
        call = self._calls.get(place)
        if call is None or is_another(call, delta, inner):
            call = self._calls[place] = _Call(place)
            self._heard.append(call)
        call.custom = call.custom or delta.custom is not None
        call.call_id = call.call_id or delta.id or None
        call.name = call.name or (inner.name if inner is not None else None) or None
        text = ((inner.input if delta.custom is not None else inner.arguments) or "") if inner is not None else ""
        if text:
            if call is not self._open:
                self._wait(len(text))
            self._add(call, text, events)
        if call.call_id and call.name and not call.queued:
            call.queued = True
            self._waiting.append(call)
        self._advance(events)

    def _add(self, call: _Call, text: str, events: list[Event]) -> None:
        """Arguments: out at once where the call is open, else parked."""
        call.arguments.feed(text)
        if call is self._open:
            events.append(ToolDelta(arguments=text, index=self.index))
        elif not call.began:
            call.parked.append(text)
        elif text.strip():
            self._intake.fail("the answer has arguments for a tool call that was whole")

    def _wait(self, size: int) -> None:
        self._waits += size + _FRAGMENT
        if self._waits > MOST_WAITING:
            self._intake.fail("the answer interleaves more than can be held back")

    def _advance(self, events: list[Event]) -> None:
        """Open what waits, as far as what is open lets it."""
        while self._waiting and (self._open is None or self._open.whole):
            self._turn(self._waiting.popleft(), events)

    def _turn(self, waited: _Call | tuple[str, Waited], events: list[Event]) -> None:
        if isinstance(waited, _Call):
            self._begin(waited, events)
        else:
            self._switch(waited[0], events)
            events.append(waited[1])

    def _switch(self, block: str, events: list[Event]) -> None:
        if block == self._block:
            return
        self._end_block(events)
        self._block = block

    def _begin(self, call: _Call, events: list[Event]) -> None:
        self._end_block(events)
        self._block, self._open = "tool", call
        call.began = call.queued = True
        call_id = call.call_id
        if not call_id or call_id in self._ids:
            call_id = self._made_up(call)
        self._ids.add(call_id)
        name = self._names.get(call.name or "", call.name or "")
        events.append(ToolBegan(call_id=call_id, name=name, index=self.index, custom=call.custom))
        if call.parked:
            events.append(ToolDelta(arguments="".join(call.parked), index=self.index))
            call.parked = []

    def _made_up(self, call: _Call) -> str:
        tally = self._intake.tally
        return made_up(tally.upstream_id, self.index, call.place, len(self._heard), call.name, call.parked)

    def _end_block(self, events: list[Event]) -> None:
        if self._block:
            events.append(BlockEnded(index=self.index))
        self._block, self._open = "", None

    def close(self, events: list[Event], *, complete: bool) -> None:
        """Every call is over now: what waits has its turn, what nobody named is a fault where this was all."""
        self._full(complete, events)
        while self._waiting:
            self._turn(self._waiting.popleft(), events)
            self._full(complete, events)
        for call in self._heard:
            if call.began or not (call.name or call.parked):
                continue
            if call.name:
                self._begin(call, events)
                self._full(complete, events)
            elif complete or self._stop is not None:
                self._intake.fail(NAMELESS)
        self._end_block(events)

    def _full(self, complete: bool, events: list[Event]) -> None:
        """A call without arguments is a call with none, unless it was cut before they came."""
        call = self._open
        if call is None or call.custom or call.arguments.some:
            return
        if self._stop not in (None, Stop.LENGTH) or (complete and self._stop is None):
            call.arguments.feed("{}")
            events.append(ToolDelta(arguments="{}", index=self.index))

    def ending(self, *, complete: bool) -> Stop | None:
        """The reason, made true: calls are what an answer with calls ended for, and no other did."""
        stop = self._stop
        if stop is None and not complete:
            return None
        if stop in (None, Stop.END, Stop.TOOL_CALLS):
            return Stop.TOOL_CALLS if any(call.began for call in self._heard) else Stop.END
        return stop
