"""Ids of tool calls that a wire cannot carry, and back.

Law: an id that fits stays. For a client one that does not is wrapped whole, so that it comes back as it was; for an
upstream, which never says it again, an id becomes the same hash wherever it stands in the conversation, and what only
Gemini reads of one goes to Gemini only.
"""

import base64
import binascii
import hashlib
import re

from conflux.dialects import gemini_ids

_FITS = re.compile(r"[A-Za-z0-9_-]+")
_MARK = "call_cfx_"


def wrap(call_id: str) -> str:
    """What a client is given that takes letters, digits, _ and - only."""
    if _FITS.fullmatch(call_id):
        return call_id
    return _MARK + base64.urlsafe_b64encode(call_id.encode("utf-8", "replace")).decode().rstrip("=")


def unwrap(call_id: str) -> str:
    """What the upstream had called it."""
    if not call_id.startswith(_MARK):
        return call_id
    text = call_id[len(_MARK) :]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return call_id


def short(call_id: str, most: int) -> str:
    """The same id, or its hash where it is too long."""
    call_id, _ = gemini_ids.split(call_id)
    if len(call_id) <= most:
        return call_id
    return "call_" + hashlib.blake2b(call_id.encode("utf-8", "replace"), digest_size=16).hexdigest()


def made_up(*said: object, prefix: str = "call_") -> str:
    """An id where the upstream gave none: another answer's calls must not get the same."""
    return prefix + hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=12).hexdigest()


def plain(call_id: str, most: int) -> str:
    """The same, for an upstream that takes letters, digits, _ and - only."""
    found = short(call_id, most)
    return found if _FITS.fullmatch(found) else short(found + " " * most, most)
