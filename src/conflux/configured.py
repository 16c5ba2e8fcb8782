"""What the configuration makes: secrets, the catalogue, a snapshot, whom upstreams are trusted by.

Law: nothing is opened here but files that the configuration names; a broken configuration is told whole.
"""

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from conflux.accounts.sealing import Sealer, SealError
from conflux.catalogue.catalogue import Catalogue
from conflux.catalogue.changes import ACCEPTED, Change, in_force
from conflux.catalogue.loader import load as load_catalogue
from conflux.catalogue.loader import shipped_dir
from conflux.dialects import DIALECTS
from conflux.neutral.errors import ConfigError
from conflux.relay.live import build_snapshot
from conflux.relay.snapshot import LiveProvider, Snapshot
from conflux.settings import Config
from conflux.stores.credentials import place_of
from conflux.stores.opening import Store
from conflux.upstream.dial import tls_context

NOTHING_ENTERED: Mapping[str, Mapping[str, str]] = {}


def secret_reader(config: Config) -> Callable[[str], str | None]:
    """env:NAME and file:PATH, as the operator's configuration names them."""

    def read(name: str) -> str | None:
        kind, _, rest = name.partition(":")
        if kind == "env":
            value = config.environment.get(rest)
            if value is None and rest + "_FILE" in config.environment:
                return _content(Path(config.environment[rest + "_FILE"]))
            return value or None
        return _content(Path(rest))

    return read


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def read_catalogue(config: Config, changes: Iterable[Change] = ()) -> Catalogue:
    """As written, with what was accepted since over it. Raises ConfigError with every mistake."""
    directories = [shipped_dir()]
    if config.settings.catalogue_dir is not None:
        directories.append(Path(config.settings.catalogue_dir))
    today = datetime.now(UTC).date()
    return load_catalogue(directories, config.tables, str(config.file or "conflux.toml"), changes, today)


def make_snapshot(
    config: Config,
    simulator: LiveProvider | None,
    version: int = 0,
    changes: Iterable[Change] = (),
    entered: Mapping[str, Mapping[str, str]] = NOTHING_ENTERED,
) -> Snapshot:
    """Catalogue and providers as configured now, with the credentials that were entered here, by provider and name.
    Raises ConfigError with every mistake."""
    read = secret_reader(config)
    known = {name: secret for found in entered.values() for name, secret in found.items()}
    return build_snapshot(
        with_entered(read_catalogue(config, changes), entered),
        lambda name: known[name] if name in known else read(name),
        DIALECTS,
        simulator=simulator,
        keep_simulator=config.settings.sim,
        version=version,
    )


def with_entered(catalogue: Catalogue, entered: Mapping[str, Mapping[str, str]]) -> Catalogue:
    """Each provider's credentials from the files, and those that were entered after them."""
    if not entered:
        return catalogue
    providers = [
        msgspec.structs.replace(one, credentials=(*one.credentials, *entered.get(one.id, ())))
        for one in catalogue.providers.values()
    ]
    return msgspec.structs.replace(catalogue, providers={one.id: one for one in providers})


async def entered(store: Store, sealer: Sealer, log: Callable[[str], None]) -> dict[str, dict[str, str]]:
    """The credentials that were entered here, opened. One that cannot be is told, and left out."""
    found: dict[str, dict[str, str]] = {}
    for row in await store.credentials.rows():
        try:
            secret = sealer.open(place_of(row.number), row.sealed).decode()
        except SealError as error:
            log(f"the credential {row.id} of {row.provider} cannot be used: {error}")
            continue
        found.setdefault(row.provider, {})[row.id] = secret
    return found


async def accepted(store: Store) -> list[Change]:
    return in_force(await store.catalogue.changes(ACCEPTED), time.time())


def own_file(config: Config, command: str, tool: str) -> Path:
    """The data directory whose database is a file. What lies beside PostgreSQL would be another one's copy."""
    if config.settings.postgres_url is not None:
        raise ConfigError([f"{command}: the database is PostgreSQL's: use {tool}, and keep {config.data_dir} too"])
    return config.data_dir


async def until_next_change(store: Store) -> float | None:
    """Seconds until an accepted change begins; None where none is to come."""
    now = time.time()
    begins = [one.effective_at or 0 for one in await store.catalogue.changes(ACCEPTED)]
    return min((one - now for one in begins if one > now), default=None)


def live_providers(snapshot: Snapshot) -> dict[str, LiveProvider]:
    """Those that some pool wants something of."""
    found = {target.live.provider.id: target.live for pool in snapshot.pools.values() for target in pool}
    return {name: one for name, one in found.items() if not one.provider.simulated}


def catalogue_mistakes(config: Config | None) -> list[str]:
    """What is wrong beside broken settings, so that one look shows everything."""
    if config is None:
        return []
    try:
        make_snapshot(config, None)
    except ConfigError as error:
        return error.problems
    return []


def make_tls(config: Config) -> ssl.SSLContext:
    """Whom upstreams are trusted by. Raises ConfigError for a file that holds no certificate."""
    ca_file = config.settings.ca_file
    try:
        return tls_context(ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = "it holds no PEM certificate" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", error)
        raise ConfigError([f"configuration: ca_file: {ca_file}: {reason}"]) from None


def check(config: Config) -> ssl.SSLContext:
    """A broken configuration opens nothing. Raises ConfigError."""
    make_snapshot(config, None)
    return make_tls(config)
