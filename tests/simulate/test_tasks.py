"""The judge of task routing, and that a router which does not reckon breaks its promises."""

import pytest

from conflux.routing.board import Board, Decision
from simulate.tasks import Choice, Played, Step, tasks


def choice(model: str, reason: str = "best", task: str = "creative", **costs: float) -> Choice:
    return Choice(task, 100, model, reason, costs, 1.0)


def test_regret_is_what_was_paid_beyond_the_best_there_was() -> None:
    run = Played([choice("a", a=100, b=200), choice("a", a=150, b=100)], "a")
    assert (run.total(), run.oracle(), run.random()) == (250, 200, 275)
    assert run.regret() == pytest.approx(0.25) and run.regret(0, 1) == 0
    assert run.static(by_task=False) == run.static(by_task=True) == 250
    assert run.clearly_worse(0) == 0.5


def test_the_best_for_each_task_is_no_worse_than_the_best_for_all() -> None:
    run = Played([choice("a", a=100, b=200), choice("b", task="extract", a=300, b=100)])
    assert (run.static(by_task=True), run.static(by_task=False)) == (200, 300)


def test_who_stays_with_what_was_chosen_most_pays_for_what_is_better_elsewhere() -> None:
    asked = [choice("a", a=100, b=200), choice("a", a=100, b=200), choice("b", a=300, b=250)]
    run = Played([*asked, choice("b", a=300, b=200), choice("a", a=100, b=150)])
    assert run.frozen(3) == 300 + 100 and run.part(3).total() == 200 + 100


def test_the_same_seed_does_the_same() -> None:
    first, again, other = (tasks(60, seed) for seed in (3, 3, 4))
    assert first.choices == again.choices != other.choices


def test_a_price_counts_from_the_next_request_on() -> None:
    run = tasks(260, 5, Step(200, "dearer"))
    assert run.stepped and run.clearly_worse(200) == 0
    assert run.stepped in {one.model for one in run.choices[:200]}


def test_a_router_that_takes_anybody_breaks_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = Board.decide

    def careless(self: Board, ask: object, now: float) -> Decision:
        found = decide(self, ask, now)  # type: ignore[arg-type]
        return found._replace(place=len(self.fit) - 1)

    monkeypatch.setattr(Board, "decide", careless)
    run = tasks(150, 3)
    assert run.regret() > 0.05 and run.total() > run.static(by_task=False) * 0.999
