"""From TOML files to a catalogue.

Law: layers of rows by id, the owner's over the shipped; a [[model]] overrides field by field, a [[pool]] whole. Every
mistake is one line with file, row and field; all of them are told at once and nothing is half-loaded.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from conflux.catalogue.catalogue import Catalogue, build
from conflux.catalogue.rows import (
    Mistake,
    ModelRow,
    PoolRow,
    ProviderRow,
    RateRow,
    Row,
    StorefrontRow,
    model_of,
    pool_of,
    provider_of,
    rate_of,
    storefront_of,
)
from conflux.neutral.errors import ConfigError
from conflux.neutral.money import Rate
from conflux.neutral.records import Model, Pool, Provider, Storefront

TABLES = ("storefront", "provider", "pool", "model", "rate")
_WHOLE = frozenset({"pool"})  # replaced whole, not field by field
_KEYS = {"storefront": ("id",), "provider": ("id",), "pool": ("id",), "model": ("storefront", "id"),
         "rate": ("currency",)}  # fmt: skip

R = TypeVar("R", bound=Row)


class Raw(msgspec.Struct):
    """One row before it is understood: its fields, and where they were written."""

    place: str
    fields: dict[str, Any]
    configured: bool = False


Layers = dict[str, dict[tuple[str, ...], Raw]]


def shipped_dir() -> Path:
    """The catalogue beside the sources in a checkout, else the one inside the package."""
    beside = Path(__file__).resolve().parents[3] / "catalogue"
    return beside if beside.is_dir() else Path(__file__).resolve().parents[1] / "_data" / "catalogue"


def load(
    directories: Iterable[Path],
    owner_tables: Mapping[str, list[dict[str, Any]]] | None = None,
    owner_file: str = "conflux.toml",
) -> Catalogue:
    """The catalogue of these directories, with the owner's own tables on top. Raises ConfigError."""
    problems: list[str] = []
    layers: Layers = {table: {} for table in TABLES}
    for directory in directories:
        if not directory.is_dir():
            problems.append(f"{directory}: this catalogue directory does not exist")
            continue
        seen: set[tuple[str, tuple[str, ...]]] = set()
        for file in sorted(directory.glob("*.toml")):
            _take_file(file, layers, seen, problems)
    _take(owner_file, owner_tables or {}, layers, set(), problems, configured=True)
    found = _understand(layers, problems)
    if problems:
        raise ConfigError(problems)
    return found


def _take_file(file: Path, layers: Layers, seen: set[tuple[str, tuple[str, ...]]], problems: list[str]) -> None:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{file.name}: not valid TOML: {error}")
        return
    except OSError as error:
        problems.append(f"{file.name}: cannot be read: {error.strerror}")
        return
    _take(file.name, content, layers, seen, problems, configured=False)


def _take(
    file: str,
    content: Mapping[str, Any],
    layers: Layers,
    seen: set[tuple[str, tuple[str, ...]]],
    problems: list[str],
    *,
    configured: bool,
) -> None:
    for table, rows in content.items():
        if table not in TABLES:
            problems.append(f"{file}: {table}: there is no such table; there are {', '.join(TABLES)}")
            continue
        if not isinstance(rows, list):
            problems.append(f"{file}: {table}: write it as [[{table}]]")
            continue
        for number, fields in enumerate(rows, 1):
            said = [fields.get(name) for name in _KEYS[table]] if isinstance(fields, dict) else []
            key = tuple(part for part in said if isinstance(part, str) and part)
            if len(key) != len(_KEYS[table]):
                missing = " and ".join(_KEYS[table])
                problems.append(f"{file}: [[{table}]] #{number}: {missing}: missing, it says which row this is")
                continue
            place = f"{file}: [[{table}]] #{number} {'/'.join(key)}"
            if (table, key) in seen:
                problems.append(f"{place}: written twice")
                continue
            seen.add((table, key))
            _lay(layers[table], table, key, place, fields, configured=configured)


def _lay(
    rows: dict[tuple[str, ...], Raw],
    table: str,
    key: tuple[str, ...],
    place: str,
    fields: dict[str, Any],
    *,
    configured: bool,
) -> None:
    below = rows.get(key)
    if below is None or table in _WHOLE:
        rows[key] = Raw(place, dict(fields), configured)
        return
    merged = {**below.fields, **fields}
    for name in ("price",):
        if isinstance(below.fields.get(name), dict) and isinstance(fields.get(name), dict):
            merged[name] = {**below.fields[name], **fields[name]}
    if table == "model" and "context" in fields and "safe_context" not in fields:
        merged.pop("safe_context", None)  # the old budget belonged to the old context
    if table == "provider":
        if "credential" in fields:
            merged.pop("credentials", None)
        if "dialect" in fields:
            merged.pop("dialects", None)
    rows[key] = Raw(place, merged, below.configured or configured)


def _understand(layers: Layers, problems: list[str]) -> Catalogue:
    rates: dict[str, Rate] = {}
    storefronts: dict[str, Storefront] = {}
    providers: dict[str, Provider] = {}
    pools: dict[str, Pool] = {}
    models: list[Model] = []
    for raw in layers["rate"].values():
        if (rate := _read(raw, RateRow, rate_of, problems)) is not None:
            rates[rate.currency] = rate
    for raw in layers["storefront"].values():
        if (storefront := _read(raw, StorefrontRow, storefront_of, problems)) is not None:
            storefronts[storefront.id] = storefront
    for raw in layers["provider"].values():
        configured = raw.configured
        made = _read(raw, ProviderRow, lambda row, c=configured: provider_of(row, configured=c), problems)
        if made is not None:
            providers[made.id] = made
    for raw in layers["pool"].values():
        pool = _read(raw, PoolRow, lambda row: pool_of(row, rates), problems)
        if pool is not None:
            pools[pool.id] = pool
            problems += [
                f"{raw.place}: target[{place}].provider: there is no provider {target.provider!r}"
                for place, target in enumerate(pool.targets)
                if (target.provider,) not in layers["provider"]
            ]
    for raw in layers["model"].values():
        face = storefronts.get(str(raw.fields["storefront"]))
        if face is None:
            if (raw.fields["storefront"],) not in layers["storefront"]:
                problems.append(f"{raw.place}: storefront: there is no storefront {raw.fields['storefront']!r}")
            continue
        model = _read(raw, ModelRow, lambda row, f=face: model_of(row, rates, f), problems)
        if model is not None:
            models.append(model)
            if (model.pool,) not in layers["pool"]:
                problems.append(f"{raw.place}: pool: there is no pool {model.pool!r}")
    _check_names(storefronts, models, problems)
    return build(storefronts.values(), models, pools.values(), providers.values())


def _read(raw: Raw, type_: type[R], make: Any, problems: list[str]) -> Any:
    try:
        return make(msgspec.convert(raw.fields, type_))
    except msgspec.ValidationError as error:
        what, _, path = str(error).replace("`", "").partition(" - at $.")
        if what.startswith("Object contains unknown field "):
            name = what.removeprefix("Object contains unknown field ")
            known = ", ".join(field.name for field in msgspec.structs.fields(type_))
            problems.append(
                f"{raw.place}: {path + '.' if path else ''}{name}: there is no such field; there are {known}"
            )
        elif what.startswith("Object missing required field "):
            problems.append(f"{raw.place}: {what.removeprefix('Object missing required field ')}: missing")
        else:
            hint = ": write it as a string, floats are not exact" if path.startswith("price") else ""
            problems.append(f"{raw.place}: {path}: {what[:1].lower()}{what[1:]}{hint}")
    except Mistake as mistake:
        problems.append(f"{raw.place}: {mistake}")
    return None


def _check_names(storefronts: Mapping[str, Storefront], models: Iterable[Model], problems: list[str]) -> None:
    """What must be unique across rows."""
    for what, pairs in (
        ("mount", [(one.mount, one.id) for one in storefronts.values()]),
        ("key prefix", [(prefix, one.id) for one in storefronts.values() for prefix in one.key_prefixes]),
        ("host", [(host, one.id) for one in storefronts.values() for host in one.hosts]),
    ):
        taken: dict[str, str] = {}
        for value, owner in pairs:
            if value in taken:
                problems.append(f"storefront {owner}: {what} {value!r} belongs to {taken[value]} already")
            taken[value] = owner
    if not any(one.mount == "/" for one in storefronts.values()):
        problems.append("storefronts: none is mounted at /: one must answer there")
    ids = {(one.storefront, one.id) for one in models}
    aliases: dict[tuple[str, str], str] = {}
    for one in models:
        for alias in one.aliases:
            key = (one.storefront, alias)
            if key in ids:
                problems.append(f"model {one.storefront}/{one.id}: alias {alias!r} is the id of another model")
            elif key in aliases:
                problems.append(f"model {one.storefront}/{one.id}: alias {alias!r} belongs to {aliases[key]} already")
            aliases[key] = one.id
