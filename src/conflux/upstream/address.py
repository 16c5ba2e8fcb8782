"""Where an upstream is: an origin, split once.

Law: https, http or a Unix socket, nothing else. An origin carries no path, no query and no password.
"""

from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit


class Address(NamedTuple):
    """`host` and `port` to connect to; `authority` as the Host header says it; `unix` for a socket's path."""

    tls: bool
    host: str
    port: int
    authority: bytes
    unix: str | None = None

    @property
    def target(self) -> bytes:
        """As CONNECT names it: with its port, always."""
        return _bracketed(self.host).encode() + b":%d" % self.port


class Proxy(NamedTuple):
    host: str
    port: int
    tls: bool
    credentials: bytes | None  # user:password


_PORTS = {"http": 80, "https": 443}


def split_origin(origin: str) -> Address:
    if origin.startswith("unix:"):
        path = origin.removeprefix("unix:")
        if not path.startswith("/") or "\0" in path:
            raise ValueError(f"{origin!r}: write a Unix socket as unix:/absolute/path")
        return Address(False, "", 0, b"localhost", path)
    parts = _split(origin, "origin: write https://host, http://host:port or unix:/path")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{_redacted(parts)!r} is no origin: it has more than scheme, host and port")
    host, port = _host(parts), _port(parts)
    name = _bracketed(host)
    authority = name if port == _PORTS[parts.scheme] else f"{name}:{port}"
    return Address(parts.scheme == "https", host, port, authority.encode())


def split_proxy(proxy: str) -> Proxy:
    parts = _split(proxy, "proxy: write http://host:port or https://host:port")
    credentials = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(_host(parts), _port(parts), parts.scheme == "https", credentials)


def _split(text: str, wanted: str) -> SplitResult:
    if not text.isprintable() or " " in text:  # urlsplit would silently drop line breaks
        raise ValueError(f"{text!r} is no {wanted}")
    parts = urlsplit(text)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{_redacted(parts)!r} is no {wanted}")
    return parts


def _host(parts: SplitResult) -> str:
    """In ASCII, as name servers and certificates have it."""
    host = parts.hostname or ""
    try:
        return host if ":" in host else host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"{_redacted(parts)!r}: {host!r} is no host name") from None


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"{_redacted(parts)!r}: a port is a number from 1 to 65535")
    return port or _PORTS[parts.scheme]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _redacted(parts: SplitResult) -> str:
    """Without user and password, which no text may show."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
