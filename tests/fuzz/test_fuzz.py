"""Every parser against mutated input. CONFLUX_FUZZ_INPUTS says how many in all; ./run fuzz sets a million."""

import os
import re
from collections import Counter
from random import Random

import pytest

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import CORPUS, TARGETS, strict_json

INPUTS = int(os.environ.get("CONFLUX_FUZZ_INPUTS", "20000"))


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_seeds_and_what_once_broke_it(name: str) -> None:
    target = TARGETS[name]
    for data in (*target.seeds, *CORPUS.get(name, ())):
        target.run(data, Random(1))


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_mutated_input(name: str) -> None:
    target = TARGETS[name]
    chance = Random(f"{name} {INPUTS}")
    for number in range(-(-INPUTS // len(TARGETS))):
        data = mutated(target.seeds, chance)
        held = False
        try:
            target.run(data, Random(number))
            held = True
        finally:
            if not held:
                print(f"input {number} of {name} broke it; for CORPUS:\n{data!r}")


def test_mutations_neither_always_nor_never_break_the_input() -> None:
    chance = Random(1)
    ends: Counter[bool] = Counter()
    for _ in range(500):
        data = mutated(TARGETS["reader.whole"].seeds, chance)
        ends[re.match(rb"\s*\{.*\}\s*\Z", data, re.DOTALL) is not None] += 1
    assert min(ends.values()) > 50


def test_a_broken_law_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def lax(data: bytes) -> tuple[dict[str, int], int]:
        return {"a": 1}, 7

    monkeypatch.setattr("tests.fuzz.targets.decode_measured", lax)
    with pytest.raises(AssertionError):
        strict_json(b'{"a":2}', Random(1))
