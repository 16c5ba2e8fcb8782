"""The simulator's own log: what it received and what it delivered.

Law: written by the side that is not under test, so that it can be held against the gateway's ledger. A record is there
from the moment a request is understood, and is brought up to date as bytes go out. The file gets one line when a
request begins and one when it ends, with the same number; each is handed to the system at once, so that a crash of
the gateway, or of this process, loses none. It holds headers as they came, credentials too: it is made 0600.
"""

import os
from pathlib import Path
from typing import IO

import msgspec


class Record(msgspec.Struct):
    request_id: str
    path: str
    model: str
    stream: bool
    body_hash: str
    headers: dict[str, str]
    prompt_tokens: int = 0
    tokens: int = 0  # delivered so far
    bytes: int = 0
    ended: str = "open"  # open | done | client left | the fault's name | status NNN
    number: int = 0  # from 1, in the order they came


class SimLog:
    def __init__(self, file: Path | None = None, most: int = 10_000) -> None:
        self.records: list[Record] = []
        self.received = 0
        self.open = 0
        self._most = most
        self._file: IO[bytes] | None = None
        if file is not None:
            self._file = open(  # noqa: SIM115  # open as long as the log is
                file, "ab", buffering=0, opener=_private
            )

    def began(self, record: Record) -> None:
        self.received += 1
        self.open += 1
        record.number = self.received
        self.records.append(record)
        if len(self.records) > self._most:
            del self.records[: max(self._most // 10, 1)]
        self._write(record)

    def ended(self, record: Record, how: str) -> None:
        if record.ended == "open":
            self.open -= 1
            record.ended = how
            self._write(record)

    def _write(self, record: Record) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode(record) + b"\n")

    def lines(self) -> bytes:
        return b"".join(msgspec.json.encode(record) + b"\n" for record in self.records)

    def clear(self) -> None:
        self.records.clear()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
