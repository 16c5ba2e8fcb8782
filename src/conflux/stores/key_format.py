"""What a key looks like.

Law: prefix, 43 letters of chance (256 bits), 6 letters of checksum. A mistyped key is known by its checksum alone and
costs no look-up; only the keyed hash of a key is ever stored.
"""

import hmac
import secrets
import zlib

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43  # 62 ** 43 > 2 ** 256
_CHECK = 6  # 62 ** 6 > 2 ** 32
_LONGEST = 200

KEY_ID = "key_"


def _base62(value: int, width: int) -> str:
    found = []
    for _ in range(width):
        value, rest = divmod(value, 62)
        found.append(_LETTERS[rest])
    return "".join(reversed(found))


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECK)


def new_secret(prefix: str) -> str:
    if not prefix or not prefix.isascii() or not prefix.isprintable() or " " in prefix:
        raise ValueError(f"{prefix!r} cannot begin a key")
    text = prefix + _base62(secrets.randbits(256), _BODY)
    return text + _checksum(text)


def well_formed(secret: str) -> bool:
    if not _BODY + _CHECK < len(secret) <= _LONGEST or not secret.isascii():
        return False
    return secret[-_CHECK:] == _checksum(secret[:-_CHECK])


def digest(pepper: bytes, secret: str) -> bytes:
    """What is stored instead of the key."""
    return hmac.digest(pepper, secret.encode(), "sha256")


def key_number(key_id: str) -> int:
    """The row of a key's id; -1, which no row has, for what is no id."""
    digits = key_id.removeprefix(KEY_ID)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else -1
