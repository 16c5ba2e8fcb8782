import sqlite3

import pytest

from conflux.stores.booking import Account
from conflux.stores.migrate import migrate


@pytest.fixture
def connection():
    found = sqlite3.connect(":memory:", isolation_level=None)
    migrate(found, "0008")
    yield found
    found.close()


def test_the_accounts_have_the_numbers_the_books_use(connection):
    migrate(connection)
    rows = connection.execute("SELECT id, name FROM account ORDER BY id").fetchall()
    assert rows == [(one.value, one.name.lower()) for one in Account]


def test_agents_of_before_go_on_under_the_shipped_plan(connection):
    connection.execute("INSERT INTO workspace VALUES (5, 'acme', 0)")
    connection.execute("INSERT INTO app_user VALUES (7, 5, 'ann', 0)")
    for number, agent in ((1, 1), (2, 1), (3, 0)):
        connection.execute(
            "INSERT INTO api_key (id, digest, prefix, last4, name, storefront, workspace_id, user_id, admin, test,"
            " agent, created) VALUES (?, ?, '', '', '', 's', 5, 7, 0, 0, ?, 0)",
            (number, bytes([number]), agent),
        )
    migrate(connection)
    assert connection.execute("SELECT kind, owner_id, plan FROM subscription").fetchall() == [("user", 7, "agents")]
