"""What a routing decision costs: `python -m bench.routing`.

Law: CPU time of this process, the least of many short rounds, so that a neighbour on the machine does not count. The
whole way of a decision is measured, not its parts: the board with its conversation and its chance, the pool's choice.
"""

import json
import random
from collections.abc import Callable
from time import process_time_ns

from conflux.neutral.records import Model, Provider, Target, Tier
from conflux.relay.opening import name_of
from conflux.relay.snapshot import LiveProvider, LiveTarget
from conflux.routing.board import Ask, Board, Entry
from conflux.routing.choice import pick
from conflux.routing.health import HealthBook
from conflux.routing.measures import Answer
from conflux.routing.opinions import Subject
from conflux.routing.prefer import BALANCED, PRESETS
from conflux.routing.tasks import TASKS

CANDIDATES = 50
ROUNDS, CALLS = 60, 200
_BODY = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello " * 40}]}


def micros(call: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        before = process_time_ns()
        for _ in range(CALLS):
            call()
        best = min(best, (process_time_ns() - before) / CALLS)
    return round(best / 1000, 1)


def board(book: HealthBook) -> Board:
    task = TASKS["code_gen"]
    entries = []
    for place in range(CANDIDATES):
        model = Model(storefront="shop", id=f"m{place:02}", name="M", pool=f"p{place}", tier=Tier.PRO)
        entries.append(
            Entry(model, None, 0xFF, 200_000, 100 + place, 10 + place, 400 + place, 0.0, (book.of(f"t{place}"),),
                  book.measures.of(model.pool, 0.0), Subject("shop", model.id, task.name, False))
        )  # fmt: skip
    return Board(task, PRESETS[BALANCED], entries, book.measures)


def measured() -> dict[str, float]:
    book, chance = HealthBook(), random.Random(1)
    one = board(book)
    ask = Ask(needs=1, tokens=1000, room=2024, seed=5, explores=True)
    answer = Answer(True, "code_gen", 900, True, 0.3, 2.0, 300, 1000, 100)
    news = one.fit[7].measured

    def decide() -> None:
        name = name_of(_BODY, 1, "shop")
        assert name is not None
        book.measures.homes.of(name, 1.0)
        one.decide(ask, 1.0)

    def after_news() -> None:
        news.answered(answer, 1.0)
        decide()

    provider = LiveProvider(provider=Provider(id="p", base_url="https://p.test", dialects=("openai-chat",)),
                            origin="https://p.test", base_path="", head=b"", credentials=())  # fmt: skip
    targets = [LiveTarget(target=Target(provider="p", model=f"m{n}"), live=provider, key=f"p/m{n}", weight=1)
               for n in range(CANDIDATES)]  # fmt: skip
    return {
        "a task among 50 models, µs": micros(decide),
        "the same after an answer, what it taught included, µs": micros(after_news),
        "what an answer teaches, µs": micros(lambda: news.answered(answer, 1.0)),
        "first try in a pool of 50, µs": micros(lambda: pick(targets, book.of, 1.0, chance.randrange)),
        "second try in a pool of 50, µs": micros(lambda: pick(targets, book.of, 1.0, chance.randrange, tried={"p/m1"})),
    }


if __name__ == "__main__":
    print(json.dumps(measured(), indent=2, ensure_ascii=False))
