"""Names and ids of tools that a wire has no room for, told apart all the same and told back.

Law: a name is changed only where it must be, the same name always in the same way, and two names never into one.
"""

import hashlib
import re

from conflux.neutral.request import Request, ToolCall

MOST = 64
_FIT = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ODD = re.compile(r"[^A-Za-z0-9_-]")


def short_names(request: Request, fits: re.Pattern[str] = _FIT) -> dict[str, str]:
    """The names that do not fit: what each is called instead."""
    named = [tool.name for tool in request.tools if tool.kind in ("function", "custom")]
    named += [part.name for message in request.messages for part in message.parts if isinstance(part, ToolCall)]
    return {name: short(name) for name in dict.fromkeys(named) if not fits.match(name)}


def short(name: str) -> str:
    """As much of it as there is room for, and a hash of the whole."""
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=5).hexdigest()
    kept = _ODD.sub("_", name)[: MOST - len(digest) - 2]
    return f"{kept if kept[:1].isalpha() else 't' + kept}_{digest}"
