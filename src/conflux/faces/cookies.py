"""The session of a browser: where it is read, and what proves that its own page asks.

Law: the secret is in an HttpOnly cookie. A page of ours knows a second word made from it, which it sends in a header;
another site's page knows neither the word nor may it set the header. The public API takes a cookie only with that
header, whatever the method; the admin API for whatever changes something.
"""

import hmac
from hashlib import blake2b

from conflux.neutral.accounts import SESSION_PREFIX

COOKIE = "conflux_session"
CSRF_HEADER = b"x-conflux-csrf"
_NAME = COOKIE.encode() + b"="
_PREFIX = SESSION_PREFIX.encode()


def csrf_of(secret: str) -> str:
    return blake2b(b"csrf", key=secret.encode()[:64], digest_size=24).hexdigest()


def cookie_of(found: dict[bytes, bytes]) -> str | None:
    """The session's secret, where the request brings one that looks like one."""
    for part in found.get(b"cookie", b"").split(b";"):
        part = part.strip()
        if part.startswith(_NAME):
            value = part[len(_NAME) :]
            if value.startswith(_PREFIX) and value.isascii():
                return value.decode()
    return None


def own_page(found: dict[bytes, bytes], secret: str) -> bool:
    return hmac.compare_digest(found.get(CSRF_HEADER, b""), csrf_of(secret).encode())


def page_secret(found: dict[bytes, bytes]) -> str | None:
    """What stands for a key on the public API: nothing without the header, an empty secret, which is bad, with a wrong
    one."""
    if CSRF_HEADER not in found:
        return None
    secret = cookie_of(found)
    if secret is None:
        return None
    return secret if own_page(found, secret) else ""


def set_cookie(secret: str, seconds: int, *, secure: bool) -> bytes:
    line = f"{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict"
    return (line + "; Secure" if secure else line).encode()
