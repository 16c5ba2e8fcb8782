"""The ledger against a tiny model, in random histories on each database: histories.py says how."""

import os

from tests.stores.histories import OnPostgres, OnSqlite, try_histories

HISTORIES = int(os.environ.get("TEST_HISTORIES", "60"))


def test_histories(empty: bytes) -> None:
    try_histories(OnSqlite(empty), HISTORIES)


def test_histories_on_postgres(postgres_url: str) -> None:
    try_histories(OnPostgres(postgres_url), max(HISTORIES // 8, 1))
