"""What the load figures do not show: the start, the first byte when nothing else is going on, a thousand open streams.

Law: differences and per-stream shares, each against its own zero in the same run.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.servers import Started, wait_for

ROOT = Path(__file__).resolve().parents[1]


def start_to_ready(command: list[str], port: int, env: dict[str, str]) -> float:
    """Seconds from the process's start to its first ready answer."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def first_byte_ms(port: int, path: str, key: str, body: bytes, times: int = 200) -> list[float]:
    """One stream after the other on one connection; when its first content came. On the core of whoever asks."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    try:
        return _first_byte_ms(port, path, key, body, times)
    finally:
        os.sched_setaffinity(0, own)


def _first_byte_ms(port: int, path: str, key: str, body: bytes, times: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    found = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        while b'"content"' not in response.readline():
            pass
        found.append((time.perf_counter() - began) * 1000)
        response.read()
    connection.close()
    return sorted(found)


def fsync_ms(folder: Path) -> float:
    """The disk's own price of a commit, for reading the latencies beside it."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return sorted(times)[100] * 1000


def open_streams(server: Started, port: int, path: str, key: str, body: bytes, count: int) -> dict[str, Any]:
    """So many streams at once: what each costs in memory, and how many came to their end."""
    idle = server.rss_mib()
    command = [sys.executable, "-m", "bench.streams", str(port), path, key, str(count), "1"]
    client = subprocess.Popen(["taskset", "-c", "1", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert client.stdin is not None and client.stdout is not None
    client.stdin.write(body)
    client.stdin.close()
    most = idle
    while client.poll() is None:
        most = max(most, server.rss_mib())
        time.sleep(0.25)
    found: dict[str, Any] = json.loads(client.stdout.read())
    found["kib_per_stream"] = (most - idle) * 1024 / count
    return found
