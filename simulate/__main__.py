"""./run simulate: the real router in played time. Prints what was promised and what was measured, and keeps both.

Law: no real time, no real network, the same seeds give the same table. Exit status 1 where a promise is broken.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from simulate.report import Measured, markdown, write
from simulate.report_tasks import write_tasks
from simulate.scenarios import TASKS, Scenario, scenarios

RESULTS = Path(__file__).resolve().parent / "results"


def chosen(only: str | None) -> list[Scenario]:
    return [one for one in scenarios() if only is None or only in one.name]


def measured(only: str | None, place: int, seed: int) -> tuple[int, list[float]]:
    """One run, in a process of its own: told by its place, as a scenario's functions do not travel."""
    scenario = chosen(only)[place]
    played = scenario.play(seed)
    return place, [promise.measure(played) for promise in scenario.promises]


def runs(only: str | None, seeds: range, jobs: int) -> Iterator[tuple[int, list[float]]]:
    work = [(place, seed) for seed in seeds for place in range(len(chosen(only)))]
    with ProcessPoolExecutor(jobs) as pool:
        for one in [pool.submit(measured, only, place, seed) for place, seed in work]:
            yield one.result()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./run simulate",
        description="Drives the real router over played upstreams that fail in every way, in played time.",
        epilog="examples:  ./run simulate            ./run simulate --seeds 3 --only black-hole",
    )
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="runs of each scenario (default 20)")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="the first of the seeds (default 1)")
    parser.add_argument(
        "--only",
        metavar="TEXT",
        help="only the scenarios whose name holds this; nothing is kept then, but of all tasks ('tasks: ')",
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    asked = parser.parse_args()
    todo = chosen(asked.only)
    if not todo or asked.seeds < 1 or asked.jobs < 1:
        names = ", ".join(one.name for one in scenarios())
        parser.error(f"--seeds and --jobs begin with 1, and --only must be part of one of: {names}")
    began = time.monotonic()
    seeds = range(asked.first, asked.first + asked.seeds)
    values: list[list[list[float]]] = [[[] for _ in one.promises] for one in todo]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("simulating", total=len(todo) * asked.seeds)
        for place, found in runs(asked.only, seeds, asked.jobs):
            for kept, value in zip(values[place], found, strict=True):
                kept.append(value)
            progress.advance(bar)
    rows = [
        Measured(scenario.name, promise, tuple(found))
        for scenario, all_found in zip(todo, values, strict=True)
        for promise, found in zip(scenario.promises, all_found, strict=True)
    ]
    print(markdown(rows))
    broken = [row for row in rows if not row.kept]
    print(f"{len(rows)} promises, {len(broken)} broken; {asked.seeds} seeds, {time.monotonic() - began:.0f} s",
          file=sys.stderr)  # fmt: skip
    if asked.only is None:
        write([row for row in rows if not row.scenario.startswith(TASKS)], asked.seeds, RESULTS)
    if asked.only in (None, TASKS):
        write_tasks([row for row in rows if row.scenario.startswith(TASKS)], seeds, RESULTS)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
