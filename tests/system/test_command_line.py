"""The command line beside a running server, and without one."""

import json

import conflux
from tests.system.fixtures import Starter
from tests.system.serving import Served


def test_version_is_the_answer_alone(tmp_path) -> None:
    ended = Served(tmp_path).run_apart("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{conflux.__version__}\n", "")


def test_a_key_made_while_the_server_runs_works_at_once(plain: Served) -> None:
    ended = plain.run_apart("keys", "create", "--storefront", "conflux", "--name", "laptop", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    made = json.loads(ended.stdout)
    assert set(made) == {"id", "key"} and made["key"].startswith("cf_live_")
    assert plain.get("/v1/key", key=made["key"]).json()["name"] == "laptop"


def test_a_key_for_people_is_alone_on_standard_output(plain: Served) -> None:
    ended = plain.run("keys", "create", "--test")
    assert ended.returncode == 0
    assert ended.stdout.startswith("cf_test_") and len(ended.stdout.splitlines()) == 1
    assert "once" in ended.stderr


def test_a_slip_in_a_workspaces_name_is_seen(plain: Served) -> None:
    ended = plain.run("keys", "create", "--workspace", "defualt", "--json")
    assert set(json.loads(ended.stdout)) == {"id", "key"}
    assert "'defualt'" in ended.stderr and "no policy or budget" in ended.stderr
    assert "defualt" not in plain.run("keys", "create", "--workspace", "defualt").stderr


def test_a_revoked_key_stops_at_once(plain: Served) -> None:
    made = plain.ask("keys.create", name="short-lived")
    assert plain.get("/v1/key", key=made["key"]).status == 200
    ended = plain.run("keys", "revoke", made["id"], "--json")
    assert json.loads(ended.stdout) == {"id": made["id"], "revoked": True}
    assert plain.get("/v1/key", key=made["key"]).status == 401
    assert plain.chat(made["key"], "hello").status == 401


def test_revoking_what_is_not_there_is_one_line(plain: Served) -> None:
    ended = plain.run("keys", "revoke", "no-such-key")
    assert ended.returncode == 1 and ended.stdout == ""
    assert "no-such-key" in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_every_wrong_wish_for_a_key_is_told(plain: Served) -> None:
    ended = plain.run(
        "keys", "create", "--budget-usd", "lots", "--models", "gpt-4o-mini,nonsense", "--expires", "soon", "--json"
    )
    assert ended.returncode == 2 and ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 3
    for line, word in zip(lines, ("nonsense", "--budget-usd", "--expires"), strict=True):
        assert word in line


def test_keys_are_listed_without_their_secrets(plain: Served) -> None:
    secret = plain.key(name="listed", budget_usd="1.25", models=["gpt-4o-mini"])
    ended = plain.run("keys", "list", "--json")
    assert ended.stderr == ""
    row = next(one for one in json.loads(ended.stdout)["keys"] if one["name"] == "listed")
    assert secret not in ended.stdout
    assert row["last4"] == secret[-4:]
    assert (row["budget_usd"], row["models"], row["revoked"]) == ("1.25", ["gpt-4o-mini"], False)
    assert "listed" in plain.run("keys", "list").stdout


def test_keys_are_made_without_a_server_too(start: Starter, tmp_path) -> None:
    alone = Served(tmp_path)
    made = json.loads(alone.run("keys", "create", "--json").stdout)
    served = start(folder=tmp_path)
    assert served.admin_key, "nobody could administer it otherwise"
    assert served.get("/v1/key", key=made["key"]).status == 200


def test_models_are_listed(plain: Served) -> None:
    ended = plain.run("models", "list", "--storefront", "conflux", "--json")
    rows = json.loads(ended.stdout)["models"]
    assert "conflux/deepseek-v4-pro" in {row["id"] for row in rows}
    assert {row["status"] for row in rows} == {"enabled"}
    shown = plain.run("models", "show", "gpt-4o-mini", "--json")
    assert {row["id"] for row in json.loads(shown.stdout)["models"]} == {"gpt-4o-mini"}


def test_configuration_is_shown_without_secrets(tmp_path) -> None:
    config = """
port = 9999
[[provider]]
id = "one"
dialect = "openai-chat"
base_url = "http://owner:hunter2@127.0.0.1:9/v1"
credential = "env:ONE_KEY"
headers = { "x-secret" = "hunter3" }
"""
    served = Served(tmp_path, config, {"ONE_KEY": "hunter4", "CONFLUX_REDIS_URL": "redis://u:hunter5@127.0.0.1/0"})
    ended = served.run("config", "show", "--json")
    shown = json.loads(ended.stdout)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert shown["port"] == 9999 and shown["provider"][0]["id"] == "one"
    assert "hunter" not in ended.stdout
    assert not served.data.exists()


def test_doctor_says_what_is_wrong(tmp_path) -> None:
    well = Served(tmp_path).run("doctor")
    assert well.returncode == 0
    assert all(line.startswith("ok") for line in well.stdout.splitlines())
    bad = Served(tmp_path, "colour = 'blue'\n").run("doctor")
    assert bad.returncode == 1
    assert any(line.startswith("BAD") and "colour" in line for line in bad.stdout.splitlines())


def test_doctor_sees_the_running_server(plain: Served) -> None:
    assert "server: running" in plain.run("doctor").stdout


def test_status_beside_and_without_a_server(plain: Served, tmp_path) -> None:
    found = json.loads(plain.run("status", "--json").stdout)
    assert found["address"] == plain.address and found["simulated"] is True
    alone = Served(tmp_path).run("status")
    assert alone.returncode == 2 and "no server runs" in alone.stderr


def test_the_ledger_verifies_beside_a_running_server(plain: Served, plain_key: str) -> None:
    assert plain.chat(plain_key, "count me").status == 200
    ended = plain.run("ledger", "verify", "--json")
    assert ended.returncode == 0, ended.stdout
    found = json.loads(ended.stdout)
    assert any(name.startswith("checked") and count for name, count in found.items())
    assert not [name for name, count in found.items() if count and not name.startswith("checked")]


def test_a_wrong_flag_is_no_traceback(tmp_path) -> None:
    for arguments in (["serve", "--prot", "1"], ["keys", "make"], ["serve", "--port", "x"]):
        ended = Served(tmp_path).run(*arguments)
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr and ended.stderr


def test_retention_is_shown_and_swept_beside_a_server_and_without_one(start: Starter) -> None:
    served = start("[retention]\nreceipt_days = 30\n")
    for _ in range(2):
        kept = {one["kind"]: one for one in json.loads(served.run("retention", "show", "--json").stdout)["kept"]}
        assert kept["receipts"] == {"kind": "receipts", "for": "30 days", "over": 0}
        assert kept["comments"]["for"] == "ever"
        ended = json.loads(served.run("retention", "sweep", "--json").stdout)["ended"]
        assert ended == {"answers": 0, "responses": 0, "receipts": 0}
        served.stop()
