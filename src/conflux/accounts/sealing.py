"""Credentials at rest: AES-256-GCM, bound to their row.

Law: what was sealed for one row opens for no other, and a changed byte opens for none. The sealed form names its key,
so keys can be changed while old ones still open.
"""

import secrets
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from conflux.accounts.keyfile import SealingKey

_FORM = 1
_HEAD = struct.Struct(">BI")  # form, number of the key
_NONCE = 12
_TAG = 16


class SealError(Exception):
    """What was sealed cannot be opened. Says why, never what."""


class Sealer:
    def __init__(self, keys: tuple[SealingKey, ...]) -> None:
        self._keys = {key.number: AESGCM(key.secret) for key in keys}
        self._newest = keys[-1].number

    def seal(self, row: str, secret: bytes) -> bytes:
        """`row` names the place this is for, for example "credential:17"."""
        head = _HEAD.pack(_FORM, self._newest)
        nonce = secrets.token_bytes(_NONCE)
        return head + nonce + self._keys[self._newest].encrypt(nonce, secret, head + row.encode())

    def open(self, row: str, sealed: bytes) -> bytes:
        head, nonce, rest = _split(sealed)
        key = self._keys.get(_HEAD.unpack(head)[1])
        if key is None:
            raise SealError(f"{row} was sealed with an encryption key that is not in the key file: restore that file")
        try:
            return key.decrypt(nonce, rest, head + row.encode())
        except InvalidTag:
            raise SealError(f"{row} was changed, or sealed for another place: enter the credential again") from None

    def stale(self, sealed: bytes) -> bool:
        """Sealed with an older key, so better sealed again."""
        return bool(_HEAD.unpack(_split(sealed)[0])[1] != self._newest)


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    start = _HEAD.size + _NONCE
    if len(sealed) < start + _TAG or sealed[0] != _FORM:
        raise SealError("this is nothing that was sealed here")
    return sealed[: _HEAD.size], sealed[_HEAD.size : start], sealed[start:]
