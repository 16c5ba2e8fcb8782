"""docs/compatibility.md, written by the matrix: `./run compatibility` makes it anew.

Law: not a word of the tables is typed by hand; a cell that fails is never written.
"""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.interop.cases import CASES, FACES, UPSTREAMS
from tests.interop.matrix import Cell, Pair, cells, run, serving

PAGE = Path(__file__).resolve().parents[2] / "docs" / "compatibility.md"
_HEAD = """\
# Compatibility

Which client protocol works over which upstream protocol. The tests make this page (`./run compatibility`): each cell is
a request through the running gateway to the simulator and back, not streamed and streamed, judged by the official
client's own types where there is one.

- **yes**: content, tool calls, reason of the end, usage, id, model and the stream's last event are all there.
- **yes, without x**: the same; what the upstream's protocol cannot say was left out, and named in the `-dropped` header
  of the answer and on its receipt.
- **refused: x**: answered with 400 that names the field.

Where the two ways of delivery differ, the plain answer stands before the streamed one. Tools are called, and their
results sent back in the same conversation. Thinking that an upstream signed goes back to that upstream only.
"""


def outcomes(pair: Pair) -> dict[Cell, str]:
    """Of all cells; of one that fails, "FAILED" and why."""

    def one(cell: Cell) -> str:
        try:
            return run(pair, cell)
        except Exception as error:  # noqa: BLE001  (whatever is wrong with one cell, the others are judged too)
            return f"FAILED: {type(error).__name__}: {error}"

    every = list(cells())
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(every, pool.map(one, every), strict=True))


def page(found: Mapping[Cell, str]) -> str:
    text = _HEAD
    for face in FACES:
        text += f"\n## Clients of {face}\n\n| | {' | '.join(f'over {name}' for name in UPSTREAMS)} |\n"
        text += "| --- |" + " --- |" * len(UPSTREAMS) + "\n"
        for case in CASES:
            ways = [[found[Cell(face, upstream, case, stream)] for stream in (False, True)] for upstream in UPSTREAMS]
            shown = [one[0] if one[0] == one[1] else f"{one[0]} / {one[1]}" for one in ways]
            text += f"| {case} | {' | '.join(shown)} |\n"
    return text


def main() -> int:
    with serving() as pair:
        found = outcomes(pair)
    failed = {cell: text for cell, text in found.items() if text.startswith("FAILED")}
    for cell, text in failed.items():
        print(f"{cell}: {text}", file=sys.stderr)
    if not failed:
        PAGE.write_text(page(found))
    print(f"{len(found)} cells, {len(failed)} failed", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
