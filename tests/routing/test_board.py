"""The choice for a task: filters, cost, staying, trying out; each candidate by itself."""

import random
from collections import Counter
from typing import Any

import pytest

from conflux.neutral.records import Tier
from conflux.routing.board import LOOK_AGAIN, NEVER, Ask, Board, Entry, better_by, scattered
from conflux.routing.health import HealthBook
from conflux.routing.measures import Answer
from conflux.routing.opinions import FULL, Subject, Sum
from conflux.routing.prefer import PRESETS
from conflux.routing.tasks import TASKS
from tests.policy.samples import model

NOW = 1000.0
TASK = TASKS["code_gen"]


class Shop:
    """Entries with a book of their own."""

    def __init__(self) -> None:
        self.health = HealthBook()
        self.book = self.health.measures

    def entry(self, name: str, price: float = 1000, prior: float = 0.8, **fields: Any) -> Entry:
        base: dict[str, Any] = {
            "model": model(id=name, tier=Tier.PRO, quality=prior), "out": None, "needs": 0b11, "room": 10_000.0,
            "fresh": price, "cached": price / 10, "output": 2 * price, "fee": 0.0, "gates": (self.health.of(name),),
            "measured": self.book.of(name, NOW), "subject": Subject("shop", name, TASK.name, False),
        }  # fmt: skip
        return Entry(**base | fields)

    def board(self, *entries: Entry, preset: str = "balanced") -> Board:
        return Board(TASK, PRESETS[preset], entries, self.book)


def chosen(board: Board, now: float = NOW, **ask: Any) -> tuple[str | None, str]:
    found = board.decide(Ask(**{"tokens": 1000} | ask), now)
    return (found.model.id if found.model is not None else None), found.reason


def test_the_cheapest_of_equals_is_taken_and_of_the_same_the_first() -> None:
    shop = Shop()
    assert chosen(shop.board(shop.entry("a", 2000), shop.entry("b", 1000))) == ("b", "best")
    assert chosen(shop.board(shop.entry("a"), shop.entry("b"))) == ("a", "best")
    assert chosen(shop.board(shop.entry("a"))) == ("a", "only")
    assert chosen(shop.board()) == (None, "")


def test_what_is_reckoned_at_once_is_the_sum_of_what_is_explained() -> None:
    shop, chance = Shop(), random.Random(3)
    entries = [shop.entry(f"m{place}", chance.uniform(10, 5000), fee=chance.uniform(0, 1e5), prior=chance.random())
               for place in range(20)]  # fmt: skip
    for entry in entries:
        for _ in range(chance.randrange(30)):
            entry.measured.answered(Answer(chance.random() < 0.9, TASK.name, TASK.length, chance.random() < 0.5,
                                           chance.random(), 1 + chance.random(), 100, 1000, chance.randrange(1000)),
                                    NOW)  # fmt: skip
    for preset in PRESETS:
        board = shop.board(*entries, preset=preset)
        for _ in range(20):
            ask = Ask(tokens=chance.randrange(5000), output=chance.randrange(1, 3000), choices=chance.randrange(1, 4))
            found = board.decide(ask, NOW)
            assert found.totals == pytest.approx([board.score(entry, ask).total for entry in entries])


def test_who_may_not_serve_it_is_asked_only_where_nobody_is_left_who_certainly_does() -> None:
    shop = Shop()
    cheap, sure = shop.entry("cheap", 1, sure=0b01), shop.entry("sure", 5000, sure=0b11)
    board = shop.board(cheap, sure)
    assert chosen(board) == chosen(board, needs=0b01) == ("cheap", "best")
    found = board.decide(Ask(needs=0b10, tokens=1000), NOW)
    assert found.model is sure.model and found.dropped == {"uncertain": 1} and found.kept == 1
    assert [why for _, why in board.causes(found)] == ["uncertain", None]
    for _ in range(5):
        sure.gates[0].began(NOW)
        sure.gates[0].failed(0.1, NOW)
    found = board.decide(Ask(needs=0b10, tokens=1000), NOW)
    assert found.model is cheap.model and found.dropped == {"breaker": 1}
    assert [why for _, why in board.causes(found)] == [None, "breaker"]


def test_hard_filters_come_first_and_say_why() -> None:
    shop = Shop()
    shut = shop.entry("e")
    shut.gates[0].ejected, shut.gates[0].ejected_until = True, NOW + 5
    board = shop.board(
        shop.entry("a", 1, needs=0b01), shop.entry("b", 1, room=999), shop.entry("c", 1, out="tier"),
        shop.entry("d", 9000), shut,
    )  # fmt: skip
    found = board.decide(Ask(needs=0b10, tokens=500, room=1000), NOW)
    assert found.model is not None and (found.model.id, found.reason, found.kept) == ("d", "only", 1)
    assert found.dropped == {"tier": 1, "capability": 1, "context": 1, "breaker": 1}
    assert found.spoken == "breaker 1, capability 1, context 1, tier 1"
    assert found.totals.count(NEVER) == 3


def test_one_target_that_may_be_asked_is_enough_and_a_probe_that_is_due_too() -> None:
    shop = Shop()
    gates = (shop.health.of("x"), shop.health.of("y"))
    gates[0].missing = "gone"
    entries = shop.entry("a", 1, gates=gates), shop.entry("b")
    assert chosen(shop.board(*entries))[0] == "a"
    gates[1].ejected, gates[1].ejected_until = True, NOW + 1
    assert chosen(shop.board(*entries))[0] == "b"
    assert chosen(shop.board(*entries), now=NOW + 2)[0] == "a"


def test_where_all_are_shut_the_best_is_asked_all_the_same() -> None:
    shop = Shop()
    entries = shop.entry("a", 2000), shop.entry("b", 1000), shop.entry("c", 1, room=1)
    for entry in entries:
        entry.gates[0].ejected_until = NOW + 60
    assert chosen(shop.board(*entries), room=100)[0] == "b"


def test_time_failures_and_opinions_are_worth_money() -> None:
    shop = Shop()
    slow, other = shop.entry("a"), shop.entry("b", 1001)
    board = shop.board(slow, other)
    assert chosen(board)[0] == "a"
    slow.measured.answered(Answer(True, TASK.name, TASK.length, True, 5.0, 20.0, 900), NOW)
    assert chosen(board)[0] == "b"  # it was learned at once
    for _ in range(300):
        other.measured.answered(Answer(False, TASK.name, TASK.length), NOW)
    assert chosen(board)[0] == "a"
    shop.book.opinions.take_over({slow.subject: Sum(500, -500 * FULL)})
    assert chosen(board)[0] == "b"


def test_long_answers_count_up_to_what_is_asked_for() -> None:
    shop = Shop()
    wordy, terse = shop.entry("a", 900), shop.entry("b", 1000)
    for _ in range(40):
        wordy.measured.answered(Answer(True, TASK.name, TASK.length, True, 0.5, 0.5 + 4000 / 80, 4000), NOW)
        terse.measured.answered(Answer(True, TASK.name, TASK.length, True, 0.5, 0.5 + 100 / 80, 100), NOW)
    board = shop.board(wordy, terse)
    assert chosen(board)[0] == "b"
    assert chosen(board, output=50)[0] == "a"


def test_what_is_expected_to_cost_more_than_it_may_is_no_candidate() -> None:
    shop = Shop()
    board = shop.board(shop.entry("cheap", 100, prior=0.1), shop.entry("dear", 5000, prior=0.95), preset="quality")
    prices = {entry.model.id: board.score(entry, Ask(tokens=1000)).cost for entry in board.entries}
    assert chosen(board) == ("dear", "best")
    assert chosen(board, most=prices["dear"]) == ("dear", "best")
    found = board.decide(Ask(tokens=1000, most=prices["dear"] - 1), NOW)
    assert found.model is not None and (found.model.id, found.reason) == ("cheap", "only")
    assert found.dropped == {"max_cost": 1} and [why for _, why in board.causes(found)] == [None, "max_cost"]
    assert chosen(board, most=1.0) == (None, "")


def test_the_presets_prefer_what_they_are_called() -> None:
    shop = Shop()
    cheap = shop.entry("cheap", 50, prior=0.65)
    quick = shop.entry("quick", 500, prior=0.65)
    good = shop.entry("good", 4000, prior=0.95)
    for _ in range(30):
        cheap.measured.answered(Answer(True, TASK.name, TASK.length, True, 3.0, 10.0, 900), NOW)
        quick.measured.answered(Answer(True, TASK.name, TASK.length, True, 0.1, 2.0, 900), NOW)
        good.measured.answered(Answer(True, TASK.name, TASK.length, True, 2.0, 15.0, 900), NOW)
    found = {name: chosen(shop.board(cheap, quick, good, preset=name))[0] for name in ("cost", "speed", "quality")}
    assert found == {"cost": "cheap", "speed": "quick", "quality": "good"}


def test_a_worse_candidate_more_changes_nothing() -> None:
    shop, chance = Shop(), random.Random(7)
    entries = [shop.entry(f"m{place}", chance.uniform(900, 1100)) for place in range(8)]
    with_it = shop.board(*entries, shop.entry("z", 3000, prior=0.1))
    without = shop.board(*entries)
    asks = [Ask(tokens=chance.randrange(4000), seed=chance.getrandbits(63), explores=True) for _ in range(3000)]
    found = [(one.model.id if one.model else None, one.reason) for one in (without.decide(ask, NOW) for ask in asks)]
    assert found == [(one.model.id if one.model else None, one.reason)
                     for one in (with_it.decide(ask, NOW) for ask in asks)]  # fmt: skip
    assert "explored" in {reason for _, reason in found}


def test_a_conversation_stays_until_it_is_clearly_worse_there() -> None:
    shop = Shop()
    entries = shop.entry("a", 1000), shop.entry("b", 1040), shop.entry("c", 9000)
    board = shop.board(*entries)
    assert chosen(board, home="b") == ("b", "stays")
    assert chosen(board, home="a") == ("a", "best")
    assert chosen(board, home="c") == ("a", "best")
    assert chosen(board, home="gone") == ("a", "best")
    shop.health.of("b").missing = "gone"
    assert chosen(board, home="b") == ("a", "best")


def test_what_is_cached_there_is_a_reason_to_stay() -> None:
    shop = Shop()
    board = shop.board(shop.entry("a", 1000), shop.entry("b", 2000))
    assert chosen(board, tokens=50_000, home="b") == ("a", "best")
    assert chosen(board, tokens=50_000, home="b", known=49_000) == ("b", "stays")


def test_at_most_two_in_a_hundred_are_tried_elsewhere_and_only_near_the_best() -> None:
    shop = Shop()
    board = shop.board(shop.entry("a", 1000), shop.entry("b", 1010), shop.entry("c", 1020), shop.entry("d", 9000))
    found = [chosen(board, seed=seed, explores=True) for seed in range(100_000)]
    tried = [name for name, reason in found if reason == "explored"]
    assert 0.017 < len(tried) / len(found) <= 0.0215
    assert set(tried) == {"b", "c"} and 0.7 < tried.count("b") / len(tried) < 0.8
    assert found[:500] == [chosen(board, seed=seed, explores=True) for seed in range(500)]  # replayable
    assert {chosen(board, seed=seed)[0] for seed in range(500)} == {"a"}
    assert {chosen(board, seed=seed, explores=True, home="b")[0] for seed in range(500)} == {"b"}


def known(entry: Entry, answers: int, seconds: float = 6.4, now: float = NOW) -> None:
    for _ in range(answers):
        entry.measured.answered(Answer(True, TASK.name, TASK.length, True, 0.4, seconds, 900), now)


def trials(board: Board, now: float = NOW) -> dict[str | None, int]:
    found = Counter(chosen(board, now, seed=seed, explores=True) for seed in range(3000))
    return {name: count for (name, reason), count in found.items() if reason == "explored"}


def test_what_is_known_to_be_worse_is_not_tried_again_and_what_is_little_known_is() -> None:
    shop = Shop()
    best, other, new = shop.entry("a"), shop.entry("b", 1300), shop.entry("c", 1300)
    known(best, 60)
    known(other, 60)
    known(new, 2)
    board = shop.board(best, other, new)
    assert set(trials(board)) == {"c"}
    known(new, 60)
    assert trials(board) == {}  # neither: what it could teach is known
    assert set(trials(board, NOW + 86400)) == {"b", "c"}  # in a day much may have changed


def test_a_dear_trial_must_promise_more_than_a_cheap_one() -> None:
    """The same little knowledge: near the best it pays to look, far from it not."""
    shop = Shop()
    best, near, far = shop.entry("a"), shop.entry("b", 1100), shop.entry("c", 3000)
    for entry, answers in ((best, 60), (near, 8), (far, 8)):
        known(entry, answers)
    board = shop.board(best, near, far)
    totals = board.decide(Ask(tokens=1000), NOW).totals
    assert totals[2] < 1.5 * totals[0]
    assert set(trials(board)) == {"b"}


def test_what_is_expected_beyond_a_gap_is_what_the_normal_law_says() -> None:
    chance = random.Random(2)
    for gap, strays in ((0.0, 1.0), (1.0, 1.0), (2.0, 1.5), (-1.0, 0.5)):
        drawn = sum(max(0.0, -(gap + chance.gauss(0, strays))) for _ in range(100_000)) / 100_000
        assert better_by(gap, strays) == pytest.approx(drawn, abs=0.01)
    assert (better_by(1.0, 0.0), better_by(-1.0, 0.0)) == (0.0, 1.0)


def test_what_had_a_bad_hour_is_tried_out_and_not_gone_back_to() -> None:
    """Believed to be slow, hoped to be as it was: only what explores goes there."""
    shop = Shop()
    usual, other = shop.entry("a"), shop.entry("b", 1500)
    for _ in range(40):
        usual.measured.answered(Answer(True, TASK.name, TASK.length, True, 0.4, 6.4, 900), NOW)
        other.measured.answered(Answer(True, TASK.name, TASK.length, True, 0.4, 6.4, 900), NOW)
    for _ in range(3):
        usual.measured.answered(Answer(True, TASK.name, TASK.length, True, 2.0, 15.0, 900), NOW)
    board = shop.board(usual, other)
    later = NOW + 4 * 3600
    tried = [chosen(board, now=later, seed=seed, explores=True) for seed in range(2000)]
    assert set(tried) == {("b", "best"), ("a", "explored")}
    assert {chosen(board, now=NOW, seed=seed, explores=True) for seed in range(2000)} == {("b", "best")}


def test_what_fades_is_looked_at_again() -> None:
    shop = Shop()
    slow, other = shop.entry("a"), shop.entry("b", 1500)
    board = shop.board(slow, other)
    for _ in range(20):
        slow.measured.answered(Answer(True, TASK.name, TASK.length, True, 20.0, 40.0, 900), NOW)
    assert chosen(board)[0] == "b"
    assert chosen(board, now=NOW + LOOK_AGAIN / 2)[0] == "b"
    assert chosen(board, now=NOW + 5e6)[0] == "a"


def test_seeds_that_follow_each_other_are_scattered() -> None:
    found = [scattered(seed) for seed in range(1000)]
    assert len(set(found)) == 1000 and all(0 <= one < 1 << 64 for one in found)
    assert 450 < sum(one & 1 for one in found) < 550


def test_what_was_learned_counts_at_once_however_much_it_was() -> None:
    for answers in (1, 3000):
        shop = Shop()
        first, other, alike = shop.entry("a"), shop.entry("b", 1100), shop.entry("c", 1200)
        board = shop.board(first, other, alike._replace(measured=other.measured))
        assert chosen(board)[0] == "a"
        for _ in range(answers):
            first.measured.answered(Answer(True, TASK.name, TASK.length, True, 30.0, 90.0, 900), NOW)
        assert chosen(board)[0] == "b"
        for _ in range(answers):  # two that are measured together
            other.measured.answered(Answer(True, TASK.name, TASK.length, True, 99.0, 900.0, 900), NOW)
        assert chosen(board)[0] == "a"
