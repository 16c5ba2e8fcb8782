"""The peers of the measurement: LiteLLM's proxy and Portkey's gateway, as installed, in front of the same upstream.

Law: installed under .bench/ and nowhere else; what cannot be installed is said and left out, not guessed.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.servers import NotUp, Started, free_port, wait_for

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".bench"
LITELLM = "litellm[proxy]>=1.100"
PORTKEY = "@portkey-ai/gateway@1.15"

Say = Callable[[str], None]
Measure = Callable[[Started, int, dict[str, str]], dict[str, float]]


def install_litellm(say: Say) -> Path | None:
    python = PLACE / "litellm" / "bin" / "python"
    program = python.parent / "litellm"
    if not program.exists():
        say("installing LiteLLM under .bench/ (once)")
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        # pip gives up on its dependencies; uv resolves them.
        uv = Path(sys.prefix) / "bin" / "uv"
        command = [str(uv), "pip", "install", "-q", "--python", str(python), LITELLM]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            say(f"LiteLLM could not be installed: {done.stderr.strip().splitlines()[-1]}")
            return None
    return program


def install_portkey(say: Say) -> Path | None:
    folder = PLACE / "portkey"
    program = folder / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not program.exists():
        if shutil.which("npm") is None:
            say("Portkey needs Node and npm, which are not here")
            return None
        say("installing Portkey under .bench/ (once)")
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), PORTKEY],
                              capture_output=True, text=True)  # fmt: skip
        if done.returncode or not program.exists():
            say(f"Portkey could not be installed: {(done.stderr or 'no server in the package').strip()[-300:]}")
            return None
    return program


def measure_peers(folder: Path, upstream: int, started: list[Started], measure: Measure, say: Say) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name, run in (("LiteLLM", litellm), ("Portkey", portkey)):
        try:
            row = run(folder, upstream, started, measure, say)
        except NotUp as error:
            say(f"{name} is left out: {error}")
            continue
        if row is not None:
            rows[name] = row
    return rows


def litellm(folder: Path, upstream: int, started: list[Started], measure: Measure, say: Say) -> dict[str, float] | None:
    program = install_litellm(say)
    if program is None:
        return None
    port = free_port()
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n  - model_name: conflux/deepseek-v4-pro\n    litellm_params:\n"
        "      model: openai/deepseek-v4-pro\n      api_key: none\n"
        f"      api_base: http://127.0.0.1:{upstream}/v1\n"
    )
    env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False",
           "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}  # fmt: skip
    command = [str(program), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    server = Started("litellm", command, 0, env, str(folder))
    started.append(server)
    say("LiteLLM: plain")
    wait_for(f"http://127.0.0.1:{port}/health/liveliness", 120)
    try:
        return measure(server, port, {"authorization": "Bearer none"})
    finally:
        server.stop()


def portkey(folder: Path, upstream: int, started: list[Started], measure: Measure, say: Say) -> dict[str, float] | None:
    program = install_portkey(say)
    if program is None:
        return None
    port = free_port()
    server = Started("portkey", ["node", str(program), f"--port={port}", "--headless"], 0, None, str(folder))
    started.append(server)
    say("Portkey: plain")
    wait_for(f"http://127.0.0.1:{port}/")
    target = {"provider": "openai", "api_key": "none", "custom_host": f"http://127.0.0.1:{upstream}/v1"}
    try:
        return measure(server, port, {"authorization": "Bearer none", "x-portkey-config": json.dumps(target)})
    finally:
        server.stop()
