"""What the upstream client holds to, and what it tells of itself."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    per_origin: int = 512  # open connections
    idle_per_origin: int = 128
    idle_seconds: float = 50.0
    unread_bytes: int = 32 * 1024  # more than these wait to be read: the upstream is held back
    body_bytes: int = 32 * 1024 * 1024  # of an answer that is read whole
    head_bytes: int = 64 * 1024  # of an answer, interim answers included; also framing in a row without content
    headers: int = 200
    interim: int = 10  # answers of 1xx before the real one


class Stats(msgspec.Struct, frozen=True):
    open: int
    idle: int
    waiting: int  # callers, for a connection to come free
    in_use: int = 0
