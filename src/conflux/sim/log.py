"""The simulator's own log: what it received and what it delivered.

Law: written by the side that is not under test, so that it can be held against the gateway's ledger. A record is there
from the moment a request is understood, and is brought up to date as bytes go out.
"""

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


class SimLog:
    def __init__(self, file: Path | None = None, most: int = 100_000) -> None:
        self.records: list[Record] = []
        self._most = most
        self._file: IO[bytes] | None = file.open("ab", buffering=0) if file is not None else None

    def began(self, record: Record) -> None:
        self.records.append(record)
        if len(self.records) > self._most:
            del self.records[: self._most // 10]
        self._write(record)

    def ended(self, record: Record, how: str) -> None:
        if record.ended == "open":
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
