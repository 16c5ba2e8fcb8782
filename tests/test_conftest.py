"""What the machine has set does not reach the tests, and the tests do not reach the world."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import foreign

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "GLM_API_KEY",
        "OPENAI_BASE_URL",
        "ANTHROPIC_AUTH_TOKEN",
        "CONFLUX_DATA",
        "CONFLUX_ADMIN_KEY_FILE",
        "DATABASE_URL",
        "HOST",
        "PORT",
        "https_proxy",
        "ALL_PROXY",
        "AWS_SECRET_ACCESS_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "SSL_CERT_FILE",
    ],
)
def test_keys_and_settings_of_the_machine_are_foreign(name: str) -> None:
    assert foreign(name)


@pytest.mark.parametrize("name", ["PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH", "HOSTNAME", "CONFLUX_FUZZ_INPUTS"])
def test_what_a_program_needs_is_kept(name: str) -> None:
    assert not foreign(name)


def test_nothing_foreign_is_left() -> None:
    assert [name for name in os.environ if foreign(name)] == []


def test_a_run_of_the_tests_forgets_them(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("import os\ndef test_x():\n    assert 'GLM_API_KEY' not in os.environ\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(
        [*command, "--rootdir", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "GLM_API_KEY": "x", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout


def test_a_connection_to_the_world_is_refused_before_it_leaves() -> None:
    with socket.socket() as outward, pytest.raises(RuntimeError, match="loopback"):
        outward.connect(("192.0.2.1", 443))
