"""./run torture: the long form; its last table is kept in bench/results/torture.md."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from conflux.sim.server import SimServer
from tests.torture.kill import ROOT, Result, torture


async def run(requests: int, kills: int, at_once: int, seed: int) -> Result:
    simulator = SimServer()
    port = await simulator.start()
    try:
        with tempfile.TemporaryDirectory(prefix="conflux-torture-") as folder:
            return await torture(Path(folder), requests, kills, at_once, port, seed)
    finally:
        await simulator.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run torture", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    began = time.monotonic()
    result = asyncio.run(run(asked.requests, asked.kills, asked.at_once, asked.seed))
    text = (
        f"`./run torture --requests {asked.requests} --kills {asked.kills} --at-once {asked.at_once} "
        f"--seed {asked.seed}`, {time.monotonic() - began:.0f} s, {time.strftime('%Y-%m-%d')}\n\n"
        f"| what | count |\n| --- | --- |\n{result.table()}\n"
    )
    print(text)
    kept = ROOT / "bench" / "results" / "torture.md"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("# The last torture run\n\n" + text)
    for name in ("missing", "unbilled", "undercounted", "open_receipts"):
        for line in getattr(result, name)[:20]:
            print(f"{name}: {line}", file=sys.stderr)
    sys.exit(0 if result.clean else 1)


if __name__ == "__main__":
    main()
