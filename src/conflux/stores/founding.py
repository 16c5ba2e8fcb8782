"""What every store begins with, and how a process makes itself known to it.

Law: runs inside a transaction of its caller's. The first rows have the numbers that requests without a key's workspace
or user are booked under.
"""

import uuid

from conflux.stores.sql import Run

_FIRST = (
    "INSERT INTO meta (id, instance, created, owner_epoch, probes) VALUES (1, ?, ?, 0, 0) ON CONFLICT (id) DO NOTHING",
    "INSERT INTO workspace (id, name, created) VALUES (1, 'default', ?) ON CONFLICT (id) DO NOTHING",
    "INSERT INTO app_user (id, workspace_id, name, created) VALUES (1, 1, 'default', ?) ON CONFLICT (id) DO NOTHING",
    "INSERT INTO user_role (user_id, role) VALUES (1, 'owner') ON CONFLICT (user_id) DO NOTHING",
)


def make_known(run: Run, now: int) -> int:
    """The process's epoch: higher than any before. `now`: in milliseconds; people are dated in seconds."""
    values: tuple[tuple[object, ...], ...] = ((str(uuid.uuid4()), now), (now // 1000,), (now // 1000,), ())
    for statement, given in zip(_FIRST, values, strict=True):
        run.execute(statement, given)
    return int(run.execute("UPDATE meta SET owner_epoch = owner_epoch + 1 RETURNING owner_epoch").fetchone()[0])
