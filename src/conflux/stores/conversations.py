"""What users keep of their chats in the web, as rows.

Law: a conversation is its user's and nobody else's; there is no way to one but by its user. Names and messages are
sealed for their own row: who reads the database alone reads none. Messages form a tree, so an edit or another try is a
branch; they are added, not changed.
"""

from collections.abc import Callable
from time import time
from typing import Any

import msgspec

from conflux.neutral.accounts import ConversationRow, MessageRow
from conflux.neutral.errors import ConfigError, NoSuch
from conflux.stores.sql import Database, Run

CONVERSATION_ID = "conv_"
MOST = 2_000  # of a user
MOST_MESSAGES = 5_000  # of a conversation

_COLUMNS = "id, name, created, changed, messages"
_NEWEST = f"SELECT {_COLUMNS} FROM conversation WHERE user_id = ? ORDER BY changed DESC, id DESC"


class Box:
    """Seals and opens; accounts/sealing.py's Sealer is one."""

    def __init__(self, seal: Callable[[str, bytes], bytes], open: Callable[[str, bytes], bytes]) -> None:
        self.seal = seal
        self.open = open


class Conversations:
    def __init__(self, ledger: Database, box: Box, now: Callable[[], float] = time) -> None:
        self._ledger = ledger
        self._box = box
        self._now = now

    async def create(self, user: int, name: str) -> ConversationRow:
        now = int(self._now() * 1000)

        def job(run: Run) -> Any:
            there = run.execute("SELECT count(*) FROM conversation WHERE user_id = ?", (user,)).fetchone()[0]
            if there >= MOST:
                raise ConfigError([f"there are {there} conversations already: delete some"])
            put = (
                "INSERT INTO conversation (user_id, name, created, changed, messages) VALUES (?, ?, ?, ?, 0)"
                " RETURNING id"
            )
            number = run.execute(put, (user, b"", now, now)).fetchone()[0]
            self._rename(run, number, name)
            return self._one(run, user, number)

        return self._row(await self._ledger.write(job))

    async def rows(self, user: int) -> list[ConversationRow]:
        """The one that changed last comes first."""
        rows = await self._ledger.read(lambda run: run.execute(_NEWEST, (user,)).fetchall())
        return [self._row(row) for row in rows]

    async def show(self, user: int, name: str) -> tuple[ConversationRow, list[MessageRow]]:
        def read(run: Run) -> Any:
            row = self._one(run, user, number_of(name))
            return row, _messages(run, row[0])

        row, messages = await self._ledger.read(read)
        return self._row(row), [self._message(row[0], one) for one in messages]

    async def rename(self, user: int, name: str, new: str) -> ConversationRow:
        def job(run: Run) -> Any:
            row = self._one(run, user, number_of(name))
            self._rename(run, row[0], new)
            return self._one(run, user, row[0])

        return self._row(await self._ledger.write(job))

    async def delete(self, user: int, name: str) -> None:
        def job(run: Run) -> None:
            number = self._one(run, user, number_of(name))[0]
            _delete(run, number)

        await self._ledger.write(job)

    async def delete_all(self, user: int) -> int:
        def job(run: Run) -> int:
            rows = run.execute("SELECT id FROM conversation WHERE user_id = ?", (user,)).fetchall()
            for row in rows:
                _delete(run, row[0])
            return len(rows)

        return await self._ledger.write(job)

    async def add(self, user: int, name: str, parent: int | None, body: dict[str, Any]) -> MessageRow:
        now = int(self._now() * 1000)

        def job(run: Run) -> MessageRow:
            number, *_, there = self._one(run, user, number_of(name))
            if there >= MOST_MESSAGES:
                raise ConfigError([f"this conversation has {there} messages: begin another"])
            if parent is not None and not 0 <= parent < there:
                raise NoSuch([f"this conversation has no message {parent}"])
            sealed = self._box.seal(_place(number, there), msgspec.json.encode(body))
            put = "INSERT INTO message (conversation_id, n, parent, created, body) VALUES (?, ?, ?, ?, ?)"
            run.execute(put, (number, there, parent, now, sealed))
            change = "UPDATE conversation SET messages = messages + 1, changed = ? WHERE id = ?"
            run.execute(change, (now, number))
            return MessageRow(n=there, parent=parent, created=now, body=body)

        return await self._ledger.write(job)

    async def texts(self, user: int) -> list[tuple[ConversationRow, list[MessageRow]]]:
        """All of a user's, for whoever looks for a word: what is sealed cannot be looked through by the database."""

        def read(run: Run) -> Any:
            return [(row, _messages(run, row[0])) for row in run.execute(_NEWEST, (user,)).fetchall()]

        found = await self._ledger.read(read)
        return [(self._row(row), [self._message(row[0], one) for one in messages]) for row, messages in found]

    def _one(self, run: Run, user: int, number: int) -> Any:
        query = f"SELECT {_COLUMNS} FROM conversation WHERE id = ? AND user_id = ?"
        row = run.execute(query, (number, user)).fetchone()
        if row is None:
            raise NoSuch(["there is no such conversation"])
        return row

    def _rename(self, run: Run, number: int, name: str) -> None:
        sealed = self._box.seal(f"conversation:{number}", name.encode())
        run.execute("UPDATE conversation SET name = ? WHERE id = ?", (sealed, number))

    def _row(self, row: Any) -> ConversationRow:
        number, sealed, created, changed, messages = row
        name = self._box.open(f"conversation:{number}", bytes(sealed)).decode()
        return ConversationRow(id=f"{CONVERSATION_ID}{number}", name=name, created=created, changed=changed,
                               messages=messages)  # fmt: skip

    def _message(self, number: int, row: Any) -> MessageRow:
        n, parent, created, sealed = row
        body = msgspec.json.decode(self._box.open(_place(number, n), bytes(sealed)), type=dict[str, Any])
        return MessageRow(n=n, parent=parent, created=created, body=body)


def number_of(name: str) -> int:
    """The row of a conversation's id; -1, which no row has, for what is no id."""
    digits = name.removeprefix(CONVERSATION_ID)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else -1


def _place(number: int, n: int) -> str:
    return f"message:{number}:{n}"


def _messages(run: Run, number: int) -> list[Any]:
    query = "SELECT n, parent, created, body FROM message WHERE conversation_id = ? ORDER BY n"
    return run.execute(query, (number,)).fetchall()


def _delete(run: Run, number: int) -> None:
    run.execute("DELETE FROM message WHERE conversation_id = ?", (number,))
    run.execute("DELETE FROM conversation WHERE id = ?", (number,))
