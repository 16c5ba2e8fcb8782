"""Settings: parsed once, frozen, from flags, environment, conflux.toml and defaults, in this order.

Law: a wrong key or value is one line with its file and place, all of them at once. A secret is read from where it is
named (the environment or a file) and is never printed: `redacted` is the only form that leaves.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from conflux.neutral.errors import ConfigError

PREFIX = "CONFLUX_"
DEFAULT_FILE = "conflux.toml"
# Names of the catalogue's own tables in the file: read by the catalogue, not here.
CATALOGUE_TABLES = ("provider", "pool", "model", "storefront", "rate", "plan")
# Variables with our prefix that say where things are, or that only tests and scripts read.
_NOT_SETTINGS = frozenset({"CONFLUX_CONFIG", "CONFLUX_KEY", "CONFLUX_PYTHON", "CONFLUX_CALLED", "CONFLUX_FUZZ_INPUTS"})
# Well-known names without our prefix, weaker than ours.
_PLAIN = {"DATABASE_URL": "database_url", "REDIS_URL": "redis_url", "HOST": "host", "PORT": "port"}


POSTGRES = ("postgresql://", "postgres://")


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body_bytes: int = 32 * 1024 * 1024
    body_seconds: float = 60.0
    keep_alive_seconds: float = 15.0
    connections_per_origin: int = 4096
    answer_bytes: int = 32 * 1024 * 1024  # of an upstream's answer that is read whole
    # Between "not ready" and closed doors: HAProxy asks every 2 s, and Kubernetes tells its nodes within about as much.
    drain_seconds: float = 3.0
    graceful_seconds: float = 30.0


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    port: int | None = None  # its own port, open to whoever reaches it; otherwise /metrics asks for an admin key
    host: str = "127.0.0.1"


class RefreshSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True  # look at the providers' own lists of models
    seconds: float = 3600.0


class ResponseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keep_days: int = 0  # how long responses are kept for their clients, prompts and all; 0: none is
    most_bytes: int = 4 * 1024 * 1024  # of a request that is kept
    most_per_key: int = 10_000


class IdempotencySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keep_hours: int = (
        24  # how long an answer is kept for its Idempotency-Key, sealed; 0: none is, the header is refused
    )
    most_bytes: int = 1024 * 1024  # of an answer that is kept


class RetentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    receipt_days: int = 0  # the parts of receipts: lines, calls, targets; what they cost stays. 0: for ever
    comment_days: int = 0  # the words of feedback; its score stays. 0: for ever


class ProbingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    vision: bool = False  # ask live targets by itself whether they see: when they are new, then weekly
    cents_per_day: int = 10  # US cents that this may cost a day


class WebSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    conversations: bool = True  # what users chat in the web may be kept for them, sealed


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    host: str = "127.0.0.1"
    port: int = 8080
    data: str = "./data"
    workers: int = 1
    database_url: str | None = None
    redis_url: str | None = None
    catalogue_dir: str | None = None
    ca_file: str | None = None  # certificates to trust beside the system's, for upstreams
    sim: bool = False  # keep the simulator beside real providers
    trusted_proxies: list[str] = []
    limits: LimitSettings = LimitSettings()
    metrics: MetricsSettings = MetricsSettings()
    refresh: RefreshSettings = RefreshSettings()
    responses: ResponseSettings = ResponseSettings()
    idempotency: IdempotencySettings = IdempotencySettings()
    retention: RetentionSettings = RetentionSettings()
    probing: ProbingSettings = ProbingSettings()
    web: WebSettings = WebSettings()

    @property
    def postgres_url(self) -> str | None:
        """None: SQLite, in the data directory."""
        url = self.database_url
        return url if url is not None and url.startswith(POSTGRES) else None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was said, and the catalogue's tables as they stand in the file."""

    settings: Settings
    file: Path | None
    tables: dict[str, list[dict[str, Any]]]
    environment: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Config(file={self.file})"  # the rest holds secrets

    @property
    def data_dir(self) -> Path:
        return Path(self.settings.data)


class BrokenSettings(ConfigError):
    """Mistakes in the settings. `rest`: what is left without them, so that the catalogue can be looked at too, or None
    where the file could not be read."""

    def __init__(self, problems: list[str], rest: Config | None) -> None:
        super().__init__(problems)
        self.rest = rest


def load(flags: Mapping[str, Any], environment: Mapping[str, str], config_file: str | None = None) -> Config:
    """Read all layers. Raises BrokenSettings with every mistake found."""
    problems: list[str] = []
    file = _file(config_file or environment.get("CONFLUX_CONFIG"), problems)
    from_file, tables = _read_file(file, problems)
    readable = not problems
    from_environment, variables = _read_environment(environment, problems)
    from_flags = {name: value for name, value in flags.items() if value is not None}
    merged = _good(_Source(str(file or DEFAULT_FILE), strict=True), "", from_file, Settings, problems)
    merged = _merge(merged, _good(_Source("environment", variables), "", from_environment, Settings, problems))
    merged = _merge(merged, _good(_Source("command line"), "", from_flags, Settings, problems))
    settings = msgspec.convert(merged, Settings, strict=False)
    for name, mistake in _judge(settings):
        variable = variables.get(name) if name not in from_flags else None
        where = f"configuration: {name}" if variable is None else f"environment: {variable}"
        problems.append(f"{where}: {mistake}")
    config = Config(settings=settings, file=file, tables=tables, environment=environment)
    if problems:
        raise BrokenSettings(problems, config if readable else None)
    return config


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


def _read_environment(environment: Mapping[str, str], problems: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings, and by which variable each of them was set."""
    found: dict[str, Any] = {}
    variables: dict[str, str] = {}
    for name, key in _PLAIN.items():
        value = _from_environment(environment, name, key, problems)
        if value is not None:
            found[key] = value
            variables[key] = _spelt(environment, name)
    bases = {_without_file(name) for name in environment if name.startswith(PREFIX) and name not in _NOT_SETTINGS}
    for name in sorted(bases):
        path = name.removeprefix(PREFIX).lower().split("__")
        value = _from_environment(environment, name, path[-1], problems)
        if value is not None:
            _put(found, path, _list(value) if path == ["trusted_proxies"] else value, name, problems)
            variables[".".join(path)] = _spelt(environment, name)
    return found, variables


def _spelt(environment: Mapping[str, str], name: str) -> str:
    """The variable that gave the value: of a secret, perhaps the one that names its file."""
    return name if environment.get(name) else f"{name}_FILE"


def _without_file(name: str) -> str:
    base = name.removesuffix("_FILE")
    return base if base.removeprefix(PREFIX).lower() in _SECRET else name


def _list(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


def _put(found: dict[str, Any], path: list[str], value: Any, name: str, problems: list[str]) -> None:
    place = found
    for step in path[:-1]:
        place = place.setdefault(step, {})
        if not isinstance(place, dict):
            problems.append(f"environment: {name}: {step} is set as a whole and in parts: keep one")
            return
    place[path[-1]] = value


_SECRET = frozenset({"database_url", "redis_url"})


def _from_environment(environment: Mapping[str, str], name: str, key: str, problems: list[str]) -> str | None:
    """A variable's value, or of a secret the content of the file its _FILE variant names. Empty is not set."""
    if environment.get(name):
        return environment[name]
    path = environment.get(name + "_FILE") if key in _SECRET else None
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        problems.append(f"environment: {name}_FILE: {path}: not a text file")
    except OSError as error:
        problems.append(f"environment: {name}_FILE: {path}: {error.strerror}")
    return None


class _Source(msgspec.Struct, frozen=True):
    """Where a layer was written, and by which variable each of its settings, if by any."""

    name: str
    variables: Mapping[str, str] = {}
    strict: bool = False  # TOML has numbers and true; elsewhere all is text

    def place(self, setting: str) -> str:
        """How whoever wrote it finds it again."""
        for one, variable in self.variables.items():
            if one == setting or one.startswith(setting + "."):
                return f"{self.name}: {variable}"
        return f"{self.name}: {setting}"


def _good(
    source: _Source, above: str, layer: Mapping[str, Any], type_: type[msgspec.Struct], problems: list[str]
) -> dict[str, Any]:
    """What is good of a layer. Each key by itself, so that every mistake is told with its own place."""
    known = {field.name: field.type for field in msgspec.structs.fields(type_)}
    good: dict[str, Any] = {}
    for name, value in layer.items():
        place = source.place(f"{above}{name}")
        if name not in known:
            problems.append(f"{place}: there is no such setting; there are {', '.join(sorted(known))}")
            continue
        section = known[name]
        if isinstance(section, type) and issubclass(section, msgspec.Struct):
            if isinstance(value, dict):
                good[name] = _good(source, f"{name}.", value, section, problems)
            else:
                problems.append(f"{place}: write it as a table [{name}]")
        elif _fits(place, value, section, problems, strict=source.strict):
            good[name] = value
    return good


def _fits(place: str, value: Any, type_: Any, problems: list[str], *, strict: bool) -> bool:
    try:
        msgspec.convert(value, type_, strict=strict)
    except msgspec.ValidationError as error:
        problems.append(f"{place}: {str(error).replace('`', '').lower()} ({value!r})")
        return False
    return True


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        inner = merged.get(name)
        merged[name] = _merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


_MAY_BE_0 = frozenset({"drain_seconds", "graceful_seconds"})


def _judge(settings: Settings) -> list[tuple[str, str]]:
    """Each setting that cannot be, and why."""
    problems: list[tuple[str, str]] = []
    ports = {"port": settings.port, "metrics.port": settings.metrics.port}
    for name, port in ports.items():
        if port is not None and not 0 <= port <= 65535:
            problems.append((name, f"{port} is not a port"))
    for name, text in (("host", settings.host), ("data", settings.data), ("metrics.host", settings.metrics.host)):
        if not text.strip():
            problems.append((name, "must not be empty"))
    for name, limit in msgspec.structs.asdict(settings.limits).items():
        if not 0 < limit < float("inf") and not (name in _MAY_BE_0 and limit == 0):
            problems.append((f"limits.{name}", f"{limit} is not above 0"))
    if not 60 <= settings.refresh.seconds < float("inf"):
        problems.append(("refresh.seconds", "at least 60; to switch it off, set refresh.enabled = false"))
    if not 1 <= settings.probing.cents_per_day <= 1_000_000:
        problems.append(("probing.cents_per_day", "from 1 to 1000000; to switch it off, set probing.vision = false"))
    problems += _judge_kept(settings)
    if settings.workers < 1:
        problems.append(("workers", "at least one is needed"))
    if settings.workers > 1 and settings.postgres_url is None:
        problems.append(
            ("workers", f"{settings.workers} workers on SQLite could lose money; use one, or a PostgreSQL database_url")
        )
    if settings.database_url is not None and not settings.database_url.startswith((*POSTGRES, "sqlite")):
        problems.append(("database_url", "write postgresql://USER:PASSWORD@HOST/DATABASE, or leave it out"))
    return problems


def _judge_kept(settings: Settings) -> list[tuple[str, str]]:
    """The same, of what is kept and for how long."""
    problems: list[tuple[str, str]] = []
    responses, answers = settings.responses, settings.idempotency
    for name, value, most in (
        ("responses.keep_days", responses.keep_days, 3650),
        ("idempotency.keep_hours", answers.keep_hours, 24 * 365),
    ):
        if not 0 <= value <= most:
            problems.append((name, f"from 0, which keeps none, to {most}"))
    for name, value in msgspec.structs.asdict(settings.retention).items():
        if not 0 <= value <= 36_500:
            problems.append((f"retention.{name}", "from 0, which is for ever, to 36500"))
    for name, value in (
        ("responses.most_bytes", responses.most_bytes),
        ("responses.most_per_key", responses.most_per_key),
        ("idempotency.most_bytes", answers.most_bytes),
    ):
        if value < 1:
            problems.append((name, "must be above 0"))
    return problems


# What a reload takes over; of everything else the running server keeps what it started with.
_RELOADED = frozenset(
    {"catalogue_dir", "sim", "refresh.enabled", "refresh.seconds", "probing.vision", "probing.cents_per_day"}
)


def changed_at_start(old: Settings, new: Settings) -> list[str]:
    """The settings that differ, and count only at a start."""
    before, after = _flat(msgspec.to_builtins(old)), _flat(msgspec.to_builtins(new))
    return [name for name in after if name not in _RELOADED and before[name] != after[name]]


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, dict) else {name: value}
    return found


def redacted(config: Config) -> dict[str, Any]:
    """The merged configuration as it may be shown: no secret, no password of an address."""
    shown: dict[str, Any] = msgspec.to_builtins(config.settings)
    for name in _SECRET:
        if shown[name] is not None:
            shown[name] = _without_password(shown[name])
    shown["config_file"] = str(config.file) if config.file is not None else None
    for name, rows in config.tables.items():
        shown[name] = [_redact_row(row) if name == "provider" else row for row in rows]
    return shown


_HIDDEN = "***"
# What somebody may call a secret that does not belong into the file at all.
_TELLING = re.compile(r"key|secret|token|password|authorization", re.IGNORECASE)
_PARAMETER = re.compile(r"([?&;][^=&;]*)=[^&;]*")


def _redact_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _redact(name, value) for name, value in row.items()}


def _redact(name: str, value: Any) -> Any:
    if name == "headers" and isinstance(value, dict):
        return dict.fromkeys(value, _HIDDEN)
    if isinstance(value, list):
        return [_redact(name, one) for one in value]
    if not isinstance(value, str):
        return value
    if name in ("credential", "credentials"):
        return value if value.startswith(("env:", "file:")) else _HIDDEN
    if name in ("base_url", "proxy"):
        return _without_password(value)
    return _HIDDEN if _TELLING.search(name) else value


def _without_password(address: str) -> str:
    """The address without what a password may be: after the user's name, in place of one, or in the query."""
    scheme, slashes, rest = address.rpartition("://")
    user, at, place = rest.rpartition("@")
    if at:
        name, colon, _ = user.partition(":")
        rest = (f"{name}:{_HIDDEN}" if colon else _HIDDEN) + "@" + place
    return _PARAMETER.sub(_hide_parameter, scheme + slashes + rest)


def _hide_parameter(found: re.Match[str]) -> str:
    return f"{found[1]}={_HIDDEN}" if _TELLING.search(found[1]) else found[0]


def process_environment() -> dict[str, str]:
    return dict(os.environ)
