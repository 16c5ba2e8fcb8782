"""Reads one answer after another from a connection's bytes; llhttp parses, this holds the limits. No sockets here.

Law: what llhttp would take and a gateway must not is refused: two lengths, a coding that is not chunked, endless
heads, interim answers and framing, a switch of protocols. Trailers are dropped. Nothing is decoded or folded.
"""

from collections.abc import Callable
from itertools import repeat

import httptools

from conflux.neutral.ports import Headers
from conflux.upstream.limits import Limits

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Refused(Exception):
    """An answer that cannot be trusted to mean one thing, or has no end."""


class AnswerReader:
    """`head_done` once status and headers count; `done` once the last byte of the body is in `chunks`."""

    __slots__ = (
        "_framed",
        "_head_only",
        "_interim",
        "_limits",
        "_most",
        "_parser",
        "_quiet",
        "chunks",
        "done",
        "head_done",
        "headers",
        "keep_alive",
        "on_body",
        "status",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._most = limits.head_bytes
        self.chunks: list[bytes] = []
        # llhttp calls it with each piece of a body: straight into the list, with no step of ours in between.
        self.on_body: Callable[[bytes], None] = self.chunks.append
        self._parser = httptools.HttpResponseParser(self)
        self.begin()

    def begin(self, *, head_only: bool = False) -> None:
        """Another request goes out. `head_only`: to HEAD, whose answer has a length but no body."""
        self._head_only = head_only
        self._framed = False
        self._interim = 0
        self._quiet = 0  # bytes since the last one of content
        self.status = 0
        self.headers: Headers = []
        self.head_done = False
        self.done = False
        self.keep_alive = True
        self.chunks.clear()

    @property
    def size(self) -> int:
        """Of what is in `chunks`."""
        return sum(map(len, self.chunks))

    def feed(self, data: bytes | memoryview) -> None:
        """Raises Refused, also for what follows the end: an answer that is longer than it says has a wrong length.
        What came before the refused bytes stays readable."""
        chunks = self.chunks
        had = len(chunks)
        self._quiet = quiet = self._quiet + len(data)
        try:
            if quiet <= self._most:
                self._parser.feed_data(data)
            else:
                self._parse_much(data, quiet - len(data), had)
        except httptools.HttpParserCallbackError as error:
            self.done = False
            raise error.__context__ or error from None  # what a callback below raised
        except httptools.HttpParserError as error:
            self.done = False
            raise Refused(f"not HTTP/1.1: {error}") from None
        except httptools.HttpParserUpgrade:
            self.done = False
            raise Refused("the upstream switched protocols") from None
        if len(chunks) > had:
            self._quiet = 0
            if self._head_only:
                self.done = False
                chunks.clear()
                raise Refused("a body where none belongs")

    def _parse_much(self, data: bytes | memoryview, before: int, had: int) -> None:
        """More has come without content than a head may have."""
        most = self._most
        if not self.head_done:
            self._parser.feed_data(data[: most - before])
            if not self.head_done:
                raise Refused(f"a head of more than {most} bytes")
            self._parser.feed_data(data[most - before :])
        else:
            self._parser.feed_data(data)
        if self._quiet > most and not self.done and len(self.chunks) == had:
            raise Refused(f"more than {most} bytes of framing without content")

    def end(self) -> bool:
        """The upstream will send no more. True where that is how the answer ends: it gave no length."""
        if self.head_done and not self.done and not self._framed:
            self.done = True
        self.keep_alive = False
        return self.done

    def take(self) -> bytes:
        """All of the body that has come and was not taken."""
        chunks = self.chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        return data

    # --- llhttp calls these

    def on_message_begin(self) -> None:
        if self.done:
            raise Refused("a second answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_done:  # else it is a trailer
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        headers = self.headers
        if len(headers) > self._limits.headers:
            raise Refused(f"more than {self._limits.headers} headers")
        if headers:
            # All of them in a few steps: each answer has five to thirty.
            names, values = zip(*headers, strict=True)
            trimmed = map(bytes.rstrip, values, repeat(b" \t", len(values)))
            self.headers = headers = list(zip(map(bytes.lower, names), trimmed, strict=True))
        named = dict(headers)
        coding = named.get(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            raise Refused("a transfer coding that is not chunked")
        self._framed = coding is not None or b"content-length" in named
        if (coding is not None and b"content-length" in named) or (
            len(named) != len(headers) and sum(name in _FRAMING for name, _ in headers) > 1
        ):
            raise Refused("two lengths in one answer")
        if status < 200:
            if status < 100:
                raise Refused(f"the status {status}")
            if status == 101:
                raise Refused("the upstream switched protocols")
            self._interim += 1
            if self._interim > self._limits.interim:
                raise Refused(f"more than {self._limits.interim} interim answers")
            self.headers = []
            self._framed = False
            return
        self.status = status
        self.head_done = True
        self._quiet = 0
        self.keep_alive = self._parser.should_keep_alive()
        if self._head_only:
            # llhttp cannot be told that no body follows, so such a connection serves once.
            self.done = True
            self.keep_alive = False

    def on_message_complete(self) -> None:
        if self.head_done:
            self.done = True
