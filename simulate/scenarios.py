"""What is simulated, and what must hold of it.

Law: one row per promise; a row says its limit, how it is measured and what it measured in one run. The worst of all
seeds counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from conflux.routing.budget import FLOOR, SHARE, WINDOW
from simulate import tasks
from simulate.contexts import contexts
from simulate.fallbacks import fallbacks
from simulate.upstreams import Trouble
from simulate.world import Run, Setting, simulate

END = 1e9
TASKS = "tasks: "
FALLBACKS = CONTEXTS = 5_000  # requests a seed: 100,000 in all
BEGIN = 15.0
DEADLINE = 60.0  # a provider's, for the first byte: what a black hole takes to be told from a slow one
# What can be told before any content goes out, so that another target may answer.
DEAD = ("refuse", "black-hole", "429", "500")  # the others take their time to answer badly
TELLING = (*DEAD, "empty", "wrong-model")


@dataclass(frozen=True)
class Promise:
    """`at_least`: the limit is a lower one."""

    text: str
    limit: float
    measure: Callable[[Any], float]  # of what was played
    at_least: bool = False

    def kept(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Scenario:
    name: str
    setting: Setting | Callable[[int], Any]  # of a pool; or what plays something else
    promises: tuple[Promise, ...]

    def play(self, seed: int) -> Any:
        return simulate(self.setting, seed) if isinstance(self.setting, Setting) else self.setting(seed)


def success(begin: float) -> Callable[[Run], float]:
    def measure(run: Run) -> float:
        asked = run.between(begin, END)
        return sum(one.good for one in asked) / len(asked)

    return measure


def retries_beyond(run: Run) -> float:
    """The most retries of any window, less what the budget allows there."""
    worst = -END
    for second in range(int(run.setting.seconds) - WINDOW):
        asked = run.between(second, second + WINDOW)
        retried = sum(max(0, one.sends - 1) for one in asked)
        worst = max(worst, retried - SHARE * len(asked) - FLOOR * WINDOW)
    return worst


def error_seconds(begin: float) -> Callable[[Run], float]:
    """How long nearly all (99 %) wait for the bad news; the few that look whether somebody is back may wait longer."""

    def measure(run: Run) -> float:
        waits = sorted(one.ended - one.began for one in run.between(begin, END) if not one.good)
        return waits[int(len(waits) * 0.99)] if waits else 0.0

    return measure


def sends_per_request(begin: float) -> Callable[[Run], float]:
    def measure(run: Run) -> float:
        return sum(moment >= begin for moment, _ in run.sent) / len(run.between(begin, END))

    return measure


def imbalance(run: Run) -> float:
    return max(run.in_flight) / (sum(run.in_flight) / len(run.in_flight))


def share_of_first(begin: float, end: float) -> Callable[[Run], float]:
    return lambda run: run.share(0, begin, end)


def fair_share_of_first(begin: float, end: float) -> Callable[[Run], float]:
    return lambda run: run.share(0, begin, end) * run.setting.targets


RETRIES = Promise("retries beyond 20 % and the floor", 0, retries_beyond)
NO_WRONG = Promise("answers of another model delivered", 0, lambda run: run.wrong)


def _of(fault: str, begin: float, end: float, targets: range) -> dict[int, Trouble]:
    return {number: Trouble(fault, begin, end) for number in targets}


def scenarios() -> Iterator[Scenario]:
    rate = 20.0
    yield Scenario("4 alike", Setting(4, rate=rate, seconds=60),
                   (Promise("in flight, most / mean", 1.25, imbalance),
                    Promise("success", 1, success(0), True)))  # fmt: skip
    for fault in TELLING:
        wrong = (NO_WRONG,) if fault == "wrong-model" else ()
        yield Scenario(f"2 dead of 3: {fault}", Setting(3, _of(fault, BEGIN, END, range(2)), rate, 60),
                       (Promise("success", 1, success(0), True), RETRIES, *wrong))  # fmt: skip
        yield Scenario(f"4 dead of 5: {fault}", Setting(5, _of(fault, 0, END, range(4)), rate, 60),
                       (Promise("success after 10 s", 0.999, success(10), True), RETRIES, *wrong))  # fmt: skip
        known = BEGIN + (DEADLINE + 5 if fault == "black-hole" else 0)
        quick = Promise("seconds to the error" + (" once known" if known > BEGIN else ""), 1, error_seconds(known))
        yield Scenario(f"3 dead of 3: {fault}", Setting(3, _of(fault, BEGIN, END, range(3)), rate, known + 30),
                       (*((quick,) if fault in DEAD else ()),
                        Promise("sends per request", 1.2, sends_per_request(known + 5)), RETRIES, *wrong))  # fmt: skip
        yield Scenario(f"1 of 4 back after 40 s: {fault}",
                       Setting(4, _of(fault, BEGIN, BEGIN + 40, range(1)), rate, 120),
                       (Promise("of its fair share, 45 to 60 s later", 0.8,
                                fair_share_of_first(BEGIN + 85, BEGIN + 100), True),
                        Promise("success", 1, success(0), True), RETRIES))  # fmt: skip
    yield Scenario("1 of 4 ten times as slow", Setting(4, _of("slow", BEGIN, BEGIN + 45, range(1)), rate, 125),
                   (Promise("its share after 20 s", 0.05, share_of_first(BEGIN + 20, BEGIN + 45)),
                    Promise("of its fair share, 45 to 60 s after it is well", 0.8,
                            fair_share_of_first(BEGIN + 90, BEGIN + 105), True),
                    Promise("success", 1, success(0), True)))  # fmt: skip
    yield Scenario("1 of 4 stalls in mid-answer", Setting(4, _of("stall", BEGIN, END, range(1)), rate, 90),
                   (Promise("its share after 20 s", 0.05, share_of_first(BEGIN + 20, END)),
                    Promise("success after 20 s", 0.99, success(BEGIN + 20), True), RETRIES))  # fmt: skip
    yield Scenario("1 of 4 flaps, 5 s each", Setting(4, {0: Trouble("500", BEGIN, END, 5)}, rate, 90),
                   (Promise("success", 1, success(0), True), RETRIES))  # fmt: skip
    yield _hedged()
    yield from _tasks()
    yield Scenario(f"{FALLBACKS:,} random requests to models that fail", lambda seed: fallbacks(FALLBACKS, seed),
                   tuple(Promise(text, 0, attrgetter(name)) for name, text in _FALLBACK.items()))  # fmt: skip
    yield Scenario(f"{CONTEXTS:,} random conversations near the limits of unknown tokenizers",
                   lambda seed: contexts(CONTEXTS, seed),
                   (Promise("sent, and over the limit", 0, attrgetter("over")),
                    Promise("refused of what would have fit, once learned", 0.03,
                            attrgetter("refused_share"))))  # fmt: skip


STRAGGLERS = 0.015  # of the answers take ten times as long
_SLOWEST = 0.02  # of the requests


@dataclass
class Hedged:
    """The same load on the same pool, with and without second legs."""

    with_: Run
    without: Run

    @property
    def asked_twice(self) -> float:
        return sum(one.sends > 1 for one in self.with_.requests) / len(self.with_.requests)

    @property
    def waits(self) -> float:
        """What the slowest wait for their first content, of what they wait where nobody hedges."""
        return _slowest(self.with_) / _slowest(self.without)

    @property
    def last_in_a_hundred(self) -> float:
        return _percentile(self.with_) / _percentile(self.without)

    @property
    def unwritten(self) -> float:
        """Legs that went out and are on no receipt."""
        return len(self.with_.sent) - sum(one.sends for one in self.with_.requests)


def _percentile(run: Run) -> float:
    waits = sorted(one.first - one.began for one in run.requests if one.first is not None)
    return waits[int(0.99 * len(waits))]


def _slowest(run: Run) -> float:
    waits = sorted(one.first - one.began for one in run.requests if one.first is not None)
    worst = waits[-int(_SLOWEST * len(waits)) :]
    return sum(worst) / len(worst)


def _hedged() -> Scenario:
    late = {number: Trouble("slow", 0, END, share=STRAGGLERS) for number in range(4)}

    def both(seed: int) -> Hedged:
        return Hedged(*(simulate(Setting(4, late, 20, 240, hedge=hedge), seed) for hedge in (True, False)))

    return Scenario("15 in 1,000 answers of 4 take ten times as long, hedged", both,
                    (Promise("asked twice", 0.02, attrgetter("asked_twice")),
                     Promise("legs that are on no receipt", 0, attrgetter("unwritten")),
                     Promise("what 99 of 100 wait at most, of what they would", 1, attrgetter("last_in_a_hundred")),
                     Promise("what the slowest 2 % wait, of what they would", 1, attrgetter("waits")),
                     Promise("success", 1, lambda run: success(0)(run.with_), True)))  # fmt: skip


def _tasks() -> Iterator[Scenario]:
    """Money, time, failures and quality in one: what the choices cost beside what others would have."""
    still = (
        Promise("the first 2,000: beyond the oracle's cost", 0.05, lambda run: _first(run).regret()),
        Promise("the first 2,000: beyond the best single model's", 0, lambda run: _beyond(_first(run), by_task=False)),
        Promise("the next 2,000: beyond the oracle's cost", 0.05, lambda run: _next(run).regret()),
        Promise("the next 2,000: beyond staying with what was chosen most for each task", 0.05,
                lambda run: _next(run).total() / run.frozen(tasks.REQUESTS) - 1),
        Promise("the next 2,000: beyond the best model for each task's, by one who knows all", 0.05,
                lambda run: _beyond(_next(run), by_task=True)),
        Promise("beyond a random choice's", 0, lambda run: run.total() / run.random() - 1),
        Promise("tried out", 0.02, lambda run: sum(one.reason == "explored" for one in run.choices) / run.asked),
    )  # fmt: skip
    yield Scenario(f"{TASKS}8 models", learned, still)
    # What a hundred opinions say by luck decides above; below nobody has one, and what is left is the router's own.
    static = Promise("the next 2,000, trials aside: beyond the best model for each task's, by one who knows all", 0.001,
                     lambda run: _beyond(_next(run).chosen(), by_task=True))  # fmt: skip
    yield Scenario(f"{TASKS}8 models as good as stated", partial(learned, judged=False), (*still[:3], static))
    single = Promise("beyond the best single model's", 0, lambda run: _beyond(run, by_task=False))
    after = tasks.CHANGE + 100
    slower = (Promise("still sent there where another is clearly better, requests 100 to 200 after", 0.02,
                      lambda run: run.clearly_worse(after, after + 100)),
              Promise("the same, of all from 100 on", 0.02, lambda run: run.clearly_worse(after)))  # fmt: skip
    yield Scenario(f"{TASKS}the favourite gets 3 times as slow", partial(play, "slower"), (single,))
    yield Scenario(f"{TASKS}the favourite, as good as stated, gets 3 times as slow",
                   partial(play, "slower", judged=False), (single, *slower))  # fmt: skip
    dearer = Promise("still sent there", 0, lambda run: run.clearly_worse(tasks.CHANGE))
    yield Scenario(f"{TASKS}the favourite gets 100 times as dear", partial(play, "dearer"), (single, dearer))
    noticed = Promise("500 to 1,000 requests after: beyond the oracle's cost", 0.1,
                      lambda run: run.regret(len(run.choices) - tasks.AFTER))  # fmt: skip
    yield Scenario(f"{TASKS}the favourite was 3 times as slow and is back", _back, (noticed,))
    yield Scenario(f"{TASKS}a model that is not asked gets 3 times as quick", _quicker, (noticed,))
    yield Scenario(f"{TASKS}a dominated model more", tasks.changed_by_a_dominated_one,
                   (Promise("choices that changed", 0, lambda run: len(run.choices)),))  # fmt: skip


def _beyond(run: tasks.Played, *, by_task: bool) -> float:
    return run.total() / run.static(by_task=by_task) - 1


def play(what: str, seed: int, *, judged: bool = True) -> tasks.Played:
    return tasks.tasks(tasks.REQUESTS, seed, tasks.Step(tasks.CHANGE, what), judged=judged)


def _back(seed: int) -> tasks.Played:
    slow, back = tasks.CHANGE, tasks.CHANGE + tasks.AFTER
    return tasks.tasks(back + 2 * tasks.AFTER, seed, tasks.Step(slow, "slower"), tasks.Step(back, "back"))


def _quicker(seed: int) -> tasks.Played:
    return tasks.tasks(tasks.CHANGE + 2 * tasks.AFTER, seed, tasks.Step(tasks.CHANGE, "quicker"))


def _first(run: tasks.Played) -> tasks.Played:
    return run.part(0, tasks.REQUESTS)


def _next(run: tasks.Played) -> tasks.Played:
    return run.part(tasks.REQUESTS)


def learned(seed: int, *, judged: bool = True) -> tasks.Played:
    return tasks.tasks(tasks.REQUESTS + tasks.LATER, seed, judged=judged)


_FALLBACK = {
    "capability": "sent to a model that may not serve it",
    "price": "sent to a model above the price cap",
    "permission": "sent where the key or the client said no",
    "late": "another model after the first content",
    "charged": "charged more than the smaller total",
    "told": "headers that do not say what happened",
}
