"""What the coding agents are sent to do, and how each of them is started and heard.

Law: an errand is said once, in a table row per client; the simulator's markers in the prompt make the model call the
client's own tools. Whether it is done is read from the client's answer and from the files, never from the gateway.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

FIRST, SECOND = "amber-4711", "cobalt-1302"
# At the pace of a fast model, not of a file: `codex exec` drops its own messages to itself ("queue full"), the answer's
# text with them, where thousands of tokens come at once. It does the same with a recorded stream, without a gateway.
LONG, PACE = 3000, 300


class Heard(NamedTuple):
    """What a client said: its last words, and whether it calls them a failure."""

    text: str
    failed: bool


class Errand(NamedTuple):
    name: str
    prompt: Callable[[str, Path], str]  # client, its folder
    done: Callable[[Heard, Path], bool]


def _call(tool: str, **arguments: Any) -> str:
    return f"[[call: {tool} {json.dumps(arguments)}]]"


def _read(client: str, folder: Path, name: str) -> str:
    if client == "claude":
        return _call("Read", file_path=str(folder / name))
    return _call("exec_command", cmd=f"cat {name}")


def _edit(client: str, folder: Path) -> str:
    if client == "claude":
        return _call("Edit", file_path=str(folder / "a.txt"), old_string=FIRST, new_string="edited-99")
    patch = f"*** Begin Patch\n*** Update File: a.txt\n@@\n-{FIRST}\n+edited-99\n*** End Patch\n"
    return _call("apply_patch", input=patch)


def _said(*words: str) -> Callable[[Heard, Path], bool]:
    return lambda heard, folder: not heard.failed and all(word in heard.text for word in words)


def _edited(heard: Heard, folder: Path) -> bool:
    return not heard.failed and "finished" in heard.text and (folder / "a.txt").read_text() == "edited-99\n"


ERRANDS = (
    Errand("plain answer", lambda client, folder: "Hello [[say: pong-7]]", _said("pong-7")),
    Errand("one tool call", lambda client, folder: _read(client, folder, "a.txt"), _said(FIRST)),
    Errand(
        "tools in parallel",
        lambda client, folder: f"{_read(client, folder, 'a.txt')} {_read(client, folder, 'b.txt')}",
        _said(FIRST, SECOND),
    ),
    Errand(
        "a file edit",
        lambda client, folder: (
            f"{_read(client, folder, 'a.txt')} [[then]] {_edit(client, folder)} [[then]] [[say: finished]]"
        ),
        _edited,
    ),
    Errand(
        "a long stream",
        lambda client, folder: f"[[stream: {LONG} tokens at {PACE}/s]]",
        lambda heard, folder: not heard.failed and heard.text.split() == [f"{n % 1000:03d}" for n in range(LONG)],
    ),
    Errand(
        "an upstream error",
        lambda client, folder: "[[fail: 400]]",
        lambda heard, folder: heard.failed and "simulated failure 400" in heard.text,
    ),
    Errand(
        "an error mid-stream",
        lambda client, folder: "[[stream: 50]] [[fail: error-event 20]]",
        lambda heard, folder: heard.failed,
    ),
)


def _claude(prompt: str) -> list[str]:
    return [
        "-p",
        prompt,
        "--allowedTools",
        "Read",
        "Edit",
        "--permission-mode",
        "acceptEdits",
        "--output-format",
        "json",
    ]


def _codex(prompt: str) -> list[str]:
    # No retries: a failure is to be heard at once. No sandbox of its own: what it runs is written above.
    patience = [f"model_providers.conflux.{name}=0" for name in ("request_max_retries", "stream_max_retries")]
    settings = [part for one in patience for part in ("-c", one)]
    return [*settings, "exec", "--json", "--ephemeral", "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox", prompt]  # fmt: skip


def _hear_claude(out: str) -> Heard:
    found = json.loads(out)
    return Heard(found.get("result") or "", bool(found["is_error"]))


def _hear_codex(out: str) -> Heard:
    text, failed = "", False
    for line in out.splitlines():
        event = json.loads(line)
        item = event.get("item", {})
        if item.get("type") == "agent_message":
            text = item["text"]
        elif event["type"] in ("turn.failed", "error"):
            failed = True
            text = (event.get("error") or event).get("message", "")
    return Heard(text, failed)


class Client(NamedTuple):
    arguments: Callable[[str], list[str]]
    hear: Callable[[str], Heard]
    environment: dict[str, str]


CLIENTS = {
    "claude": Client(_claude, _hear_claude, {"CLAUDE_CODE_MAX_RETRIES": "0", "DISABLE_AUTOUPDATER": "1"}),
    "codex": Client(_codex, _hear_codex, {}),
}
