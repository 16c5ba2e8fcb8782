"""Twin of stores/migrations/versions/m0004_usage.py."""

import sqlite3

from conflux.stores.migrate import migrate
from conflux.stores.rows import REQUEST
from conflux.stores.usage_rows import drift


def test_what_was_used_before_is_counted(tmp_path):
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    migrate(connection, "0003")
    for number, cost, served in ((1, 40, "b"), (2, 2, "b"), (3, 5, None)):
        row = dict.fromkeys(REQUEST, 0) | {
            "id": number,
            "cost": cost,
            "served_model": served,
            "detail": "[[],[],[],{}]",
        }
        texts = dict.fromkeys(("storefront", "requested_model", "ending", "provenance", "price_version"), "a")
        row |= texts | {"detail": "[[],[],[],{}]", "created": 86_400_000 * 3 + number}
        connection.execute(f"INSERT INTO request VALUES ({','.join('?' * len(row))})", list(row.values()))
    migrate(connection)
    found = connection.execute("SELECT day, served_model, requests, cost FROM usage_day ORDER BY cost").fetchall()
    assert found == [(3, "", 1, 5), (3, "b", 2, 42)]
    assert drift(connection) == 0
    connection.close()
