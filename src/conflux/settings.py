"""Settings: parsed once, frozen, from flags, environment, conflux.toml and defaults, in this order.

Law: a wrong key or value is one line with its file and place, all of them at once. A secret is read from where it is
named (the environment or a file) and is never printed: `redacted` is the only form that leaves.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from conflux.neutral.errors import ConfigError

PREFIX = "CONFLUX_"
DEFAULT_FILE = "conflux.toml"
# Names of the catalogue's own tables in the file: read by the catalogue, not here.
CATALOGUE_TABLES = ("provider", "pool", "model", "storefront", "rate")
# Variables with our prefix that say where things are, or that only tests and scripts read.
_NOT_SETTINGS = frozenset({"CONFLUX_CONFIG", "CONFLUX_PYTHON", "CONFLUX_FUZZ_INPUTS"})
# Well-known names without our prefix, weaker than ours.
_PLAIN = {"DATABASE_URL": "database_url", "REDIS_URL": "redis_url", "HOST": "host", "PORT": "port"}


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body_bytes: int = 32 * 1024 * 1024
    body_seconds: float = 60.0
    connections_per_origin: int = 512
    graceful_seconds: float = 30.0


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    port: int | None = None  # its own port, open to whoever reaches it; otherwise /metrics asks for an admin key
    host: str = "127.0.0.1"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    host: str = "127.0.0.1"
    port: int = 8080
    data: str = "./data"
    workers: int = 1
    database_url: str | None = None
    redis_url: str | None = None
    catalogue_dir: str | None = None
    sim: bool = False  # keep the simulator beside real providers
    trusted_proxies: list[str] = []
    limits: LimitSettings = LimitSettings()
    metrics: MetricsSettings = MetricsSettings()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was said, and the catalogue's tables as they stand in the file."""

    settings: Settings
    file: Path | None
    tables: dict[str, list[dict[str, Any]]]
    environment: Mapping[str, str]

    @property
    def data_dir(self) -> Path:
        return Path(self.settings.data)


def load(flags: Mapping[str, Any], environment: Mapping[str, str], config_file: str | None = None) -> Config:
    """Read all layers. Raises ConfigError with every mistake found."""
    problems: list[str] = []
    file = _file(config_file or environment.get("CONFLUX_CONFIG"), problems)
    from_file, tables = _read_file(file, problems)
    from_environment = _read_environment(environment, problems)
    layers = [(str(file or DEFAULT_FILE), from_file), ("environment", from_environment),
              ("command line", {name: value for name, value in flags.items() if value is not None})]  # fmt: skip
    merged: dict[str, Any] = {}
    for source, layer in layers:
        _check(source, layer, problems)
        merged = _merge(merged, layer)
    if problems:
        raise ConfigError(problems)
    try:
        settings = msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError([f"configuration: {error}"]) from None
    problems += _judge(settings)
    if problems:
        raise ConfigError(problems)
    return Config(settings=settings, file=file, tables=tables, environment=environment)


def _file(named: str | None, problems: list[str]) -> Path | None:
    if named is not None:
        found = Path(named)
        if not found.is_file():
            problems.append(f"{named}: this configuration file does not exist")
            return None
        return found
    return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None


def _read_file(file: Path | None, problems: list[str]) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    if file is None:
        return {}, {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{file}: not valid TOML: {error}")
        return {}, {}
    except OSError as error:
        problems.append(f"{file}: cannot be read: {error.strerror}")
        return {}, {}
    tables: dict[str, list[dict[str, Any]]] = {}
    for name in CATALOGUE_TABLES:
        rows = content.pop(name, None)
        if rows is None:
            continue
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            problems.append(f"{file}: {name}: write it as [[{name}]], a table for each")
            continue
        tables[name] = rows
    return content, tables


def _read_environment(environment: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, key in _PLAIN.items():
        value = _from_environment(environment, name, problems)
        if value is not None:
            found[key] = value
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in _NOT_SETTINGS:
            continue
        base = (
            name.removesuffix("_FILE") if name.removesuffix("_FILE").removeprefix(PREFIX).lower() in _SECRET else name
        )
        value = _from_environment(environment, base, problems)
        path = base.removeprefix(PREFIX).lower().split("__")
        place = found
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = value.split(",") if path == ["trusted_proxies"] and value is not None else value
    return found


_SECRET = frozenset({"database_url", "redis_url"})


def _from_environment(environment: Mapping[str, str], name: str, problems: list[str]) -> str | None:
    """A variable's value, or the content of the file its _FILE variant names."""
    if name in environment:
        return environment[name]
    path = environment.get(name + "_FILE")
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        problems.append(f"environment: {name}_FILE: {path}: {error.strerror}")
        return None


def _check(source: str, layer: Mapping[str, Any], problems: list[str]) -> None:
    """Each key by itself, so that every mistake is told with its own place."""
    known = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    for name, value in layer.items():
        if name not in known:
            problems.append(f"{source}: {name}: there is no such setting; there are {', '.join(sorted(known))}")
            continue
        section = known[name]
        if isinstance(section, type) and issubclass(section, msgspec.Struct):
            inner = {field.name: field.type for field in msgspec.structs.fields(section)}
            if not isinstance(value, dict):
                problems.append(f"{source}: {name}: write it as a table [{name}]")
                continue
            for key, one in value.items():
                if key not in inner:
                    problems.append(f"{source}: {name}.{key}: there is no such setting; there are "
                                    f"{', '.join(sorted(inner))}")  # fmt: skip
                else:
                    _check_value(f"{source}: {name}.{key}", one, inner[key], problems)
        else:
            _check_value(f"{source}: {name}", value, section, problems)


def _check_value(place: str, value: Any, type_: Any, problems: list[str]) -> None:
    try:
        msgspec.convert(value, type_, strict=False)
    except msgspec.ValidationError as error:
        problems.append(f"{place}: {str(error).replace('`', '').lower()} ({value!r})")


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        inner = merged.get(name)
        merged[name] = _merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _judge(settings: Settings) -> list[str]:
    problems = []
    if not 0 <= settings.port <= 65535:
        problems.append(f"configuration: port: {settings.port} is not a port")
    if settings.workers < 1:
        problems.append("configuration: workers: at least one is needed")
    if settings.workers > 1 and settings.database_url is None:
        problems.append(
            f"configuration: workers: {settings.workers} workers on SQLite could lose money; use one, or a PostgreSQL "
            "database_url"
        )
    if settings.database_url is not None and not settings.database_url.startswith("sqlite"):
        problems.append("configuration: database_url: only the SQLite store is built so far; leave it out")
    return problems


def redacted(config: Config) -> dict[str, Any]:
    """The merged configuration as it may be shown: no secret, no password of an address."""
    shown: dict[str, Any] = msgspec.to_builtins(config.settings)
    for name in _SECRET:
        if shown[name] is not None:
            shown[name] = _without_password(shown[name])
    shown["config_file"] = str(config.file) if config.file is not None else None
    for name, rows in config.tables.items():
        shown[name] = [_redact_row(row) for row in rows]
    return shown


def _redact_row(row: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if name == "headers" and isinstance(value, dict):
            shown[name] = dict.fromkeys(value, "***")
        elif name in ("base_url", "proxy") and isinstance(value, str):
            shown[name] = _without_password(value)
        else:
            shown[name] = value
    return shown


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    if parts.password is None:
        return address
    host = parts.hostname or ""
    netloc = f"{parts.username or ''}:***@{host}" + (f":{parts.port}" if parts.port else "")
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))


def process_environment() -> dict[str, str]:
    return dict(os.environ)
