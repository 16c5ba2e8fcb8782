"""Where a key is read: one place for the public and the admin API.

Law: the last header of a name counts. An unusable Authorization is an empty secret: sent, and bad.
"""

_SECRET_HEADERS = (b"x-api-key", b"api-key", b"x-goog-api-key")


def header_secret(found: dict[bytes, bytes]) -> str | None:
    secret: str | None = None
    authorization = found.get(b"authorization")
    if authorization is not None:
        scheme, _, rest = authorization.partition(b" ")
        secret = rest.strip().decode("latin-1") if scheme.lower() == b"bearer" else ""
    if not secret:
        for name in _SECRET_HEADERS:
            value = found.get(name)
            if value is not None and value.strip():
                return value.strip().decode("latin-1")
    return secret
