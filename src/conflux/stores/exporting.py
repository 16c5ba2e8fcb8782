"""Reading the books out: receipts one after the other, and what was asked of a provider.

Law: pages by id, in a transaction each, so a long export holds nobody up and the memory it takes does not grow. What is
written meanwhile comes at the end or not at all.
"""

from collections.abc import Iterator

from conflux.neutral.reports import Asked, Exported, Span
from conflux.stores.key_format import KEY_ID
from conflux.stores.rows import RECEIPT, attempts_of, receipt_of, tags_of
from conflux.stores.sql import Run

_PAGE = 1000


def count(run: Run, span: Span) -> int:
    return int(run.execute("SELECT count(*) FROM request WHERE id BETWEEN ? AND ?", span.ids).fetchone()[0])


_PEOPLE = (
    "SELECT request.id, key_id, workspace.name, app_user.name, variance, provider_cost FROM request"
    " LEFT JOIN app_user ON app_user.id = user_id LEFT JOIN workspace ON workspace.id = request.workspace_id"
    " WHERE request.id BETWEEN ? AND ? ORDER BY request.id LIMIT ?"
)
_FROM = RECEIPT.replace("WHERE id = ?", "WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?")


def receipts(run: Run, span: Span) -> Iterator[Exported]:
    """In the order of their ids."""
    at, last = span.ids
    while True:
        people = {row[0]: row[1:] for row in run.execute(_PEOPLE, (at, last, _PAGE)).fetchall()}
        rows = [row for row in run.execute(_FROM, (at, last, _PAGE)).fetchall() if row[0] in people]
        if not rows:
            return
        calls = attempts_of(run, rows[0][0], rows[-1][0])
        for row in rows:
            key, workspace, user, variance, owed = people[row[0]]
            found = receipt_of(row, calls.get(row[0], []))
            yield Exported(found, f"{KEY_ID}{key}", user or "", workspace or "", variance, owed, tags_of(row))
        at = rows[-1][0] + 1


def asked_of(run: Run, provider: str, span: Span) -> Iterator[Asked]:
    """Every call that a provider was asked."""
    for one in receipts(run, span):
        if one.receipt.simulated:
            continue
        for call in one.receipt.calls:
            who, _, rest = (call.target or "").partition("/")
            if who == provider:
                model = rest.rpartition("/")[0]
                yield Asked(call.upstream_id, one.receipt.request_id, model, call.usage, call.provider_cost,
                                  call.status)  # fmt: skip
