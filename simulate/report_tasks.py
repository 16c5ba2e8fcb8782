"""The table and the plots of task routing.

Law: as report.py's; the first seed is drawn, all are counted.
"""

import json
from itertools import accumulate
from pathlib import Path

from simulate.report import Measured, markdown
from simulate.tasks import CHANGE, REQUESTS, Played, Step, tasks

_WINDOW = 50  # requests


def write_tasks(rows: list[Measured], seeds: range, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    said = f"Worst and median of {len(seeds)} seeds, {seeds[0]} to {seeds[-1]}."
    (folder / "tasks.md").write_text(f"{said}\n\n{markdown(rows)}")
    data = [{"scenario": row.scenario, "promise": row.promise.text, "limit": row.promise.limit,
             "values": [round(one, 4) for one in row.values]} for row in rows]  # fmt: skip
    (folder / "tasks.json").write_text(json.dumps({"seeds": [*seeds], "rows": data}, indent=1) + "\n")
    plot(folder / "tasks.png", seeds[0])


def plot(file: Path, seed: int) -> None:
    """Regret over time beside random choices, then who is asked and for how long while the favourite gets slow."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    still, stepped = tasks(REQUESTS, seed), tasks(REQUESTS, seed, Step(CHANGE, "slower"))
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4))
    for name, costs in _regrets(still).items():
        left.plot(costs, label=name)
    left.set_title("dollars beyond the oracle's, added up")
    begins = range(0, REQUESTS, _WINDOW)
    for name in sorted({one.model for one in stepped.choices}):
        shares = [sum(one.model == name for one in stepped.choices[at : at + _WINDOW]) / _WINDOW for at in begins]
        middle.plot(begins, shares, label=name, lw=2 if name == stepped.stepped else 1)
    middle.set_title(f"share of the requests; {stepped.stepped} gets 3 times as slow")
    waits = [sum(one.seconds for one in stepped.choices[at : at + _WINDOW]) / _WINDOW for at in begins]
    right.plot(begins, waits)
    right.set_title("seconds an answer takes, in expectation")
    for axis in (middle, right):
        axis.axvline(CHANGE, color="#c92a2a", alpha=0.4)
    for axis in (left, middle):
        axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(file, dpi=80)


def _regrets(played: Played) -> dict[str, list[float]]:
    best = [min(one.costs.values()) for one in played.choices]
    ways = {
        "the router": [one.costs[one.model] for one in played.choices],
        "at random": [sum(one.costs.values()) / len(one.costs) for one in played.choices],
    }
    usd = 1e9
    return {
        name: list(accumulate((cost - least) / usd for cost, least in zip(costs, best, strict=True)))
        for name, costs in ways.items()
    }
