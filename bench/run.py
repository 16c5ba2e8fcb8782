"""./run bench: the gateway beside nginx (and, with --peers, LiteLLM and Portkey): CPU per request and per chunk.

Law: ratios of one run. Everybody gets the same upstream, the same bodies and the same core; CPU is what the kernel
charged the measured processes (user + system), divided by what came out at the other end.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from sysconfig import get_config_var
from typing import Any

from bench.edges import first_byte_ms, fsync_ms, open_streams, start_to_ready
from bench.lists import measure_lists
from bench.report import write_report
from bench.servers import Started, free_port, wait_for

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODEL = "conflux/deepseek-v4-pro"
UPSTREAM_MODEL = "deepseek-v4-pro-260425"

ANSWER = {
    "id": "chatcmpl-benchmark0001", "object": "chat.completion", "created": 1700000000, "model": UPSTREAM_MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "The capital of France is Paris. " * 3},
                 "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 70, "completion_tokens": 24, "total_tokens": 94},
}  # fmt: skip


CHAT = "/v1/chat/completions"


def request_body(stream: bool) -> bytes:
    body: dict[str, Any] = {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {
                "role": "user",
                "content": "What is the capital of France? Answer in one sentence, please." + " Think." * 8,
            },
        ],
        "max_tokens": 100,
        "temperature": 0.7,
    }
    if stream:
        body["stream"] = True
    return json.dumps(body, separators=(",", ":")).encode()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def nginx_path() -> str:
    return shutil.which("nginx") or "/usr/sbin/nginx"


def nginx_conf(folder: Path, plain_port: int, proxy_port: int, stream_port: int) -> dict[str, Path]:
    """Two instances: the upstream of the plain measurements, and the proxy that is the yardstick."""
    answer = json.dumps(ANSWER, separators=(",", ":")).replace("'", "\\'")
    common = "daemon off; master_process on; worker_processes 1; error_log {0}/err.log crit; pid {0}/{1}.pid;\n" \
             "events {{ worker_connections 4096; }}\n"  # fmt: skip
    http = (
        "http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {0}/body; "
        "proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n{1} }}\n"
    )
    upstream = (
        f"server {{ listen 127.0.0.1:{plain_port} backlog=4096; location / {{ default_type application/json; "
        f"return 200 '{answer}'; }} }}"
    )
    proxy = (
        f"upstream plain {{ server 127.0.0.1:{plain_port}; keepalive 256; }} "
        f"upstream streams {{ server 127.0.0.1:{stream_port}; keepalive 256; }}\n"
        f"server {{ listen 127.0.0.1:{proxy_port} backlog=4096; "
        "proxy_http_version 1.1; proxy_set_header Connection ''; "
        "location /v1/ { proxy_pass http://plain; } "
        "location /stream/ { proxy_pass http://streams; proxy_buffering off; } }"
    )
    files = {}
    for name, servers in (("upstream", upstream), ("proxy", proxy)):
        file = folder / f"{name}.conf"
        file.write_text(common.format(folder, name) + http.format(folder, servers))
        files[name] = file
    return files


def wrk(port: int, path: str, headers: dict[str, str], body: bytes, seconds: int, folder: Path) -> dict[str, float]:
    script = folder / "post.lua"
    lines = [f'wrk.method = "POST"; wrk.body = [==[{body.decode()}]==]',
             'wrk.headers["content-type"] = "application/json"',
             *(f'wrk.headers["{name}"] = [==[{value}]==]' for name, value in headers.items()),
             'done = function(s, l, r) io.write(string.format("RESULT %d %d %d %f %f\\n", s.requests, '
             's.errors.status + s.errors.connect + s.errors.read + s.errors.timeout, s.duration, '
             'l:percentile(50), l:percentile(99))) end']  # fmt: skip
    script.write_text("\n".join(lines))
    command = ["taskset", "-c", "1", "wrk", "-t1", "-c64", f"-d{seconds}s", "-s", str(script),
               f"http://127.0.0.1:{port}{path}"]  # fmt: skip
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", out)
    if found is None:
        raise SystemExit(f"bench: wrk said {out}")
    requests, errors, duration, p50, p99 = (float(one) for one in found.groups())
    return {"requests": requests, "errors": errors, "rate": requests / (duration / 1e6), "p50_ms": p50 / 1000,
            "p99_ms": p99 / 1000}  # fmt: skip


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def measure_plain(
    server: Started, port: int, path: str, headers: dict[str, str], seconds: int, folder: Path
) -> dict[str, float]:
    body = request_body(stream=False)
    wrk(port, path, headers, body, 2, folder)
    before = server.cpu()
    found = wrk(port, path, headers, body, seconds, folder)
    found["cpu_us"] = (server.cpu() - before) * 1e6 / max(found["requests"], 1)
    found["rss_mib"] = server.rss_mib()
    return found


def measure_streams(server: Started, port: int, path: str, key: str, count: int, rounds: int) -> dict[str, float]:
    command = ["taskset", "-c", "1", sys.executable, "-m", "bench.streams", str(port), path, key, str(count)]
    body = request_body(stream=True)
    subprocess.run([*command, "1"], input=body, capture_output=True, check=True, cwd=ROOT)
    before = server.cpu()
    done = subprocess.run([*command, str(rounds)], input=body, capture_output=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    found["cpu_us_per_chunk"] = (server.cpu() - before) * 1e6 / max(found["chunks"], 1)
    return found


def conflux_config(folder: Path, name: str, upstream: int | None) -> Path:
    """A gateway before one upstream; None: before none, so that its simulator stands in for every model."""
    file = folder / f"{name}.toml"
    if upstream is None:
        file.write_text("")
        return file
    file.write_text(
        '[[provider]]\nid = "local"\ndialect = "openai-chat"\n'
        f'base_url = "http://127.0.0.1:{upstream}/v1"\n'
        f'[[pool]]\nid = "deepseek-v4-pro"\n[[pool.target]]\nprovider = "local"\nmodel = "{UPSTREAM_MODEL}"\n'
    )
    return file


def start_conflux(folder: Path, name: str, upstream: int | None) -> tuple[Started, int, str]:
    port = free_port()
    data = folder / f"data-{name}"
    config = conflux_config(folder, name, upstream)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CONFLUX_LIMITS__DRAIN_SECONDS": "0"}
    base = [sys.executable, "-m", "conflux"]
    server = Started(name, [*base, "serve", "--config", str(config), "--data", str(data), "--port", str(port)], 0, env)
    wait_for(f"http://127.0.0.1:{port}/health/ready")
    flags = ["--config", str(config), "--data", str(data), "--json"]
    made = subprocess.run([*base, "keys", "create", "--storefront", "conflux", "--name", "bench", *flags],
                          capture_output=True, text=True, check=True, env=env)  # fmt: skip
    return server, port, json.loads(made.stdout)["key"]


class Bench:
    """One run: what is started, what is measured, in which order."""

    def __init__(self, folder: Path, seconds: int, streams: int, rounds: int) -> None:
        self.folder = folder
        self.seconds = seconds
        self.streams = streams
        self.rounds = rounds
        self.started: list[Started] = []
        self.rows: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}
        self.plain_port, self.proxy_port, self.stream_port = free_port(), free_port(), free_port()

    def start(self, name: str, command: list[str], core: int) -> Started:
        server = Started(name, command, core)
        self.started.append(server)
        return server

    def plain(self, server: Started, port: int, headers: dict[str, str], path: str = CHAT) -> dict[str, float]:
        return measure_plain(server, port, path, headers, self.seconds, self.folder)

    def run(self, peers: bool) -> None:
        nginx = nginx_path()
        files = nginx_conf(self.folder, self.plain_port, self.proxy_port, self.stream_port)
        self.start("upstream", [nginx, "-c", str(files["upstream"]), "-p", str(self.folder)], 1)
        self.start("streams", [sys.executable, str(HERE / "upstream.py"), str(self.stream_port)], 1)
        proxy = self.start("nginx", [nginx, "-c", str(files["proxy"]), "-p", str(self.folder)], 0)
        wait_for(f"http://127.0.0.1:{self.proxy_port}/v1/")
        say("nginx: plain, then streams")
        self.rows["nginx"] = dict(self.plain(proxy, self.proxy_port, bearer("none")))
        path = "/stream" + CHAT
        self.rows["nginx"] |= measure_streams(proxy, self.proxy_port, path, "none", self.streams, self.rounds)
        for label, path in (("conflux", CHAT), ("conflux, Anthropic client", "/v1/messages")):
            self.conflux(label, path)
        self.edges()
        self.lists()
        say("nginx again: plain")
        self.rows["nginx"]["cpu_us_again"] = self.plain(proxy, self.proxy_port, bearer("none"))["cpu_us"]
        if peers:
            from bench.peers import measure_peers

            self.rows |= measure_peers(self.folder, self.plain_port, self.started, self.plain, say)

    def conflux(self, label: str, path: str) -> None:
        """The upstream speaks chat completions; at another path every answer is translated."""
        say(f"{label}: plain, then streams")
        row = self.rows[label] = {}
        for kind, upstream in (("plain", self.plain_port), ("stream", self.stream_port)):
            server, port, key = start_conflux(self.folder, f"{kind}{path.replace('/', '-')}", upstream)
            self.started.append(server)
            if kind == "plain":
                row["rss_idle_mib"] = server.rss_mib()
                row |= self.plain(server, port, bearer(key), path)
            else:
                row |= measure_streams(server, port, path, key, self.streams, self.rounds)
            server.stop()

    def edges(self) -> None:
        """The start, the first byte when idle, a thousand streams of 30 s."""
        say("start, first byte when idle")
        port, folder = free_port(), self.folder
        config = conflux_config(folder, "edges", self.stream_port)
        flags = ["--config", str(config), "--data", str(folder / "data-start"), "--port", str(port)]
        command = [sys.executable, "-m", "conflux", "serve", *flags]
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        self.facts["first_start_s"] = round(start_to_ready(command, port, env), 2)
        self.facts["second_start_s"] = round(min(start_to_ready(command, port, env) for _ in range(3)), 2)
        quick, slow = free_port(), free_port()
        upstream = [sys.executable, str(HERE / "upstream.py")]
        # Few chunks, apart: one that sends all at once would compete with the client for what is measured.
        self.start("quick", [*upstream, str(quick), "0.01", "3"], 1)
        server, port, key = start_conflux(folder, "idle", quick)
        self.started.append(server)
        body, path = request_body(stream=True), CHAT
        direct = first_byte_ms(quick, path, key, body)
        through = first_byte_ms(port, path, key, body)
        disk = fsync_ms(folder)
        added = through[len(through) // 2] - direct[len(direct) // 2]
        self.facts |= {"first_byte_added_ms": round(added, 3), "fsync_p50_ms": round(disk, 3),
                       "first_byte_added_beyond_2_fsyncs_ms": round(added - 2 * disk, 3)}  # fmt: skip
        server.stop()
        say("1,000 streams of 30 s")
        self.start("slow", [*upstream, str(slow), "0.3"], 1)
        server, port, key = start_conflux(folder, "many", slow)
        self.started.append(server)
        found = open_streams(server, port, path, key, body, 1000)
        self.facts |= {"open_streams": found["streams"], "open_streams_lost": found["lost"],
                       "kib_per_open_stream": round(found["kib_per_stream"], 1)}  # fmt: skip
        server.stop()

    def lists(self) -> None:
        say("lists of models beside a static body")
        server, port, key = start_conflux(self.folder, "lists", None)
        self.started.append(server)
        self.facts |= measure_lists(server, port, key, self.folder, 2)
        server.stop()

    def stop(self) -> None:
        for one in self.started:
            if one.process.poll() is None:
                one.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=8, help="per plain measurement")
    parser.add_argument("--streams", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=4, help="of streams")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--peers", action="store_true", help="LiteLLM and Portkey too, installed under .bench/")
    asked = parser.parse_args()
    for tool in ("nginx", "wrk", "taskset"):
        if shutil.which(tool) is None and not Path(f"/usr/sbin/{tool}").exists():
            raise SystemExit(f"bench: {tool} is needed: apt-get install nginx wrk util-linux")
    with tempfile.TemporaryDirectory(prefix="conflux-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        bench = Bench(folder, asked.seconds, asked.streams, asked.rounds)
        try:
            bench.run(asked.peers)
        finally:
            bench.stop()
    build = "shared library" if get_config_var("Py_ENABLE_SHARED") else "static"
    facts = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}",
        "python": f"{platform.python_version()}, {build}",
        "seconds": asked.seconds,
        "streams_at_once": asked.streams,
        "date": time.strftime("%Y-%m-%d"),
        **bench.facts,
    }
    write_report(bench.rows, facts, asked.out)


if __name__ == "__main__":
    main()
