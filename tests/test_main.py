"""The program's edge: what it imports, how it ends, what it prints where."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import conflux
from conflux import __main__, __version__
from conflux.__main__ import Program, main
from conflux.faces.launch import Launch
from conflux.neutral.errors import ConfigError, NoSuch, StoreError
from tests.house.tree import ROOT

SOURCES = Path(conflux.__file__).parents[1]
# What only a server or a store needs; each costs a start tens of milliseconds.
HEAVY = (
    "uvicorn",
    "sqlalchemy",
    "cryptography",
    "alembic",
    "uvloop",
    "httptools",
    "prometheus_client",
    "structlog",
    "rich",
)


def python(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, text=True, capture_output=True, timeout=60, **more
    )


def loaded(code: str) -> set[str]:
    ended = python("-c", f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))")
    assert ended.returncode == 0, ended.stderr
    return {name.partition(".")[0] for name in json.loads(ended.stdout.splitlines()[-1])}


def test_importing_the_program_loads_no_server_and_no_store() -> None:
    assert loaded("import conflux.__main__").isdisjoint(HEAVY)


def test_nor_does_showing_the_configuration(tmp_path: Path) -> None:
    code = "from conflux.__main__ import Program; Program().show_config({})"
    assert loaded(f"import os; os.chdir({str(tmp_path)!r})\n{code}").isdisjoint(HEAVY)


def test_a_catalogue_is_validated_without_a_store(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[[model]]\nstorefront = 'conflux'\nid = 'x'\npool = 'nowhere'\n")
    program = Program()
    (line,) = program.validate({"config": str(config)}, None)
    assert "there is no [[pool]] 'nowhere'" in line
    assert program.validate({"config": str(config)}, tmp_path / "gone") == [
        f"{tmp_path / 'gone'}: this catalogue directory does not exist"
    ]
    config.write_text("prot = 1")
    assert "prot" in program.validate({"config": str(config)}, None)[0]


def test_it_can_be_run_as_a_module() -> None:
    ended = python("-m", "conflux", "--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{__version__}\n", "")


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["conflux", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (ConfigError(["port: no", "environment: sim: no"]), ["conflux: port: no", "conflux: environment: sim: no"]),
        (StoreError("the disk is full"), ["conflux: the disk is full"]),
    ],
)
def test_a_mistake_is_its_own_line_and_exit_code_2(
    error: Exception, lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Program, "show_config", fail)
    assert ended(monkeypatch, "config", "show") == 2
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == ("", lines)


def test_what_is_not_there_is_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: Any) -> None:
        raise NoSuch(["there is no workspace 'x'"])

    monkeypatch.setattr(Program, "operate", fail)
    assert ended(monkeypatch, "workspaces", "show", "x") == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "conflux: there is no workspace 'x'\n")


def test_a_wrong_flag_is_exit_code_2_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, "serve", "--prot", "1") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "--prot" in said.err and "Traceback" not in said.err


def test_a_wrong_use_is_told_in_the_programs_own_name() -> None:
    ended = python("-m", "conflux", "serve", "--prot", "1")
    assert ended.stderr.startswith("Usage: conflux serve ") and "python -m" not in ended.stderr


def test_mistakes_of_settings_and_catalogue_are_told_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "prot = 1\nhost = ' '\n[[model]]\nstorefront = 'conflux'\nid = 'x'\npool = 'nowhere'\n"
    (tmp_path / "conflux.toml").write_text(text)
    for words in (["serve"], ["keys", "list"], ["config", "show"]):
        assert ended(monkeypatch, *words) == 2
        lines = capsys.readouterr().err.splitlines()
        assert all(line.startswith("conflux: ") for line in lines)
        assert [word for word in ("prot", "host", "nowhere") if not any(word in line for line in lines)] == []


def test_looking_makes_no_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["keys", "list"], ["keys", "revoke", "key_1"]):
        assert ended(monkeypatch, *words, "--data", "typo") == 2
        said = capsys.readouterr().err
        assert "there is no gateway's data in typo" in said and len(said.splitlines()) == 1
    assert ended(monkeypatch, "models", "list", "--data", "typo", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["models"]) > 10
    assert ended(monkeypatch, "ledger", "verify", "--data", "typo") != 0
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_speaks_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, "doctor", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["well"] is True
    assert {name: found["findings"][-1][name] for name in ("what", "well")} == {"what": "server", "well": True}


@pytest.mark.parametrize("pace", ["-1", "nan", "inf"])
def test_a_pace_that_is_none(pace: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, "sim", "--port", "0", "--pace", pace) == 2
    assert "--pace" in capsys.readouterr().err


def test_flags_are_settings_and_config_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text("port = 5\nhost = '1.2.3.4'\n")
    monkeypatch.setenv("CONFLUX_PORT", "6")
    shown = Program().show_config({"config": "other.toml", "data": "d", "port": 7, "sim": None})
    assert (shown["port"], shown["host"], shown["data"], shown["sim"]) == (7, "1.2.3.4", "d", False)


def test_the_configuration_is_pure_json_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, "config", "show", "--json") == 0
    assert json.loads(capsys.readouterr().out)["port"] == 8080


@pytest.mark.parametrize(("text", "code"), [("", 0), ("prot = 1\n", 1)])
def test_the_doctors_exit_code_says_whether_all_is_well(
    text: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "conflux.toml").write_text(text)
    assert ended(monkeypatch, "doctor") == code
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok   ", "BAD  ")) for line in lines)
    assert any(line.startswith("BAD  configuration") for line in lines) is bool(code)


def test_what_needs_a_server_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("status", "reload"):
        assert ended(monkeypatch, command) == 2
        assert "no server runs on data: start one with `conflux serve`" in capsys.readouterr().err


def test_a_simulator_on_a_taken_port_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}"):
            Program().simulate("127.0.0.1", port, None, None, 0.0)


@pytest.mark.parametrize("simulated", [False, True])
@pytest.mark.parametrize("key", [None, "cf_live_x"])
def test_the_greeting(key: str | None, simulated: bool, capsys: pytest.CaptureFixture[str]) -> None:
    running: Any = SimpleNamespace(address="http://127.0.0.1:9", snapshot=SimpleNamespace(simulated=simulated))
    __main__._greet(running, key)
    text = capsys.readouterr().out
    assert text.startswith(f"Conflux {__version__}\n  address    http://127.0.0.1:9\n")
    assert ("cf_live_x" in text and "shown once" in text) is (key is not None)
    assert ("every answer is made up" in text) is simulated
    assert text.endswith("curl http://127.0.0.1:9/v1/models\n")


def test_the_greeting_names_the_command_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = set()
    for called in (None, "./run conflux"):
        monkeypatch.delenv("CONFLUX_CALLED", raising=False)
        if called is not None:
            monkeypatch.setenv("CONFLUX_CALLED", called)
        running: Any = SimpleNamespace(address="http://127.0.0.1:9", snapshot=SimpleNamespace(simulated=False))
        __main__._greet(running, "cf_live_x")
        said |= set(re.findall(r"`(.*) keys create --admin`", capsys.readouterr().out))
    assert said == {"conflux", "./run conflux"}
    assert 'CONFLUX_CALLED="./run conflux"' in (ROOT / "run").read_text(encoding="utf-8")


def test_a_server_that_is_about_to_open_its_socket_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([False, False, True])
    assert __main__._appears(lambda: next(looks))
    monkeypatch.setattr(__main__, "_STARTING_SECONDS", -1.0)
    assert not __main__._appears(lambda: False)


def test_a_client_is_started_with_its_environment_alone_and_its_exit_code_is_ours(tmp_path: Path) -> None:
    code = "import os, sys; open(sys.argv[1], 'w').write(os.environ['SAID']); sys.exit(7)"
    heard = tmp_path / "heard"
    assert Program().start(Launch((sys.executable, "-c", code, str(heard)), {"SAID": "word"})) == 7
    assert heard.read_text() == "word"


def test_a_copy_is_never_taken_of_a_file_beside_postgresql(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@127.0.0.1:1/x")
    program, flags = Program(), {"data": str(tmp_path)}
    with pytest.raises(ConfigError, match="pg_dump"):
        program.backup(flags, tmp_path / "x.tar", lambda done, total: None, force=False)
    with pytest.raises(ConfigError, match="pg_restore"):
        program.restore(flags, tmp_path / "x.tar", force=True)
