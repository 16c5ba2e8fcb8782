"""What a list of models costs beside a static body of the same size by the same server: `python -m bench.lists`.

Law: both run at once, each with its own load in turn, several rounds; the ratio is of the medians, because a
neighbour on the machine comes and goes.
"""

import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from statistics import median

from bench.servers import Started, free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5


def load(port: int, path: str, headers: dict[str, str], seconds: int) -> float:
    """Requests that were answered 2xx; anything else ends the run."""
    sent = [one for name, value in headers.items() for one in ("-H", f"{name}: {value}")]
    command = ["taskset", "-c", "1", "wrk", "-t1", "-c64", f"-d{seconds}s", *sent, f"http://127.0.0.1:{port}{path}"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) requests in", out)
    if found is None or "Non-2xx" in out or int(found[1]) == 0:
        raise SystemExit(f"bench: wrk said {out}")
    return float(found[1])


def cpu_us(server: Started, port: int, path: str, headers: dict[str, str], seconds: int) -> float:
    before = server.cpu()
    requests = load(port, path, headers, seconds)
    return (server.cpu() - before) * 1e6 / requests


def measure_lists(gateway: Started, port: int, key: str, folder: Path, seconds: int) -> dict[str, float]:
    """Per kind of answer: the list's CPU per request, the static body's, and the ratio."""
    plain = {"authorization": f"Bearer {key}"}
    kinds = {"keyless": {}, "with a key": plain, "with a key, gzip": {**plain, "accept-encoding": "gzip"}}
    found: dict[str, float] = {}
    for kind, headers in kinds.items():
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/v1/models", headers=headers)
        with urllib.request.urlopen(asked) as answer:
            body = answer.read()
        file = folder / "list.body"
        file.write_bytes(body)
        other = free_port()
        static = Started("static", [sys.executable, "-m", "bench.static", str(other), str(file)], 0, cwd=str(ROOT))
        try:
            wait_for(f"http://127.0.0.1:{other}/")
            rounds = [
                (cpu_us(gateway, port, "/v1/models", headers, seconds), cpu_us(static, other, "/", headers, seconds))
                for _ in range(ROUNDS + 1)
            ][1:]
        finally:
            static.stop()
        mine, base = median(one for one, _ in rounds), median(one for _, one in rounds)
        figures = {"bytes": len(body), "µs": round(mine, 1), "static µs": round(base, 1), "× static": mine / base}
        found |= {f"list {kind}, {name}": round(value, 2) for name, value in figures.items()}
    return found


def main() -> None:
    from bench.run import start_conflux

    with tempfile.TemporaryDirectory(prefix="conflux-bench-") as name:
        server, port, key = start_conflux(Path(name), "lists", None)
        try:
            print(json.dumps(measure_lists(server, port, key, Path(name), 2), indent=2, ensure_ascii=False))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
