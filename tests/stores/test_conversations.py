"""Twin of stores/conversations.py."""

import pytest

from conflux.accounts.keyfile import SealingKey
from conflux.accounts.sealing import Sealer
from conflux.neutral.errors import ConfigError, NoSuch
from conflux.stores import conversations as module
from conflux.stores.conversations import Box, Conversations, number_of
from conflux.stores.people import People

SEALER = Sealer((SealingKey(1, b"k" * 32),))


@pytest.fixture
def shelf(ledger, clock):
    return Conversations(ledger, Box(SEALER.seal, SEALER.open), clock)


async def test_a_tree_of_messages(shelf, clock):
    made = await shelf.create(7, "First")
    first = await shelf.add(7, made.id, None, {"role": "user", "content": "Hello"})
    for text in ("One", "Another"):
        await shelf.add(7, made.id, first.n, {"role": "assistant", "content": text})
    row, messages = await shelf.show(7, made.id)
    assert [(one.n, one.parent, one.body["content"]) for one in messages] == [
        (0, None, "Hello"), (1, 0, "One"), (2, 0, "Another")]  # fmt: skip
    assert (row.name, row.messages) == ("First", 3)
    for parent in (3, 99):
        with pytest.raises(NoSuch):
            await shelf.add(7, made.id, parent, {})


async def test_what_lies_in_the_database_says_nothing(shelf, ledger):
    made = await shelf.create(7, "canary name")
    await shelf.add(7, made.id, None, {"content": "canary text"})

    def dump(run):
        return [*run.execute("SELECT name FROM conversation"), *run.execute("SELECT body FROM message")]

    assert b"canary" not in b"".join(bytes(row[0]) for row in await ledger.read(dump))


async def test_another_users_is_not_there(shelf):
    made = await shelf.create(7, "mine")
    for act in (shelf.show(8, made.id), shelf.rename(8, made.id, "x"), shelf.delete(8, made.id),
                shelf.add(8, made.id, None, {}), shelf.show(7, "conv_x"), shelf.show(7, "conv_99")):  # fmt: skip
        with pytest.raises(NoSuch):
            await act
    assert await shelf.rows(8) == [] == await shelf.texts(8) and await shelf.delete_all(8) == 0
    assert number_of("conv_1") == 1 and number_of("conv_" + "9" * 40) == -1


async def test_the_newest_first_and_what_is_deleted_is_gone(shelf, ledger, clock):
    names = []
    for n in range(3):
        names.append((await shelf.create(7, f"c{n}")).id)
        clock.moment += 1
    await shelf.add(7, names[0], None, {"content": "x"})
    assert [row.name for row in await shelf.rows(7)] == ["c0", "c2", "c1"]
    assert (await shelf.rename(7, names[1], "new")).name == "new"
    await shelf.delete(7, names[0])
    assert await ledger.read(lambda run: run.execute("SELECT count(*) FROM message").fetchone()[0]) == 0
    assert await shelf.delete_all(7) == 2 and await shelf.rows(7) == []


async def test_there_is_an_end(shelf, monkeypatch):
    monkeypatch.setattr(module, "MOST", 1)
    monkeypatch.setattr(module, "MOST_MESSAGES", 1)
    made = await shelf.create(7, "c")
    await shelf.add(7, made.id, None, {})
    for act in (shelf.create(7, "d"), shelf.add(7, made.id, None, {})):
        with pytest.raises(ConfigError):
            await act


async def test_a_user_who_is_removed_leaves_nothing_to_the_next(shelf, ledger, clock):
    people = People(ledger, lambda: None, clock)
    number = int((await people.create_user("default", "ann", "member")).id.removeprefix("user_"))
    made = await shelf.create(number, "c")
    await shelf.add(number, made.id, None, {})
    await people.delete_user("default", "ann")
    assert await shelf.rows(number) == []
    assert await ledger.read(lambda run: run.execute("SELECT count(*) FROM message").fetchone()[0]) == 0
