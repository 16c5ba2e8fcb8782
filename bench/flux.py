"""What a panel costs in time beyond its slowest source and its fuser: `python -m bench.flux`.

Law: in every round the same upstream is asked three ways: the panel through the gateway, its three sources at once and
its fuser alone without the gateway. What is left of the first, less the other two, is ours; the median of the rounds
counts, since a neighbour on the machine comes and goes.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.edges import fsync_ms
from bench.servers import Started, free_port, wait_for
from conflux.neutral.request import Message, Request, Role, Text
from conflux.routing.flux_prompt import fusing

ROOT = Path(__file__).resolve().parent.parent
CHAT = "/v1/chat/completions"
SOURCES = ("deepseek-v4-pro", "kimi-k2.6", "minimax-m2.7")
FUSER = "glm-5.1"
ROUNDS, WARM = 60, 5
_SAID = "Because blue light is scattered most."
_QUESTION = f"[[slow-first: 60]] [[say: {_SAID}]]"
_TURN = [{"role": "user", "content": _QUESTION}]


class Line:
    """One connection that is kept."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def ask(self, body: dict[str, Any]) -> float:
        """Milliseconds until the whole answer is here."""
        began = time.perf_counter()
        self._connection.request("POST", CHAT, json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"bench: {answer.status} {said[:300]!r}")
        return (time.perf_counter() - began) * 1000


def shown_to_the_fuser() -> list[dict[str, str]]:
    """What the gateway makes of the turn and three drafts: the simulator answers it at once, with a synthesis."""
    turn = Message(role=Role.USER, parts=(Text(text=_QUESTION),))
    request = fusing(Request(dialect="openai-chat", messages=(turn,)), [_SAID] * len(SOURCES), "0" * 32)
    return [{"role": one.role.value, "content": "".join(part.text for part in one.parts if isinstance(part, Text))}
            for one in request.messages]  # fmt: skip


def configured(folder: Path, upstream: int) -> Path:
    pools = "".join(
        f'[[pool]]\nid = "{name}"\n[[pool.target]]\nprovider = "local"\nmodel = "{name}"\n'
        for name in (*SOURCES, FUSER)
    )
    file = folder / "flux.toml"
    file.write_text(
        f'[[provider]]\nid = "local"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:{upstream}/v1"\n{pools}'
    )
    return file


def rounds(panel: Line, direct: list[Line]) -> tuple[list[float], list[float]]:
    """What was ours in each round, and what the panel took."""
    asked = {"flux": {"sources": [f"conflux/{one}" for one in SOURCES], "fuser": f"conflux/{FUSER}", "quorum": 3}}
    drafts = {"model": FUSER, "messages": shown_to_the_fuser()}
    ours, whole = [], []
    with ThreadPoolExecutor(len(SOURCES)) as pool:
        for number in range(ROUNDS + WARM):
            total = panel.ask({**asked, "messages": _TURN})
            bodies = [{"model": one, "messages": _TURN} for one in SOURCES]
            slowest = max(pool.map(Line.ask, direct, bodies))
            fuser = direct[0].ask(drafts)
            if number >= WARM:
                whole.append(total)
                ours.append(total - slowest - fuser)
    return ours, whole


def measured(folder: Path) -> dict[str, float]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CONFLUX_LIMITS__DRAIN_SECONDS": "0"}
    base = [sys.executable, "-m", "conflux"]
    upstream, port = free_port(), free_port()
    flags = ["--config", str(configured(folder, upstream)), "--data", str(folder / "data")]
    started = [Started("sim", [*base, "sim", "--port", str(upstream)], 1, env),
               Started("flux", [*base, "serve", *flags, "--port", str(port)], 0, env)]  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{upstream}/v1/models")
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        made = subprocess.run([*base, "keys", "create", "--storefront", "conflux", "--name", "bench", "--json", *flags],
                              capture_output=True, text=True, check=True, env=env)  # fmt: skip
        ours, whole = rounds(Line(port, json.loads(made.stdout)["key"]), [Line(upstream, "any") for _ in SOURCES])
    finally:
        for one in started:
            one.stop()
    return {
        "a panel of three and its fuser, ms": round(median(whole), 2),
        "of these beyond the slowest source and the fuser, ms": round(median(ours), 2),
        "the same, 9 of 10 rounds below, ms": round(quantiles(ours, n=10)[-1], 2),
        "this disk's fsync, ms": round(fsync_ms(folder), 2),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made_for_it:
        print(json.dumps(measured(Path(made_for_it)), indent=2))
