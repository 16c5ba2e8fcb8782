"""docs/api.md is true: each command of its tables does what its row says, and nothing that is served is missing.

Law: a row is all that a new endpoint needs here. Where the machine has curl, curl runs the command, as a reader would.
"""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from string import Template
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from conflux.faces.http import GENERATION
from conflux.faces.public import EXACT, POSTED, PREFIXES
from tests.system.serving import PATIENCE, Answer, Served

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
LINE = re.compile(r"^\| `(?P<method>[A-Z]+) (?P<path>\S+)` \| .* \| (?P<status>\d{3}) \| `(?P<command>curl .+)` \|$")


class Row(NamedTuple):
    method: str
    path: str
    status: int
    command: str


def read(text: str) -> list[Row]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    found = [LINE.match(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if match is None]
    return [Row(match["method"], match["path"], int(match["status"]), match["command"]) for match in found if match]


ROWS = read(PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def names(plain: Served) -> dict[str, str]:
    """What the page's first block sets."""
    found = {
        "BASE": plain.address,
        "CONFLUX_KEY": plain.key(name="page"),
        "TEST_KEY": plain.key(name="page", test=True),
        "INFERENCE_KEY": plain.key(name="page", storefront="inference"),
        "TOKENFLUX_KEY": plain.key(name="page", storefront="tokenflux"),
        "LLMBASE_KEY": plain.key(name="page", storefront="llmbase"),
        "AGENT_KEY": plain.key(name="page", storefront="llmbase", agent=True),
        "ADMIN_KEY": plain.key(name="page", admin=True),
    }
    answer = plain.chat(found["CONFLUX_KEY"], "Hello")
    return {**found, "RECEIPT": answer.headers["x-request-id"]}


def by_curl(command: str, names: dict[str, str]) -> int:
    shown = f"{command} --silent --output /dev/null --write-out '%{{http_code}}'"
    ended = subprocess.run(
        ["sh", "-c", shown], env=names, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def by_hand(command: str, names: dict[str, str], served: Served) -> int:
    """The few options that the page uses, where there is no curl."""
    method, url, body, headers = None, "", None, dict[str, str]()
    words = iter(Template(word).safe_substitute(names) for word in shlex.split(command)[1:])
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(":")
                headers[name] = value.strip()
            case "-d":
                body = next(words).encode()
            case "-N":
                pass
            case _:
                assert not word.startswith("-"), f"{word} is read here by nobody: teach by_hand what it means"
                url = word
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    answer: Answer = served.call(method or ("POST" if body is not None else "GET"), path, body, headers=headers)
    return answer.status


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path} {row.status}")
def test_the_command_does_what_its_row_says(row: Row, plain: Served, names: dict[str, str]) -> None:
    assert by_hand(row.command, names, plain) == row.status
    if shutil.which("curl"):
        assert by_curl(row.command, {**plain.environment, **names}) == row.status


def asked_for(row: Row) -> tuple[str, str]:
    """Method and path of the command itself, below the mount."""
    words = shlex.split(row.command)
    url = next(word for word in words if word.startswith("$BASE"))
    path = url.removeprefix("$BASE").partition("?")[0]
    for mount in ("/tokenflux", "/inference", "/llmbase"):
        path = path.removeprefix(mount)
    return "POST" if "-d" in words else "GET", path


def test_every_path_that_is_served_has_a_row() -> None:
    shown = {asked_for(row) for row in ROWS}
    missing = [f"POST {path}" for path in GENERATION if ("POST", path.partition("?")[0]) not in shown]
    missing += [f"POST {path}" for path in POSTED if ("POST", path) not in shown]
    missing += [f"GET {path}" for path in EXACT if ("GET", path) not in shown]
    missing += [
        f"GET {prefix}{{id}}"
        for prefix, _ in PREFIXES
        if not any(method == "GET" and path.startswith(prefix) for method, path in shown)
    ]
    assert not missing, f"docs/api.md has no row for {', '.join(missing)}: add one to its tables"


def test_a_row_is_about_its_own_command() -> None:
    for row in ROWS:
        method, path = asked_for(row)
        said = row.path.partition("?")[0].removeprefix("/inference")
        pattern = re.escape(said).replace(r"\{id\}", ".+").replace(r"\{model\}", ".+").replace(r"\{path\}", ".+")
        assert method == row.method and re.fullmatch(pattern, path), row


def test_a_line_that_is_no_row_is_noticed() -> None:
    with pytest.raises(AssertionError):
        read("| `GET /v1/models` | no status | `curl $BASE` |")
