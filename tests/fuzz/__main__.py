"""./run fuzz: the long form. Every target is run to its end, and the last table is kept in bench/results/fuzz.md.

Law: an input that raises is counted and printed, for CORPUS; the others go on. The table says what was run, clean or
not.
"""

import sys
import time
import traceback
from pathlib import Path
from random import Random

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import CORPUS, TARGETS, Target

KEPT = Path(__file__).resolve().parents[2] / "bench" / "results" / "fuzz.md"
_SHOWN = 5  # of one target's failures


def tried(name: str, target: Target, count: int) -> tuple[int, int]:
    """How many inputs, and how many of them raised."""
    chance, failed = Random(f"{name} {count}"), 0
    inputs = [*target.seeds, *CORPUS.get(name, ())]
    for number in range(count):
        data = inputs[number] if number < len(inputs) else mutated(target.seeds, chance)
        try:
            target.run(data, Random(number))
        except Exception:  # noqa: BLE001  (whatever it is, it is what is looked for)
            failed += 1
            if failed <= _SHOWN:
                print(f"{name}, input {number}: {data!r}\n{traceback.format_exc()}", file=sys.stderr)
    return count, failed


def main() -> int:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    each, began, rows = -(-wanted // len(TARGETS)), time.monotonic(), []
    for name, target in sorted(TARGETS.items()):
        rows.append((name, *tried(name, target, each)))
        print(f"{name}: {rows[-1][1]:,} inputs, {rows[-1][2]} unhandled exceptions", flush=True)
    inputs, failed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    text = (
        f"# The last fuzz run\n\n`./run fuzz {wanted}`, {time.monotonic() - began:.0f} s, {time.strftime('%Y-%m-%d')}: "
        f"{inputs:,} random and mutated inputs over {len(rows)} parsers, {failed} unhandled exceptions.\n\n"
        "| parser | inputs | unhandled exceptions |\n| --- | --- | --- |\n"
    )
    text += "".join(f"| {name} | {count:,} | {broken} |\n" for name, count, broken in rows)
    KEPT.write_text(text)
    print(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
