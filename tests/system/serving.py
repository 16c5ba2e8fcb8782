"""Conflux as its users run it: the real program in a process of its own, on a free loopback port.

Law: everything is asked for from outside (ports, sockets, signals, the command line); a server is ready when it has
printed its greeting, and is stopped by whoever started it. Nothing of it outlives its folder.
"""

import contextlib
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import conflux
from conflux.__main__ import main
from conflux.faces.control import ask

SOURCES = Path(conflux.__file__).parents[1]
PATIENCE = 30.0  # seconds that pass only where something is broken


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # by lower-case name
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Any]:
        return events(self.body)


class Ended(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


def events(body: bytes) -> list[Any]:
    """The data of a stream's events; [DONE] as the text it is."""
    found = []
    for block in body.split(b"\n\n"):
        if not block:
            continue
        assert block.startswith(b"data: ") and b"\n" not in block, block
        data = block.removeprefix(b"data: ")
        found.append("[DONE]" if data == b"[DONE]" else json.loads(data))
    return found


def said(found: Iterable[Any]) -> str:
    """The text that the deltas of a stream spell."""
    text = ""
    for event in found:
        if event != "[DONE]":
            text += "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ()))
    return text


def eventually(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait for something that another process does in its own time."""
    until = time.monotonic() + patience
    while not true():
        assert time.monotonic() < until, f"never happened: {what}"
        time.sleep(0.01)


class Served:
    def __init__(self, folder: Path, config: str | None = None, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "gateway.toml"
        self.environment = {**os.environ, "PYTHONPATH": str(SOURCES), **(environment or {})}
        # No load balancer watches; a test that plays one says so.
        self.environment.setdefault("CONFLUX_LIMITS__DRAIN_SECONDS", "0")
        self.printed: list[str] = []
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        if config is not None:
            self.config.write_text(config)

    # --- its life

    def start(self, *flags: str) -> "Served":
        with open(self.folder / "stderr", "w") as stderr:
            process = self._process = subprocess.Popen(
                self._command("serve", "--port", "0", *flags), cwd=self.folder, env=self.environment,
                stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip
        assert process.stdout is not None
        self.printed = []
        for line in process.stdout:
            self.printed.append(line.rstrip("\n"))
            if line.startswith("  try"):
                break
        else:
            process.wait(PATIENCE)
            raise AssertionError(f"the server ended with {process.returncode}: {self.stderr}")
        self.port = int(self.address.rsplit(":", 1)[1])
        return self

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    @property
    def address(self) -> str:
        return self._said("address")

    @property
    def admin_key(self) -> str:
        """As printed; "" where none was."""
        return self._said("admin key")

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._process is not None, "not started"
        return self._process

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        code = self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def stop(self) -> int:
        """SIGTERM, and the exit code. Twice is once."""
        if self._process is None:
            return 0
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise

    def handles(self) -> int:
        """Open files and sockets of the process, but for the ledger's: it keeps as many readers as once were needed."""
        found = 0
        for one in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since it was listed
                found += str(self.data) not in os.readlink(one)
        return found

    # --- its command line and control socket

    def run(self, *arguments: str) -> Ended:
        """The program to its end, in this process: starting another takes most of a second."""
        out, err = io.StringIO(), io.StringIO()
        code: int | str | None = 0
        with (
            mock.patch.dict(os.environ, self.environment, clear=True),
            mock.patch.object(sys, "argv", ["conflux", *self._command(*arguments)[3:]]),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                code = end.code
        return Ended(code if isinstance(code, int) else 0 if code is None else 1, out.getvalue(), err.getvalue())

    def run_apart(self, *arguments: str) -> Ended:
        """The same in a process of its own, as a shell does it."""
        ended = subprocess.run(
            self._command(*arguments), cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def ask(self, operation: str, **params: Any) -> Any:
        return ask(self.data, operation, params)

    def key(self, **params: Any) -> str:
        made: str = self.ask("keys.create", **params)["key"]
        return made

    @property
    def in_flight(self) -> int:
        found: int = self.ask("server.status")["in_flight"]
        return found

    # --- its public face

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own. A body that is not bytes is sent as JSON."""
        sent = dict(headers or {})
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def chat(self, key: str, text: str, *, model: str = "gpt-4o-mini", path: str = "", **fields: Any) -> Answer:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return self.call("POST", path or "/v1/chat/completions", body, key=key)

    def receipt(self, key: str, answer: Answer) -> Any:
        return self.settled(key, answer.headers["x-request-id"])

    def settled(self, key: str, number: str) -> Any:
        found = self.get(f"/v1/receipts/{number}", key=key)
        assert found.status == 200, found.body
        return found.json()

    def spent(self, key: str) -> list[str]:
        """What the key's budgets say is spent or held; nothing of either is []."""
        budgets = self.get("/v1/key", key=key).json()["budgets"]
        return [one[name] for one in budgets for name in ("spent_usd", "held_usd") if float(one[name])]

    def _command(self, *arguments: str) -> list[str]:
        named = ["--data", str(self.data)]
        if self.config.exists():
            named += ["--config", str(self.config)]
        plain = arguments[:1] in (("--version",), ("--help",), ("sim",))
        return [sys.executable, "-m", "conflux", *arguments, *([] if plain else named)]

    def _said(self, name: str) -> str:
        found = [line for line in self.printed if line.startswith(f"  {name} ")]
        return found[0].split()[-1] if found else ""
