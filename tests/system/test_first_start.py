"""What an owner meets when starting, stopping and starting again."""

import signal
import socket
import stat

from tests.system.fixtures import Starter
from tests.system.serving import Served


def test_first_start_prints_address_and_admin_key_once(start: Starter) -> None:
    served = start()
    assert served.address.startswith("http://127.0.0.1:")
    assert served.admin_key.startswith("cf_live_")
    assert sum(served.admin_key in line for line in served.printed) == 1
    assert any("simulated" in line for line in served.printed)
    assert served.get("/v1/key", key=served.admin_key).json()["admin"] is True
    assert served.get("/health/ready").json() == {"status": "ready"}
    served.signal(signal.SIGINT)
    assert served.wait() == 0, "an interrupt is a stop like any other"


def test_second_start_makes_no_key_and_keeps_those_there_are(start: Starter) -> None:
    served = start()
    admin, key = served.admin_key, served.key(name="kept", budget_usd="2.50")
    answer = served.chat(key, "hello")
    assert served.stop() == 0
    again = start(folder=served.folder)
    assert again.admin_key == ""
    assert again.get("/v1/key", key=admin).json()["admin"] is True
    assert again.get("/v1/key", key=key).json()["name"] == "kept"
    assert again.receipt(key, answer)["cost_usd"] == answer.headers["x-conflux-cost-usd"]
    assert again.chat(key, "hello again").status == 200


def test_what_the_owner_alone_may_read(plain: Served) -> None:
    assert stat.S_IMODE((plain.data / "control.sock").stat().st_mode) == 0o600
    loose = [path.name for path in plain.data.iterdir() if path.stat().st_mode & 0o077]
    assert loose == []


def test_secrets_are_made_for_the_owner(plain: Served) -> None:
    assert stat.S_IMODE((plain.data / "pepper").stat().st_mode) == 0o600
    kept = b"".join(path.read_bytes() for path in plain.data.iterdir() if path.is_file())
    assert plain.admin_key.encode() not in kept


def test_the_encryption_key_is_made_for_the_owner(plain: Served) -> None:
    assert stat.S_IMODE((plain.data / "encryption.key").stat().st_mode) == 0o600


def test_two_servers_on_one_data_directory(plain: Served) -> None:
    second = plain.run_apart("serve", "--port", "0")
    assert second.returncode == 2
    lines = second.stderr.splitlines()
    assert len(lines) == 1 and second.stdout == ""
    assert str(plain.process.pid) in lines[0] and str(plain.data) in lines[0]
    assert plain.get("/health/ready").status == 200


def test_a_taken_port_is_one_line(tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        served = Served(tmp_path)
        ended = served.run("serve", "--port", str(port))
    assert ended.returncode == 2 and ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1
    assert str(port) in lines[0] and "in use" in lines[0] and "--port" in lines[0]
    assert not served.data.exists()


def test_several_workers_are_refused(tmp_path) -> None:
    ended = Served(tmp_path).run("serve", "--port", "0", "--workers", "2")
    assert ended.returncode == 2
    assert "workers" in ended.stderr and len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


BROKEN = """
port = "many"
colour = "blue"

[limits]
body_bytes = -1.5
size = 3

[[provider]]
id = "one"
dialect = "klingon"
base_url = "ftp://example.test"

[[model]]
storefront = "nowhere"
id = "acme/one"
pool = "missing"
"""


def test_every_mistake_of_a_broken_configuration_is_one_line(tmp_path) -> None:
    served = Served(tmp_path, BROKEN)
    ended = served.run("serve", "--port", "0")
    assert ended.returncode == 2 and ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert all(line.startswith("conflux: ") for line in lines), lines
    for word in ("colour", "limits.body_bytes", "limits.size"):
        named = [line for line in lines if word in line]
        assert len(named) == 1 and "gateway.toml" in named[0], (word, lines)
    assert not served.data.exists()


def test_every_mistake_of_a_broken_catalogue_is_one_line(tmp_path) -> None:
    served = Served(tmp_path, BROKEN[BROKEN.index("[[provider]]") :])
    ended = served.run("serve", "--port", "0")
    assert ended.returncode == 2 and ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert all(line.startswith("conflux: ") for line in lines), lines
    for words in (("one", "base_url"), ("acme/one", "nowhere"), ("acme/one", "missing")):
        assert any(all(word in line for word in words) for line in lines), (words, lines)
    assert not served.data.exists()


def test_a_configuration_that_is_not_there(tmp_path) -> None:
    ended = Served(tmp_path).run("serve", "--port", "0", "--config", str(tmp_path / "missing.toml"))
    assert ended.returncode == 2
    assert "missing.toml" in ended.stderr and len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_a_credential_that_is_not_there_is_told(tmp_path) -> None:
    config = '[[provider]]\nid = "one"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
    served = Served(tmp_path, config + 'credential = "env:NO_SUCH_SECRET"\n')
    ended = served.run("serve", "--port", "0")
    assert ended.returncode == 2
    assert "NO_SUCH_SECRET" in ended.stderr and len(ended.stderr.splitlines()) == 1
    assert not served.data.exists()
