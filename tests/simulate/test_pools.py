"""What is promised of the pools, in played time: every row of `./run simulate` with few seeds, and that it can fail."""

import asyncio

import pytest

from conflux.routing import choice
from conflux.routing.fallback import Option
from conflux.routing.health import Health
from conflux.routing.hedge import Hedge
from simulate.fallbacks import fallbacks
from simulate.report import Measured, markdown
from simulate.scenarios import Promise, Scenario, scenarios
from simulate.upstreams import Trouble
from simulate.virtual import Stuck, run
from simulate.world import Setting, simulate

SCENARIOS = {one.name: one for one in scenarios()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_promise_is_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulate.tasks.REQUESTS", 1200)
    monkeypatch.setattr("simulate.tasks.CHANGE", 800)
    monkeypatch.setattr("simulate.tasks.DOMINATED", 150)
    monkeypatch.setattr("simulate.scenarios.FALLBACKS", 1000)
    monkeypatch.setattr("simulate.scenarios.CONTEXTS", 4000)
    monkeypatch.setattr("simulate.contexts.LEARNING", 500)  # of fewer, more are the first of their kind
    scenario = SCENARIOS[name]
    found = scenario.play(7)
    broken = [(one.text, one.measure(found)) for one in scenario.promises if not one.kept(one.measure(found))]
    assert broken == []


def test_the_fallbacks_are_many_and_so_are_the_refusals() -> None:
    found = fallbacks(500, 3)
    assert found.fallbacks > 50 and found.refused > 20 and found.violations == 0


@pytest.mark.parametrize("rule", ["_fits", "answers"])
def test_a_gate_that_lets_all_pass_breaks_promises(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"conflux.relay.fallback.{rule}", lambda *_: True)
    assert fallbacks(500, 3).capability > 0


def test_a_router_that_ignores_prices_breaks_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(option: Option, *_: object) -> tuple[str, ...]:
        return option.lacks if option.live and option.prices is not None else ("price",)

    monkeypatch.setattr("conflux.routing.fallback.objections", blind)
    assert fallbacks(500, 3).price > 0


def broken(scenario: Scenario) -> list[str]:
    found = scenario.play(7)
    return [one.text for one in scenario.promises if not one.kept(one.measure(found))]


def test_second_legs_without_a_budget_break_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hedge, "take", lambda self: True)
    assert broken(SCENARIOS["15 in 1,000 answers of 4 take ten times as long, hedged"]) == ["asked twice"]


def test_a_leg_that_no_receipt_knows_breaks_a_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflux.relay.tries.Tries.let_go", lambda *_, **__: None)
    assert broken(SCENARIOS["15 in 1,000 answers of 4 take ten times as long, hedged"]) == [
        "legs that are on no receipt"
    ]


def test_a_router_that_ejects_nobody_breaks_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Health, "_eject", lambda self, now: None)
    assert broken(SCENARIOS["4 dead of 5: 500"]) != []


def test_a_router_that_tries_once_breaks_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflux.relay.tries.MOST_ATTEMPTS", 1)
    assert broken(SCENARIOS["2 dead of 3: refuse"]) == ["success"]


def test_a_router_that_takes_anybody_breaks_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "pick", lambda candidates, *_, **__: candidates[0])
    monkeypatch.setattr("conflux.relay.tries.pick", choice.pick)
    assert "in flight, most / mean" in broken(SCENARIOS["4 alike"])


def test_the_same_seed_does_the_same_and_another_does_not() -> None:
    setting = Setting(3, {0: Trouble("500", 2, 5)}, rate=20, seconds=8)
    first, second, other = (simulate(setting, seed) for seed in (1, 1, 2))
    assert first.requests == second.requests and first.sent == second.sent
    assert first.sent != other.sent


def test_played_time_jumps_and_who_waits_for_nothing_is_told() -> None:
    async def sleeps() -> float:
        await asyncio.sleep(100_000)
        return asyncio.get_running_loop().time()

    async def hangs() -> None:
        await asyncio.get_running_loop().create_future()

    assert run(sleeps) == pytest.approx(100_000)
    with pytest.raises(Stuck):
        run(hangs)


def test_the_worst_seed_counts() -> None:
    most = Promise("seconds", 1, lambda _: 0)
    row = Measured("all dead", most, (0.5, 1.5, 0.4))
    assert (row.worst, row.kept) == (1.5, False)
    assert "| all dead | seconds | ≤ 1 | 0.5 | 1.5 | NO |" in markdown([row])
    assert Measured("x", Promise("share", 0.8, lambda _: 0, at_least=True), (0.9, 0.8)).kept
