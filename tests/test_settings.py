"""Settings: four layers, secrets from files, every mistake with its place, and nothing shown that is secret."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conflux.neutral.errors import ConfigError
from conflux.settings import (
    CATALOGUE_TABLES,
    BrokenSettings,
    Config,
    LimitSettings,
    Settings,
    changed_at_start,
    load,
    redacted,
)

Write = Callable[[str], str]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration file lies here."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def one(text: str) -> str:
        path = tmp_path / "given.toml"
        path.write_text(text)
        return str(path)

    return one


def mistakes(
    flags: dict[str, Any] | None = None, environment: dict[str, str] | None = None, file: str | None = None
) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load(flags or {}, environment or {}, file)
    return error.value.problems


# --- the layers


def test_with_nothing_said_the_defaults_hold_and_only_this_machine_is_served() -> None:
    config = load({}, {})
    assert config.settings == Settings()
    assert (config.settings.host, config.settings.port, config.file) == ("127.0.0.1", 8080, None)
    assert config.data_dir == Path("./data")


# setting: (a value as text, what it becomes, another, what that becomes)
SPOKEN: dict[str, tuple[str, Any, str, Any]] = {
    "host": ("0.0.0.0", "0.0.0.0", "::1", "::1"),
    "port": ("81", 81, "82", 82),
    "data": ("here", "here", "there", "there"),
    "sim": ("true", True, "false", False),
    "catalogue_dir": ("a", "a", "b", "b"),
    "ca_file": ("a", "a", "b", "b"),
    "redis_url": ("redis://a", "redis://a", "redis://b", "redis://b"),
    "database_url": ("sqlite:///a", "sqlite:///a", "sqlite:///b", "sqlite:///b"),
    "limits.body_bytes": ("1000", 1000, "2000", 2000),
    "limits.body_seconds": ("1.5", 1.5, "2", 2.0),
    "limits.keep_alive_seconds": ("1.5", 1.5, "2", 2.0),
    "limits.connections_per_origin": ("7", 7, "8", 8),
    "limits.answer_bytes": ("1000", 1000, "2000", 2000),
    "limits.drain_seconds": ("0", 0.0, "2", 2.0),
    "limits.graceful_seconds": ("0", 0.0, "3", 3.0),
    "refresh.enabled": ("false", False, "true", True),
    "refresh.seconds": ("60", 60.0, "7200", 7200.0),
    "responses.keep_days": ("30", 30, "7", 7),
    "responses.most_bytes": ("5", 5, "6", 6),
    "responses.most_per_key": ("5", 5, "6", 6),
    "idempotency.keep_hours": ("30", 30, "7", 7),
    "idempotency.most_bytes": ("5", 5, "6", 6),
    "retention.receipt_days": ("30", 30, "7", 7),
    "retention.comment_days": ("30", 30, "7", 7),
    "probing.vision": ("true", True, "false", False),
    "probing.cents_per_day": ("5", 5, "6", 6),
    "web.conversations": ("false", False, "true", True),
    "metrics.port": ("9000", 9000, "9001", 9001),
    "metrics.host": ("::", "::", "127.0.0.2", "127.0.0.2"),
}


def read(config: Config, name: str) -> Any:
    found: Any = config.settings
    for step in name.split("."):
        found = getattr(found, step)
    return found


def in_file(name: str, value: Any) -> str:
    section, _, key = name.rpartition(".")
    said = json.dumps(value)
    return f"[{section}]\n{key} = {said}\n" if section else f"{key} = {said}\n"


def variable(name: str) -> str:
    return "CONFLUX_" + name.upper().replace(".", "__")


def test_every_setting_is_spoken_of_here() -> None:
    names: set[str] = set()
    for field in msgspec.structs.fields(Settings):
        inner = msgspec.structs.fields(field.type) if isinstance(field.default, msgspec.Struct) else ()
        names |= {f"{field.name}.{one.name}" for one in inner} or {field.name}
    assert set(SPOKEN) | {"workers", "trusted_proxies"} == names


@pytest.mark.parametrize("name", SPOKEN)
def test_the_environment_is_over_the_file_and_the_file_over_the_defaults(name: str, write: Write) -> None:
    text, value, other, changed = SPOKEN[name]
    file = write(in_file(name, value))
    assert read(load({}, {}, file), name) == value
    assert read(load({}, {variable(name): text}), name) == value
    assert read(load({}, {variable(name): other}, file), name) == changed


def test_flags_are_over_all_and_an_unset_flag_is_none_at_all(write: Write) -> None:
    file = write("port = 1\nhost = '1.1.1.1'\n")
    environment = {"CONFLUX_PORT": "2", "CONFLUX_HOST": "2.2.2.2"}
    said = load({"port": 3, "host": None, "sim": None}, environment, file).settings
    assert (said.port, said.host, said.sim) == (3, "2.2.2.2", False)


def test_parts_of_a_table_come_from_different_layers(write: Write) -> None:
    file = write("[limits]\nbody_bytes = 5\nbody_seconds = 6\n")
    limits = load({}, {"CONFLUX_LIMITS__BODY_SECONDS": "7"}, file).settings.limits
    assert (limits.body_bytes, limits.body_seconds, limits.graceful_seconds) == (5, 7.0, 30.0)


@pytest.mark.parametrize(
    ("plain", "name", "value"),
    [("HOST", "host", "9.9.9.9"), ("PORT", "port", "99"), ("DATABASE_URL", "database_url", "sqlite:///x"),
     ("REDIS_URL", "redis_url", "redis://x")],
)  # fmt: skip
def test_well_known_names_count_but_less_than_ours(plain: str, name: str, value: str, write: Write) -> None:
    assert str(read(load({}, {plain: value}), name)) == value
    other = SPOKEN[name][0]
    assert str(read(load({}, {plain: value, variable(name): other}), name)) == other
    file = write(in_file(name, SPOKEN[name][1]))
    assert str(read(load({}, {plain: value}, file), name)) == value  # it is the environment all the same


def test_an_empty_variable_is_not_set(write: Write) -> None:
    empty = dict.fromkeys(("HOST", "PORT", "CONFLUX_PORT", "CONFLUX_SIM", "CONFLUX_DATABASE_URL",
                           "CONFLUX_DATABASE_URL_FILE", "CONFLUX_LIMITS__BODY_BYTES"), "")  # fmt: skip
    assert load({}, empty).settings == Settings()
    assert load({}, empty, write("port = 7\n")).settings.port == 7


def test_a_list_is_written_with_commas() -> None:
    said = load({}, {"CONFLUX_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2,,"}).settings
    assert said.trusted_proxies == ["10.0.0.1", "10.0.0.2"]


def test_variables_that_are_no_settings_are_left_alone() -> None:
    foreign = {
        "PATH": "/bin",
        "CONFLUX_PYTHON": "/x",
        "CONFLUX_KEY": "cf_live_1",
        "CONFLUX_FUZZ_INPUTS": "5",
        "CONFLUXION": "1",
    }
    config = load({}, foreign)
    assert config.settings == Settings()
    assert config.environment == foreign  # credentials are looked up in it later


# --- secrets from files


@pytest.mark.parametrize("name", ["CONFLUX_DATABASE_URL", "DATABASE_URL", "CONFLUX_REDIS_URL", "REDIS_URL"])
def test_a_secret_is_read_from_the_file_that_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sqlite:///from-file\n")
    config = load({}, {f"{name}_FILE": str(tmp_path / "secret")})
    assert read(config, name.removeprefix("CONFLUX_").lower()) == "sqlite:///from-file"
    both = load({}, {f"{name}_FILE": str(tmp_path / "secret"), name: "sqlite:///said"})
    assert read(both, name.removeprefix("CONFLUX_").lower()) == "sqlite:///said"


def test_only_secrets_are_read_from_files() -> None:
    assert mistakes(environment={"CONFLUX_PORT_FILE": "/x"})[0].startswith(
        "environment: CONFLUX_PORT_FILE: there is no such"
    )
    assert load({}, {"HOST_FILE": "/etc/hosts", "PORT_FILE": "/x"}).settings == Settings()


def test_a_secrets_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("missing", "binary", "."):
        (line,) = mistakes(environment={"CONFLUX_REDIS_URL_FILE": str(tmp_path / name)})
        assert line.startswith(f"environment: CONFLUX_REDIS_URL_FILE: {tmp_path / name}: ")


# --- the file


def test_which_file_is_read(tmp_path: Path, write: Write) -> None:
    named = write("port = 1\n")
    (tmp_path / "other.toml").write_text("port = 2\n")
    assert load({}, {"CONFLUX_CONFIG": "other.toml"}).settings.port == 2
    assert load({}, {"CONFLUX_CONFIG": "other.toml"}, named).settings.port == 1
    (tmp_path / "conflux.toml").write_text("port = 3\n")
    assert load({}, {}).settings.port == 3
    assert load({}, {}).file == Path("conflux.toml")


def test_a_file_that_is_named_must_be_there_and_be_toml(tmp_path: Path, write: Write) -> None:
    assert mistakes(file="nowhere.toml") == ["nowhere.toml: this configuration file does not exist"]
    assert mistakes(environment={"CONFLUX_CONFIG": str(tmp_path)}) == [
        f"{tmp_path}: this configuration file does not exist"
    ]
    (line,) = mistakes(file=write("port = \n"))
    assert "given.toml: not valid TOML" in line and "line 1" in line
    (tmp_path / "given.toml").write_bytes(b"host = '\xff'\n")
    assert "not valid TOML" in mistakes(file=str(tmp_path / "given.toml"))[0]


def test_the_catalogues_tables_are_kept_as_they_stand(write: Write) -> None:
    text = "".join(f"[[{name}]]\nid = 'a'\n" for name in CATALOGUE_TABLES)
    config = load({}, {}, write(text + "[[provider]]\nid = 'b'\n"))
    assert set(config.tables) == set(CATALOGUE_TABLES)
    assert config.tables["provider"] == [{"id": "a"}, {"id": "b"}]
    (line,) = mistakes(file=write("[provider]\nid = 'a'\n"))
    assert line.endswith("provider: write it as [[provider]], a table for each")


# --- mistakes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1\n", "prot: there is no such setting; there are ca_file, catalogue_dir,"),
        ("limits = 5\n", "limits: write it as a table [limits]"),
        ("[limits]\nbody = 1\n", "limits.body: there is no such setting; there are answer_bytes,"),
        ("port = 'http'\n", "port: expected int"),
        ("port = 1.5\n", "port: expected int"),
        ("host = 5\n", "host: expected str"),
        ("sim = 'perhaps'\n", "sim: expected bool"),
        ("trusted_proxies = 'a'\n", "trusted_proxies: expected array"),
        ("trusted_proxies = [1]\n", "trusted_proxies: expected str"),
        ("[metrics]\nport = 'x'\n", "metrics.port: expected int"),
    ],
)
def test_a_wrong_key_or_value_is_one_line_with_its_file_and_place(text: str, words: str, write: Write) -> None:
    file = write(text)
    (line,) = mistakes(file=file)
    assert line.startswith(f"{file}: {words}"), line
    assert "\n" not in line


def test_all_mistakes_of_all_layers_are_told_at_once(write: Write) -> None:
    file = write("prot = 1\nport = 'x'\n[limits]\nbody = 2\n")
    environment = {"CONFLUX_SIM": "perhaps", "CONFLUX_LIMITS__GRACE": "1", "CONFLUX_REDIS_URL_FILE": "/nowhere/x"}
    lines = mistakes({"workers": "many"}, environment, file)
    places = [line.split(": ")[:2] for line in lines]
    assert sorted(places) == sorted(
        [
            [file, "prot"],
            [file, "port"],
            [file, "limits.body"],
            ["environment", "CONFLUX_SIM"],
            ["environment", "CONFLUX_LIMITS__GRACE"],
            ["environment", "CONFLUX_REDIS_URL_FILE"],
            ["command line", "workers"],
        ]
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CONFLUX_PORT": "1", "CONFLUX_PORT__MORE": "2"}, "port is set as a whole and in parts"),
        ({"CONFLUX_LIMITS": "5", "CONFLUX_LIMITS__BODY_BYTES": "6"}, "limits is set as a whole and in parts"),
        ({"CONFLUX_LIMITS": "5"}, "CONFLUX_LIMITS: write it as a table"),
        ({"CONFLUX_": "5"}, "there is no such setting"),
        ({"CONFLUX___": "5"}, "there is no such setting"),
        ({"CONFLUX_LIMITS__BODY_BYTES__X": "5"}, "CONFLUX_LIMITS__BODY_BYTES__X: expected"),
    ],
)
def test_odd_variables_are_mistakes_and_no_crash(environment: dict[str, str], words: str) -> None:
    assert any(words in line for line in mistakes(environment=environment))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("port", 65536, "65536 is not a port"),
        ("port", -1, "-1 is not a port"),
        ("metrics.port", 70000, "70000 is not a port"),
        ("host", " ", "must not be empty"),
        ("data", "", "must not be empty"),
        ("metrics.host", "", "must not be empty"),
        ("workers", 0, "at least one"),
        ("workers", 2, "could lose money"),
        ("database_url", "mysql://u:pw@h/d", "write postgresql://"),
        ("refresh.seconds", 59, "at least 60"),
        ("responses.keep_days", -1, "from 0"),
        ("responses.most_bytes", 0, "above 0"),
        ("responses.most_per_key", 0, "above 0"),
        ("idempotency.keep_hours", -1, "from 0"),
        ("idempotency.keep_hours", 8761, "to 8760"),
        ("idempotency.most_bytes", 0, "above 0"),
        ("retention.receipt_days", -1, "from 0"),
        ("retention.comment_days", 36_501, "to 36500"),
        ("limits.body_bytes", 0, "is not above 0"),
        ("limits.body_seconds", -1, "is not above 0"),
        ("limits.keep_alive_seconds", 0, "is not above 0"),
        ("limits.connections_per_origin", 0, "is not above 0"),
        ("limits.graceful_seconds", -1, "is not above 0"),
        ("limits.drain_seconds", -1, "is not above 0"),
        ("limits.answer_bytes", 0, "is not above 0"),
    ],
)
def test_figures_that_make_no_sense_are_refused(name: str, value: Any, words: str, write: Write) -> None:
    (line,) = mistakes(file=write(in_file(name, value)))
    assert line.startswith(f"configuration: {name}: ") and words in line
    assert "pw" not in line.replace("postgresql", "")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PORT", "70000", "70000 is not a port"),
        ("CONFLUX_PORT", "70000", "70000 is not a port"),
        ("CONFLUX_LIMITS__BODY_BYTES", "0", "is not above 0"),
        ("DATABASE_URL", "mysql://u:pw@h/d", "write postgresql://"),
        ("CONFLUX_REFRESH__SECONDS", "often", "expected float"),
        ("CONFLUX_RESPONSES__KEEP", "1", "there is no such setting"),
    ],
)
def test_a_mistake_in_a_variable_is_told_by_the_variables_name(variable: str, value: str, words: str) -> None:
    (line,) = mistakes(environment={variable: value})
    assert line.startswith(f"environment: {variable}: ") and words in line


def test_a_mistake_in_a_secrets_file_is_told_by_the_variable_that_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("mysql://h/d")
    (line,) = mistakes(environment={"CONFLUX_DATABASE_URL_FILE": str(file)})
    assert line.startswith("environment: CONFLUX_DATABASE_URL_FILE: write postgresql://")


def test_what_a_flag_overrules_is_no_mistake_of_the_variable() -> None:
    (line,) = mistakes({"port": 70001}, {"PORT": "70000"})
    assert line == "configuration: port: 70001 is not a port"


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_what_is_no_number_is_no_limit(value: str, write: Write) -> None:
    assert "is not above 0" in mistakes(file=write(f"[limits]\nbody_seconds = {value}\n"))[0]


# --- what may be shown

SECRETS = """
[[provider]]
id = "a"
base_url = "https://me:hunter2@host.test:8443/v1?api_key=hunter2&x=1"
proxy = "http://hunter2@[::1]:3128"
credential = "hunter2"
credentials = ["env:GOOD", "hunter2", "file:/run/key"]
api_key = "hunter2"
secret_token = "hunter2"
headers = { authorization = "hunter2", x-title = "hunter2" }

[[model]]
storefront = "conflux"
id = "m"
tokenizer = "shown"
"""


def test_no_secret_is_shown_however_it_got_into_the_file(write: Write) -> None:
    environment = {
        "CONFLUX_REDIS_URL": "redis://:hunter2@cache.test:6379/0",
        "CONFLUX_DATABASE_URL": "sqlite:///x?password=hunter2",
        "OPENAI_API_KEY": "hunter2",
    }
    config = load({}, environment, write(SECRETS))
    shown = redacted(config)
    assert "hunter2" not in json.dumps(shown)
    assert "hunter2" not in repr(config) and "hunter2" not in str(config)
    assert shown["redis_url"] == "redis://:***@cache.test:6379/0"
    assert shown["database_url"] == "sqlite:///x?password=***"
    (row,) = shown["provider"]
    assert row["base_url"] == "https://me:***@host.test:8443/v1?api_key=***&x=1"
    assert row["proxy"] == "http://***@[::1]:3128"
    assert row["credential"] == "***"
    assert row["credentials"] == ["env:GOOD", "***", "file:/run/key"]
    assert row["headers"] == {"authorization": "***", "x-title": "***"}
    assert shown["model"][0]["tokenizer"] == "shown"


@pytest.mark.parametrize(
    "address", ["http://h:port/v1", "http://[::1/v1", "not an address", "", "https://plain.test/v1"]
)
def test_an_odd_address_is_shown_as_it_is_and_never_a_crash(address: str, write: Write) -> None:
    config = load({}, {}, write(f"[[provider]]\nid = 'a'\nbase_url = '{address}'\n"))
    assert redacted(config)["provider"][0]["base_url"] == address


@pytest.mark.parametrize(
    "address", ["redis://:hunter2/x@h", "redis://a:hunter2@b@h:1/0", "hunter2@h", "x?a=1;secret=hunter2"]
)
def test_a_password_with_odd_characters_is_hidden_all_the_same(address: str) -> None:
    assert "hunter2" not in json.dumps(redacted(load({}, {"CONFLUX_REDIS_URL": address})))


def test_what_is_shown_is_everything_else_and_plain_json(write: Write) -> None:
    file = write("port = 7\n[limits]\nbody_bytes = 5\n")
    shown = json.loads(json.dumps(redacted(load({"sim": True}, {}, file))))
    assert (shown["port"], shown["sim"], shown["limits"]["body_bytes"], shown["config_file"]) == (7, True, 5, file)
    assert set(shown) == {field.name for field in msgspec.structs.fields(Settings)} | {"config_file"}


# --- mistakes of every kind at once, and what a reload cannot take over


def test_what_makes_no_sense_is_told_beside_what_is_not_known(write: Write) -> None:
    found = mistakes(file=write("prot = 1\nhost = ' '\n[limits]\nbody_bytes = 'x'\nbody_seconds = -1\n"))
    assert len(found) == 4
    for word in ("prot", "host: must not be empty", "body_bytes: expected", "body_seconds: -1.0 is not above 0"):
        assert any(word in line for line in found), word


def test_broken_settings_leave_the_rest_to_be_looked_at(write: Write) -> None:
    with pytest.raises(BrokenSettings) as error:
        load({}, {}, write("prot = 1\ncatalogue_dir = 'here'\n[[pool]]\nid = 'a'\n"))
    rest = error.value.rest
    assert rest is not None and rest.settings.catalogue_dir == "here" and rest.tables == {"pool": [{"id": "a"}]}
    for unreadable in ("prot = \n", "pool = 1\n"):
        with pytest.raises(BrokenSettings) as error:
            load({}, {}, write(unreadable))
        assert error.value.rest is None


def test_what_only_a_restart_takes_over() -> None:
    old = Settings(limits=LimitSettings(body_bytes=5))
    assert changed_at_start(old, old) == []
    new = Settings(port=1, sim=True, catalogue_dir="x", host="::", limits=LimitSettings(body_bytes=6))
    assert changed_at_start(old, new) == ["host", "port", "limits.body_bytes"]


def test_postgresql_is_chosen_by_its_address_and_may_have_workers() -> None:
    for url in ("postgresql://u:pw@h/d", "postgres:///d?host=/run"):
        settings = load({"workers": 4}, {"DATABASE_URL": url}).settings
        assert (settings.postgres_url, settings.workers) == (url, 4)
    assert load({}, {"DATABASE_URL": "sqlite:///x"}).settings.postgres_url is None
    assert load({}, {}).settings.postgres_url is None


def test_what_is_text_in_the_file_is_no_number_and_no_switch(tmp_path: Path) -> None:
    file = tmp_path / "given.toml"
    file.write_text('[probing]\nvision = 1\ncents_per_day = "10"\n')
    with pytest.raises(BrokenSettings) as broken:
        load({}, {}, str(file))
    assert [line.split(": ")[1] for line in broken.value.problems] == ["probing.vision", "probing.cents_per_day"]
    file.write_text("[probing]\nvision = true\ncents_per_day = 7\n")
    found = load({}, {"CONFLUX_PROBING__CENTS_PER_DAY": "9"}, str(file)).settings.probing
    assert (found.vision, found.cents_per_day) == (True, 9)
