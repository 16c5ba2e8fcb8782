"""Twin of stores/probes.py: the last word on each target and capability."""

import pytest
from msgspec.structs import replace

from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability
from conflux.stores.probes import ProbeRows

SEES = Finding(target="p/m", capability=Capability.VISION, holds=True, evidence=("red: 'red'", "ö"), found=5, tried=5,
               cost=7)  # fmt: skip


@pytest.fixture
def rows(ledger) -> ProbeRows:
    return ProbeRows(ledger)


async def test_what_was_found_is_there_again(rows: ProbeRows) -> None:
    calls = replace(SEES, capability=Capability.TOOLS, holds=False)
    other = replace(SEES, target="q/m", holds=None, found=0)
    for one in (SEES, calls, other):
        await rows.keep(one)
    assert await rows.findings() == [calls, SEES, replace(other)]


async def test_the_last_word_counts(rows: ProbeRows) -> None:
    await rows.keep(SEES)
    blind = replace(SEES, holds=False, evidence=("blue: 'red'",), found=9, tried=9)
    assert await rows.keep(blind) == blind
    assert await rows.findings() == [blind]


async def test_a_try_that_found_nothing_out_changes_nothing_that_was_known(rows: ProbeRows) -> None:
    await rows.keep(SEES)
    silent = Finding(target="p/m", capability=Capability.VISION, holds=None, evidence=("status 503",), found=9, tried=9)
    kept = replace(SEES, tried=9, cost=0)
    assert await rows.keep(silent) == kept
    assert await rows.findings() == [kept]


async def test_a_first_try_that_found_nothing_out_says_why(rows: ProbeRows) -> None:
    silent = Finding(target="p/m", capability=Capability.VISION, holds=None, evidence=("status 503",), found=9, tried=9)
    assert await rows.keep(silent) == replace(silent, found=0)


async def test_doubt_makes_a_yes_unknown_and_due_at_once(rows: ProbeRows) -> None:
    await rows.keep(SEES)
    assert await rows.doubt("p/m", Capability.VISION, believed=False)
    (known,) = await rows.findings()
    assert (known.holds, known.found, known.tried, known.cost) == (None, 0, 0, 7)
    assert "two pictures were refused" in known.evidence[0]
    assert not await rows.doubt("p/m", Capability.VISION, believed=True)  # it is known already
    await rows.keep(replace(SEES, holds=False))
    assert not await rows.doubt("p/m", Capability.VISION, believed=True)
    assert [one.holds for one in await rows.findings()] == [False]


async def test_doubt_of_what_nobody_asked_counts_only_where_it_was_believed(rows: ProbeRows) -> None:
    assert not await rows.doubt("p/m", Capability.VISION, believed=False)
    assert await rows.findings() == []
    assert await rows.doubt("p/m", Capability.VISION, believed=True)
    assert [(one.holds, one.tried, one.cost) for one in await rows.findings()] == [(None, 0, 0)]
