"""Twin of stores/audit.py."""

import pytest

from conflux.neutral.accounts import Act
from conflux.stores.audit import Audit


@pytest.fixture
async def audit(ledger, clock):
    found = Audit(ledger, clock)
    for n, workspace in enumerate(("acme", None, "acme", "other")):
        await found.add(Act(actor=f"who{n}", act="keys.create", workspace=workspace, detail={"n": n}))
        clock.moment += 1
    return found


async def test_the_newest_first_and_page_by_page(audit):
    rows = await audit.rows(2)
    assert [row.actor for row in rows] == ["who3", "who2"] and rows[0].detail == {"n": 3}
    assert [row.actor for row in await audit.rows(9, before=rows[1].id)] == ["who1", "who0"]


async def test_what_is_asked_for(audit):
    assert [row.actor for row in await audit.rows(9, workspace="acme")] == ["who2", "who0"]
    assert [row.actor for row in await audit.rows(9, where={"actor": "who1", "act": None})] == ["who1"]
    since = (await audit.rows(1))[0].at
    assert [row.actor for row in await audit.rows(9, where={"since": since})] == ["who3"]
    assert len(await audit.rows(9, where={"until": since})) == 3


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
async def test_it_only_grows(audit, ledger, change):
    with pytest.raises(Exception, match="only grows"):
        await ledger.write(lambda run: run.execute(change).rowcount)
    assert len(await audit.rows(9)) == 4
