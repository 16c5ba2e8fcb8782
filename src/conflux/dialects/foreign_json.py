"""JSON that somebody else wrote: an upstream's answers and errors.

Law: what cannot be read is a Fault, never an exception that nobody expects; null is told from what was left out.
"""

from typing import Any

import msgspec
from msgspec import Raw

from conflux.neutral.events import Fault

# What reading it may raise: its JSON, its types, its text, its depth.
BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
NULL = Raw(b"null")


def error_object(status: int, body: bytes) -> dict[str, Any] | Fault:
    """The object of an error body, the first of a list of them; or the fault that it is none."""
    try:
        found: Any = msgspec.json.decode(body)
    except BROKEN:
        return Fault(message="the upstream answered something that is not JSON", status=status)
    if isinstance(found, list) and found:
        found = found[0]
    return found if isinstance(found, dict) else Fault(message="", status=status)
