"""The ledger's statements for PostgreSQL.

Law: what a batch needs is locked by one statement, in the order of its keys, so that two processes wait for each other
and never in a circle; what it made is written by one statement, whose parts touch different rows. Rows travel as one
array for each column.
"""

import re
from collections.abc import Sequence
from typing import Any

from conflux.stores.rows import ATTEMPT, ENTRY, HOLD, POSTING, REQUEST
from conflux.stores.usage_rows import ADD_DAY, ADD_MODEL, ADD_TAG, DAY_ROW, MODEL_ROW, TAG_ROW

# Batches hold it together, a job holds it alone: so a job sees no half of anything, and budgets change between batches.
_JOBS = 1129272392
BEGIN_BATCH = f"BEGIN; SELECT pg_advisory_xact_lock_shared({_JOBS})"
BEGIN_JOB = f"BEGIN; SELECT pg_advisory_xact_lock({_JOBS})"
CHANNEL = "conflux"

# The row is ours until the transaction ends: who finds it locked knows that we are at work.
FENCE = "UPDATE owner SET batch = ? WHERE epoch = ? RETURNING (SELECT changes FROM common)"

ADD_WINDOWS = """
    INSERT INTO budget_window (budget_id, start, posted, held)
    SELECT budget, start, 0, 0 FROM unnest(?::bigint[], ?::bigint[]) AS wanted (budget, start) ORDER BY 1, 2
    ON CONFLICT (budget_id, start) DO NOTHING
"""
# The windows as they stand, and which of the ids are taken.
LOCK = """
    WITH locked AS MATERIALIZED (
        SELECT budget_id, budget_window.start, posted, held
        FROM unnest(?::bigint[], ?::bigint[]) AS wanted (budget, start)
        JOIN budget_window ON budget_id = wanted.budget AND budget_window.start = wanted.start
        ORDER BY 1, 2 FOR NO KEY UPDATE OF budget_window
    )
    SELECT budget_id, start, posted, held FROM locked
    UNION ALL SELECT id, NULL, NULL, NULL FROM request WHERE id = ANY(?::bigint[])
    UNION ALL SELECT request_id, NULL, NULL, NULL FROM hold WHERE request_id = ANY(?::bigint[])
"""

TEXTS = frozenset(
    {"storefront", "requested_model", "usage", "ending", "served_model", "provenance", "price_version", "detail"}
    | {"target", "upstream_id", "model", "tags"}
)


def _insert(table: str, columns: Sequence[str]) -> str:
    arrays = ", ".join(f"?::{'text' if name in TEXTS else 'bigint'}[]" for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays})"


def _or_add(statement: str) -> str:
    return statement[statement.index(" ON CONFLICT") :]


WRITE = f"""
    WITH
    requests AS ({_insert("request", REQUEST)}),
    attempts AS ({_insert("attempt", ATTEMPT)}),
    postings AS ({_insert("posting", POSTING)}),
    entries AS ({_insert("entry", ENTRY)}),
    days AS ({_insert("usage_day", DAY_ROW)}{_or_add(ADD_DAY)}),
    models AS ({_insert("usage_model", MODEL_ROW)}{_or_add(ADD_MODEL)}),
    tags AS ({_insert("usage_tag", TAG_ROW)}{_or_add(ADD_TAG)}),
    holds AS ({_insert("hold", HOLD)}),
    changed AS (
        UPDATE hold SET started = greatest(hold.started, new.started),
            checkpoint = coalesce(new.checkpoint, hold.checkpoint), usage = coalesce(new.usage, hold.usage)
        FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::text[]) AS new (id, started, checkpoint, usage)
        WHERE request_id = new.id RETURNING 1
    ),
    gone AS (DELETE FROM hold WHERE request_id = ANY(?::bigint[]) RETURNING 1),
    moved AS (
        UPDATE budget_window SET posted = new.posted, held = new.held
        FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) AS new (budget, start, posted, held)
        WHERE budget_id = new.budget AND budget_window.start = new.start RETURNING 1
    )
    SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM gone), (SELECT count(*) FROM moved)
"""


def columns(flat: list[Any], names: Sequence[str]) -> list[list[Any]]:
    """Rows that lie one after the other, as one list for each column."""
    width = len(names)
    found = [flat[place::width] for place in range(width)]
    for place, name in enumerate(names):
        if name in TEXTS:
            found[place] = [one and _without_nul(one) for one in found[place]]
        elif float in map(type, found[place]):
            raise TypeError(f"{name} cannot be a float")  # the driver would cut it down without a word
    return found


# PostgreSQL's texts hold no NUL, nor may its JSON speak of one.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def _without_nul(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return _NUL.sub("\\1\ufffd", text) if "\\u0000" in text else text
