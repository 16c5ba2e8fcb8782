"""Tool names that a wire cannot carry, and back.

Law: a name that fits stays; one that does not becomes a short one of the same letters with a hash of the whole, every
time the same, so that histories stay consistent and caches warm. Nothing but the name changes.
"""

import hashlib
import re
from collections.abc import Mapping

from msgspec.structs import replace

from conflux.neutral.request import Message, Part, Request, ToolCall

MOST = 64
_ODD = re.compile(r"[^A-Za-z0-9_-]")


def short(name: str, most: int = MOST) -> str:
    """The name as every wire takes it: letters, digits, _ and -, at most 64 of them."""
    plain = _ODD.sub("_", name)
    if plain == name and 0 < len(name) <= most:
        return name
    mark = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return f"{plain[: most - 9]}_{mark}"


def fit(request: Request) -> tuple[Request, Mapping[str, str]]:
    """The request with names that fit, and what each changed one was called."""
    names = {tool.name: tool.name for tool in request.tools}
    for message in request.messages:
        names.update((part.name, part.name) for part in message.parts if isinstance(part, ToolCall))
    changed = {name: short(name) for name in names if short(name) != name}
    if not changed:
        return request, {}

    def part_of(part: Part) -> Part:
        if isinstance(part, ToolCall) and part.name in changed:
            return replace(part, name=changed[part.name])
        return part

    def message_of(message: Message) -> Message:
        return replace(message, parts=tuple(part_of(part) for part in message.parts))

    choice = request.tool_choice
    if choice is not None and choice.name in changed:
        choice = replace(choice, name=changed[choice.name])
    fitted = replace(
        request,
        tools=tuple(replace(tool, name=changed.get(tool.name, tool.name)) for tool in request.tools),
        messages=tuple(message_of(message) for message in request.messages),
        tool_choice=choice,
    )
    return fitted, {new: old for old, new in changed.items()}
