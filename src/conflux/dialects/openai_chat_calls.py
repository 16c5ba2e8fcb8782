"""The choices of a chat answer and their tool calls, as clients put them together.

Law: clients join texts by the numbers beside them. So a role, an id and a name are said once; calls are counted from 0
without gaps, each with an id of its own; and a choice ends with a reason. What is right already is not touched.
"""

import re
from typing import Any, Protocol

import msgspec

from conflux.dialects.call_ids import made_up
from conflux.dialects.openai_chat_answer_wire import Choice, Delta, FunctionDelta, ToolCallDelta

_MARKS = re.compile(r'\\.|\\\Z|["{}\[\]]', re.DOTALL)
NAMELESS = "the answer has a tool call without a name"


class Arguments:
    """Where in its JSON a text is that comes in fragments: as much as tells whether the value is whole."""

    __slots__ = ("_cut", "_depth", "_quoted", "some", "whole")

    def __init__(self) -> None:
        self.some = False
        self.whole = False
        self._depth = 0
        self._quoted = False
        self._cut = False  # the last fragment ended between a backslash and what it escapes

    def feed(self, text: str) -> None:
        self.some = True
        if self._cut:
            text = "\\" + text
        self._cut = False
        for found in _MARKS.finditer(text):
            mark = found.group()
            if mark == '"':
                self._quoted = not self._quoted
            elif mark == "\\":
                self._cut = True
            elif self._quoted or mark[0] == "\\":
                continue
            elif mark in "{[":
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth == 0:
                    self.whole = True


class Known(Protocol):
    """A call as far as it was heard."""

    call_id: str | None

    @property
    def whole(self) -> bool: ...


def is_another(call: Known, delta: ToolCallDelta, inner: FunctionDelta | None) -> bool:
    """Some upstreams give every call the same index: another id, and a name with it or nothing left to add, tells. So
    does a name with arguments, where nobody gives ids and the call before is whole."""
    named = inner is not None and bool(inner.name)
    if delta.id and call.call_id:
        return delta.id != call.call_id and (named or call.whole)
    return named and inner is not None and bool(inner.arguments) and call.whole


class _Call:
    __slots__ = ("call_id", "named", "place", "said")

    def __init__(self, place: int, call_id: str | None) -> None:
        self.place = place
        self.call_id = call_id  # the upstream's own
        self.named = False
        self.said: list[str] = []

    @property
    def whole(self) -> bool:
        arguments = Arguments()
        arguments.feed("".join(self.said))
        return arguments.whole


class _Said:
    """One choice."""

    __slots__ = ("at", "calls", "ids", "role")

    def __init__(self) -> None:
        self.role = False
        self.calls: list[_Call] = []
        self.at: dict[int, _Call] = {}  # by the upstream's index
        self.ids: set[str] = set()


class Choices:
    """Those of one answer on its way through."""

    __slots__ = ("_seed", "_streamed")

    def __init__(self) -> None:
        self._streamed: dict[int, _Said] = {}
        self._seed: object = None

    def mend(self, choice: Choice, seed: object) -> bool:
        """One of a chunk. Was anything changed?"""
        self._seed = seed
        said = self._streamed.setdefault(choice.index, _Said())
        changed = False
        if choice.delta is None:
            choice.delta, choice.message, changed = choice.message or Delta(), None, True
        delta = choice.delta
        if delta.role is not None:
            if said.role:
                delta.role, changed = None, True
            said.role = True
        if choice.finish_reason == "":  # some say so for none
            choice.finish_reason, changed = None, True
        if delta.tool_calls is not None and self._calls(choice.index, said, delta.tool_calls):
            changed = True
        return changed

    def first(self, index: int) -> bool:
        """A role is said. For the first time?"""
        said = self._streamed.setdefault(index, _Said())
        first, said.role = not said.role, True
        return first

    def mend_whole(self, choice: Choice, seed: object) -> bool:
        """One of a plain answer. Was anything changed?"""
        self._seed = seed
        changed = False
        if choice.message is None:
            choice.message, choice.delta, changed = choice.delta or Delta(), None, True
        message = choice.message
        if not message.role:
            message.role, changed = "assistant", True
        if message.tool_calls is not None:
            said = self._streamed[choice.index] = _Said()
            places = [call.index for call in message.tool_calls]
            for place, call in enumerate(message.tool_calls):
                call.index = place  # two are two here, whatever they say
            changed = self._calls(choice.index, said, message.tool_calls) or changed
            for call, index in zip(message.tool_calls, places, strict=True):
                call.index = index
        if not choice.finish_reason:
            choice.finish_reason, changed = self.reason(choice.index), True
        return changed

    def reason(self, index: int) -> str:
        """What a choice ended for that does not say it."""
        said = self._streamed.get(index)
        return "tool_calls" if said is not None and said.calls else "stop"

    def nameless(self) -> bool:
        """Is there a call that nobody can make?"""
        return any(not call.named for said in self._streamed.values() for call in said.calls)

    def _calls(self, index: int, said: _Said, calls: list[ToolCallDelta]) -> bool:
        changed = False
        for place, delta in enumerate(calls):
            at = delta.index if delta.index is not None else place
            call, inner = said.at.get(at), delta.function or delta.custom
            if inner is None:
                inner = delta.function = FunctionDelta(arguments="")
                changed = True
            text = inner.arguments or inner.input
            if call is None or ((inner.name or text) and is_another(call, delta, inner)):
                call = said.at[at] = _Call(len(said.calls), delta.id)
                said.calls.append(call)
                changed = self._begin(index, said, delta, inner) or changed
            else:
                call.call_id = call.call_id or delta.id
                if delta.id:
                    delta.id, changed = None, True
                if inner.name and call.named:
                    inner.name, changed = None, True
            if delta.index != call.place:
                delta.index, changed = call.place, True
            call.named = call.named or bool(inner.name)
            if text:
                call.said.append(text)
        return changed

    def _begin(self, index: int, said: _Said, delta: ToolCallDelta, inner: FunctionDelta) -> bool:
        changed = False
        if not delta.id or delta.id in said.ids:
            delta.id, changed = made_up(self._seed, index, len(said.calls), inner.name, inner.arguments), True
        said.ids.add(delta.id)
        if not delta.type:
            delta.type, changed = "custom" if delta.custom is not None else "function", True
        if delta.custom is None and inner.arguments is None:
            inner.arguments, changed = "", True
        return changed


def written(choice: Choice) -> dict[str, Any]:
    """As it goes out, where it was changed."""
    found: dict[str, Any] = _without_none(msgspec.to_builtins(choice))
    if choice.message is not None:
        found["message"].setdefault("content", None)
    return found | {"finish_reason": choice.finish_reason}


# What holds fields of the wire, not of an upstream's making.
_SHAPES = frozenset({"delta", "message", "tool_calls", "function", "custom", "function_call"})


def _without_none(said: Any) -> Any:
    if isinstance(said, list):
        return [_without_none(one) for one in said]
    return {
        name: _without_none(value) if name in _SHAPES else value for name, value in said.items() if value is not None
    }
