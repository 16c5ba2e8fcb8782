"""The table and the plots of a simulation.

Law: of all seeds the worst is shown beside the median; nothing is rounded so that it passes.
"""

import json
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from simulate.scenarios import BEGIN, Promise
from simulate.upstreams import Trouble
from simulate.world import Run, Setting, simulate


@dataclass(frozen=True)
class Measured:
    scenario: str
    promise: Promise
    values: tuple[float, ...]  # one per seed

    @property
    def worst(self) -> float:
        return min(self.values) if self.promise.at_least else max(self.values)

    @property
    def kept(self) -> bool:
        return self.promise.kept(self.worst)


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 10 else f"{value:.0f}"


def markdown(rows: Iterable[Measured]) -> str:
    lines = ["| what happens | what must hold | limit | median | worst seed | kept |", "|" + " --- |" * 6]
    for row in rows:
        sign = "≥" if row.promise.at_least else "≤"
        lines.append(
            f"| {row.scenario} | {row.promise.text} | {sign} {_number(row.promise.limit)} | "
            f"{_number(statistics.median(row.values))} | {_number(row.worst)} | {'yes' if row.kept else 'NO'} |"
        )
    return "\n".join(lines) + "\n"


def write(rows: list[Measured], seeds: int, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "pools.md").write_text(f"Worst and median of {seeds} seeds.\n\n{markdown(rows)}")
    data = [{"scenario": row.scenario, "promise": row.promise.text, "limit": row.promise.limit,
             "values": [round(one, 4) for one in row.values]} for row in rows]  # fmt: skip
    (folder / "pools.json").write_text(json.dumps({"seeds": seeds, "rows": data}, indent=1) + "\n")
    plot(folder / "pools.png")


_SHOWN = {
    "a target refuses for 40 s": Setting(4, {0: Trouble("refuse", BEGIN, BEGIN + 40)}, 20, 120),
    "a target swallows everything for 40 s": Setting(4, {0: Trouble("black-hole", BEGIN, BEGIN + 40)}, 20, 120),
    "a target is ten times as slow for 40 s": Setting(4, {0: Trouble("slow", BEGIN, BEGIN + 40)}, 20, 120),
}
_STEP = 3.0


def plot(file: Path) -> None:
    """Share of the load and time to first token as they go, for three troubles of the first of four targets."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(_SHOWN), figsize=(14, 6), sharex=True)
    for column, (title, setting) in enumerate(_SHOWN.items()):
        run = simulate(setting, 1)
        times = [_STEP * step for step in range(int(setting.seconds / _STEP))]
        above, below = axes[0][column], axes[1][column]
        for target in range(setting.targets):
            shares = [run.share(target, begin, begin + _STEP) for begin in times]
            above.plot(times, shares, label=f"target {target + 1}", lw=2 if target == 0 else 1)
        above.set_title(title)
        above.set_ylabel("share of the load")
        for part, name in ((0.5, "median"), (0.99, "99 %")):
            below.plot(times, [_wait(run, begin, part) for begin in times], label=name)
        below.set_yscale("log")
        below.set_ylabel("seconds to the first token")
        below.set_xlabel("seconds")
        for axis in (above, below):
            axis.axvspan(BEGIN, BEGIN + 40, color="#c92a2a", alpha=0.1)
            axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(file, dpi=80)


def _wait(run: Run, begin: float, part: float) -> float:
    waits = sorted(one.first - one.began for one in run.between(begin, begin + _STEP) if one.first is not None)
    return waits[min(int(len(waits) * part), len(waits) - 1)] if waits else float("nan")
