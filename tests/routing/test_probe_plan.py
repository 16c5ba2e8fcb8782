"""When a target is due, and what of a day is spent."""

from msgspec.structs import replace

from conflux.neutral.probes import Finding
from conflux.neutral.records import Capability
from conflux.routing.probe_plan import AGAIN, EARLY, WEEK, day_of, due, spent_on

NOW = 1_800_000_000
SEES = Finding(target="a", capability=Capability.VISION, holds=True, found=NOW * 1000, tried=NOW * 1000, cost=7)


def test_at_once_where_nothing_is_known_or_there_is_doubt() -> None:
    assert due(None, "a") == 0
    assert due(replace(SEES, holds=None, tried=0), "a") == 0


def test_weekly_and_sooner_where_nothing_was_found_out_each_with_chance_of_its_own() -> None:
    for holds, pause in ((True, WEEK), (False, WEEK), (None, AGAIN)):
        moments = [due(replace(SEES, holds=holds), f"target {number}") - NOW for number in range(200)]
        assert pause * (1 - EARLY) <= min(moments) < max(moments) <= pause
        assert len({round(one, 3) for one in moments}) > 150
        assert 0.88 < sum(moments) / len(moments) / pause < 0.92
    assert due(SEES, "a") == due(SEES, "a")


def test_a_day_costs_what_was_tried_in_it() -> None:
    today = day_of(NOW)
    assert spent_on(today, [SEES, replace(SEES, cost=5), replace(SEES, tried=(NOW - 86_400) * 1000)]) == 12
    assert spent_on(today + 1, [SEES]) == 0 and day_of(NOW + 86_400) == today + 1
