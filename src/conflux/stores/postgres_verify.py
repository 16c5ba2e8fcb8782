"""Every invariant of a PostgreSQL database's books; see verify.py. That rows refer to rows it sees to itself.

Law: inside a snapshot, which whoever asks has opened.
"""

from conflux.neutral.errors import StoreError
from conflux.stores import verify as books
from conflux.stores.migrate import HEAD
from conflux.stores.sql import Run
from conflux.stores.verify import Details, Report

_DETAILS = Details(
    amount="(SELECT coalesce(sum((line ->> 3)::bigint), 0) FROM json_array_elements(detail::json -> 0) AS line)",
    calls="json_array_length(detail::json -> 1)",
)


def examine(run: Run) -> Report:
    if run.execute("SELECT to_regclass('alembic_version')").fetchone()[0] is None:
        raise StoreError("the database named by database_url holds no ledger: start `conflux serve` once")
    found = run.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    if found != HEAD:
        raise StoreError(f"the database has schema {found}, this version of Conflux has {HEAD}: start it once")
    return books.examine(run, _DETAILS)
