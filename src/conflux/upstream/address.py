"""Where an upstream is: an origin, split once.

Law: https, http or a Unix socket, nothing else. An origin carries no path, no query and no password.
"""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit


class Address(NamedTuple):
    """`host` and `port` to connect to; `authority` as the Host header says it; `unix` for a socket's path."""

    tls: bool
    host: str
    port: int
    authority: bytes
    unix: str | None = None


class Proxy(NamedTuple):
    host: str
    port: int
    tls: bool
    credentials: bytes | None  # user:password


_PORTS = {"http": 80, "https": 443}


def split_origin(origin: str) -> Address:
    if origin.startswith("unix:"):
        path = origin.removeprefix("unix:")
        if not path.startswith("/"):
            raise ValueError(f"{origin!r}: write a Unix socket as unix:/absolute/path")
        return Address(False, "", 0, b"localhost", path)
    parts = urlsplit(origin)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{origin!r} is no origin: write https://host, http://host:port or unix:/path")
    if parts.path not in ("", "/") or parts.query or parts.username is not None:
        raise ValueError(f"{origin!r} is no origin: it has more than scheme, host and port")
    port = parts.port or _PORTS[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
    return Address(
        parts.scheme == "https", parts.hostname, port, authority.encode("idna" if not host.isascii() else "ascii")
    )


def split_proxy(proxy: str) -> Proxy:
    parts = urlsplit(proxy)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{proxy!r} is no proxy: write http://host:port or https://host:port")
    credentials = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme == "https", credentials)
