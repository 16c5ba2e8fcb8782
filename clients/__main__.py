"""`./run clients`: Claude Code and Codex CLI, as npm has them, run errands through the gateway over every upstream.

Law: nothing is played but the model: the real programs, started by `conflux run`, the real gateway, the simulator. Each
errand has a folder and a home of its own. The table goes to the screen and to clients/results.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

from clients.errands import CLIENTS, ERRANDS, FIRST, SECOND, Errand, Heard
from tests.interop.cases import UPSTREAMS
from tests.interop.matrix import Pair, model_of, model_row, serving
from tests.sdk.nodes import NODE, install, started_with

HERE = Path(__file__).resolve().parent
PATIENCE = 90.0
_HEAD = """\
# The real clients

Written by `./run clients`: {versions}, headless, started by `conflux run`,
over the simulator in every upstream protocol. {passed} of {all} passed.
"""


# Codex gives its tool for patches only to models that begin with a name it knows.
KNOWN = "gpt-5.5-over-{}"


class Run(NamedTuple):
    client: str
    upstream: str
    errand: Errand


class Ended(NamedTuple):
    well: bool
    seconds: float
    words: str  # of one that went wrong


def run(pair: Pair, node: Path, one: Run) -> Ended:
    client = CLIENTS[one.client]
    with tempfile.TemporaryDirectory() as made:
        home, folder = Path(made) / "home", Path(made) / "work"
        home.mkdir()
        folder.mkdir()
        (folder / "a.txt").write_text(f"{FIRST}\n")
        (folder / "b.txt").write_text(f"{SECOND}\n")
        served = pair.served
        path = os.pathsep.join([str(node / "node_modules" / ".bin"), str(NODE.parent), os.environ["PATH"]])
        environment = {**served.environment, "PATH": path, "HOME": str(home), **client.environment}
        command = [sys.executable, "-m", "conflux", "run", "--data", str(served.data), "--config", str(served.config),
                   "--model", KNOWN.format(one.upstream), one.client,
                   *client.arguments(one.errand.prompt(one.client, folder))]  # fmt: skip
        began = time.monotonic()
        try:
            ended = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                                   text=True, timeout=PATIENCE, check=False)  # fmt: skip
            heard = client.hear(ended.stdout)
            words = f"{heard.text[-500:]!r} {ended.stderr[-500:]}"
        except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
            heard, words = Heard("", True), f"{type(error).__name__}: {error}"[-1000:]
            return Ended(False, time.monotonic() - began, words)
        return Ended(one.errand.done(heard, folder), time.monotonic() - began, words)


def table(found: dict[Run, Ended], versions: str) -> str:
    text = _HEAD.format(versions=versions, passed=sum(one.well for one in found.values()), all=len(found))
    for client in sorted({one.client for one in found}):
        upstreams = [name for name in UPSTREAMS if any((one.client, one.upstream) == (client, name) for one in found)]
        text += f"\n## {client}\n\n| | {' | '.join(f'over {name}' for name in upstreams)} |\n"
        text += "| --- |" + " --- |" * len(upstreams) + "\n"
        for errand in (errand for errand in ERRANDS if any(one.errand == errand for one in found)):
            cells = [found[Run(client, name, errand)] for name in upstreams]
            text += f"| {errand.name} | {' | '.join('yes' if one.well else 'NO' for one in cells)} |\n"
    return text


def main() -> int:
    asked = argparse.ArgumentParser(prog="./run clients", description=__doc__)
    asked.add_argument("--client", action="append", choices=list(CLIENTS), help="only this one")
    asked.add_argument("--over", action="append", choices=list(UPSTREAMS), help="only this upstream protocol")
    asked.add_argument("--errand", action="append", choices=[one.name for one in ERRANDS], help="only this errand")
    only = asked.parse_args()
    node = install(HERE / "node", "node_modules/@anthropic-ai/claude-code/install.cjs")
    programs = only.client or list(CLIENTS)
    errands = [one for one in ERRANDS if only.errand is None or one.name in only.errand]
    runs = [Run(*one) for one in product(programs, only.over or list(UPSTREAMS), errands)]
    rows = "".join(model_row(KNOWN.format(name), model_of(name).removeprefix("acme/")) for name in UPSTREAMS)
    with serving(more=rows) as pair, ThreadPoolExecutor(2) as pool:
        found = {}
        for one, ended in zip(runs, pool.map(lambda one: run(pair, node, one), runs), strict=True):
            found[one] = ended
            mark = "yes" if ended.well else f"NO: {ended.words}"
            print(f"{one.client} over {one.upstream}: {one.errand.name}: {ended.seconds:.1f} s {mark}", flush=True)
    said = table(found, " and ".join(version(node, name) for name in programs))
    print(f"\n{said}")
    if not (only.client or only.over or only.errand):
        (HERE / "results.md").write_text(said)
    return not all(ended.well for ended in found.values())


def version(node: Path, program: str) -> str:
    environment = {**started_with(), "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    command = [str(node / "node_modules" / ".bin" / program), "--version"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return f"{program} {ended.stdout.strip().removeprefix('codex-cli ')}"


if __name__ == "__main__":
    sys.exit(main())
