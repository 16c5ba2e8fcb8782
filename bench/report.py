"""The table and the plot of a run.

Law: raw numbers first, ratios to nginx beside them, nothing rounded away that decides a budget.
"""

import json
from pathlib import Path
from typing import Any

BUDGET = {"cpu_us": 4.5, "cpu_us_per_chunk": 2.0}


def ratio(rows: dict[str, dict[str, Any]], name: str, field: str) -> float | None:
    base, value = rows["nginx"].get(field), rows[name].get(field)
    return value / base if base and value is not None else None


def number(value: Any, digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def markdown(rows: dict[str, dict[str, Any]], facts: dict[str, Any]) -> str:
    columns = ("", "CPU µs per request", "× nginx", "requests/s", "p50 ms", "p99 ms", "CPU µs per chunk", "× nginx",
               "first byte p50 ms", "lost", "RSS MiB")  # fmt: skip
    lines = [
        "| fact | value |",
        "| --- | --- |",
        *(f"| {name.replace('_', ' ')} | {value} |" for name, value in facts.items()),
        "",
        "| " + " | ".join(columns) + " |",
        "|" + " --- |" * len(columns),
    ]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {number(row.get('cpu_us'))} | {number(ratio(rows, name, 'cpu_us'), 2)} | "
            f"{number(row.get('rate'), 0)} | {number(row.get('p50_ms'), 2)} | {number(row.get('p99_ms'), 2)} | "
            f"{number(row.get('cpu_us_per_chunk'))} | {number(ratio(rows, name, 'cpu_us_per_chunk'), 2)} | "
            f"{number(row.get('first_p50_ms'), 2)} | {row.get('lost', '-')} | {number(row.get('rss_mib'), 0)} |"
        )
    return "\n".join(lines) + "\n"


def write_report(rows: dict[str, dict[str, Any]], facts: dict[str, Any], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "latest.json").write_text(json.dumps({"facts": facts, "rows": rows}, indent=2) + "\n")
    text = markdown(rows, facts)
    (out / "latest.md").write_text(text)
    plot(rows, out / "latest.png")
    print(text)


def plot(rows: dict[str, dict[str, Any]], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    titles = (("cpu_us", "CPU per request, µs"), ("cpu_us_per_chunk", "CPU per streamed chunk, µs"))
    for axis, (field, title) in zip(axes, titles, strict=True):
        names = [name for name in rows if rows[name].get(field) is not None]
        values = [rows[name][field] for name in names]
        bars = axis.barh(names, values, color=["#888888" if name == "nginx" else "#3b5bdb" for name in names])
        axis.bar_label(bars, fmt="%.0f", padding=3)
        axis.axvline(rows["nginx"][field] * BUDGET[field], color="#c92a2a", linestyle="--", label="budget")
        if max(values) > 20 * min(values):
            axis.set_xscale("log")
        axis.invert_yaxis()
        axis.set_title(title)
        axis.legend()
        axis.margins(x=0.15)
    figure.tight_layout()
    figure.savefig(file, dpi=120)
