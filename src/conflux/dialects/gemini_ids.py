"""Ids of function calls: made where Gemini gives none, and carrying its thought signature where it gives one.

Law: every client hands an id back as it was, so what must come back with a call travels inside of its id: letters,
digits, _ and - only. An id that carries nothing is left alone.
"""

import base64
import binascii
import hashlib

_MARK, _ODD = "_cfxts_", "_cfxtx_"
_ALPHABET = str.maketrans("+/", "-_")
_BACK = str.maketrans("-_", "+/")


def made(*said: object) -> str:
    """An id for a call that has none. Another answer's calls must not get the same."""
    return "call_" + hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=9).hexdigest()


def sign(call_id: str, signature: str | None) -> str:
    """The id of a call, with its signature in it."""
    if not signature:
        return call_id
    try:
        base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return f"{call_id}{_ODD}{signature.encode().hex()}"
    return f"{call_id}{_MARK}{signature.rstrip('=').translate(_ALPHABET)}"


def split(call_id: str) -> tuple[str, str | None]:
    """The id as it was before it was signed, and the signature."""
    plain, found, carried = call_id.partition(_MARK)
    if found and plain and carried:
        return plain, carried.translate(_BACK) + "=" * (-len(carried) % 4)
    plain, found, carried = call_id.partition(_ODD)
    if found and plain and carried:
        try:
            return plain, bytes.fromhex(carried).decode()
        except ValueError:
            return call_id, None
    return call_id, None
