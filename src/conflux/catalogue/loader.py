"""From TOML files to a catalogue.

Law: layers of rows by id, the owner's over the shipped; a [[model]] overrides field by field, a [[pool]] whole. Every
mistake is one line with file, row and field; all of them are told at once and nothing is half-loaded.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from conflux.catalogue.catalogue import Catalogue, build
from conflux.catalogue.changes import Change, lay_cost, place_of, row_of, stands_alone
from conflux.catalogue.checks import Key, Layers, Raw, check_faces, check_models, check_references
from conflux.catalogue.explain import explain
from conflux.catalogue.limitations import with_lanes
from conflux.catalogue.plans import PlanRow, check_plans, plan_of
from conflux.catalogue.recipes import Wrong, check_recipes
from conflux.catalogue.rows import (
    ModelRow,
    PoolRow,
    ProviderRow,
    RateRow,
    Row,
    StorefrontRow,
    day_of,
    model_of,
    pool_of,
    provider_of,
    rate_of,
    storefront_of,
)
from conflux.neutral.errors import ConfigError
from conflux.neutral.plans import Plan
from conflux.neutral.records import Model, Pool, Provider, Storefront

TABLES = ("storefront", "provider", "pool", "model", "rate", "plan")
_LONGEST = 2000
_WHOLE = frozenset({"pool"})  # replaced whole, not field by field
_KEYS = {"storefront": ("id",), "provider": ("id",), "pool": ("id",), "model": ("storefront", "id"),
         "rate": ("currency",), "plan": ("id",)}  # fmt: skip

R = TypeVar("R", bound=Row)
M = TypeVar("M")


def shipped_dir() -> Path:
    """The catalogue inside the package, else the one beside the sources of a checkout."""
    here = Path(__file__).resolve()
    packaged = here.parents[1] / "_data" / "catalogue"
    return packaged if packaged.is_dir() else here.parents[3] / "catalogue"


def load(
    directories: Iterable[Path],
    owner_tables: Mapping[str, list[dict[str, Any]]] | None = None,
    owner_file: str = "conflux.toml",
    changes: Iterable[Change] = (),
    today: date | None = None,
) -> Catalogue:
    """The catalogue of these directories, with the owner's own tables on top, and what an admin accepted over all of
    it. `today`: no price of the owner's files may begin after it. Raises ConfigError."""
    problems: list[str] = []
    layers: Layers = {table: {} for table in TABLES}
    shipped = shipped_dir()
    # what is missing only because a file could not be read is not a second mistake
    read = [
        _take_directory(directory, layers, problems, owned=directory.resolve() != shipped) for directory in directories
    ]
    _take(owner_file, owner_tables or {}, layers, set(), problems, owned=True)
    if today is not None:
        problems += _early(layers, today)
    for change in changes:
        _take_change(change, layers)
    found = _understand(layers, problems, refer=all(read))
    if problems or found is None:
        raise ConfigError([_one_line(problem) for problem in problems])
    return found


def _early(layers: Layers, today: date) -> Iterator[str]:
    """What a file says is charged from now on, whatever day it names: one that is to come is no slip of the owner's to
    bill by. A day more, for clocks east of Greenwich."""
    last = (today + timedelta(days=1)).isoformat()
    for table in ("model", "pool"):
        for raw in layers[table].values():
            targets = raw.fields.get("target")
            prices = [("price", raw.fields.get("price"))] if table == "model" else [
                (f"target[{number}].cost", one.get("cost"))
                for number, one in enumerate(targets if isinstance(targets, list) else ()) if isinstance(one, dict)
            ]  # fmt: skip
            for path, price in prices:
                begins = price.get("effective_at") if raw.owned and isinstance(price, dict) else None
                if isinstance(begins, str) and day_of(begins) is not None and begins > last:
                    yield (
                        f"{raw.place}: {path}.effective_at: {begins} is still to come, and a file counts as it is: "
                        "write it then, or give a model's price that begins later in the console"
                    )


def _one_line(problem: str) -> str:
    """Names in a file may hold anything; a mistake is one line all the same."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in problem[:_LONGEST])


@lru_cache(64)  # a start asks three times, and parsing is most of it; nothing of it is ever changed in place
def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _take_directory(directory: Path, layers: Layers, problems: list[str], *, owned: bool) -> bool:
    """Take all files of a directory; False where any could not be read."""
    if not directory.is_dir():
        problems.append(f"{directory}: this catalogue directory does not exist")
        return False
    files = sorted(directory.glob("*.toml"))
    if not files:
        problems.append(f"{directory}: this catalogue directory holds no .toml file")
    seen: set[tuple[str, Key]] = set()
    understood = bool(files)
    for file in files:
        try:
            content = _parsed(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(f"{file}: not valid TOML: {error}")
            understood = False
        except OSError as error:
            problems.append(f"{file}: cannot be read: {error.strerror}")
            understood = False
        else:
            _take(str(file), content, layers, seen, problems, owned=owned)
    return understood


def _take(
    file: str,
    content: Mapping[str, Any],
    layers: Layers,
    seen: set[tuple[str, Key]],
    problems: list[str],
    *,
    owned: bool,
) -> None:
    for table, rows in content.items():
        if table not in TABLES:
            problems.append(f"{file}: {table}: there is no such table; there are {', '.join(TABLES)}")
            continue
        if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
            problems.append(f"{file}: {table}: write it as [[{table}]], a table for each")
            continue
        for number, fields in enumerate(rows, 1):
            where = f"{file}: [[{table}]] #{number}"
            lacking = [name for name in _KEYS[table] if not isinstance(fields.get(name), str) or not fields[name]]
            if lacking:
                problems.append(f"{where}: {' and '.join(lacking)}: missing, it says which row this is")
                continue
            key = tuple(fields[name] for name in _KEYS[table])
            place = f"{where} {'/'.join(key)}"
            if (table, key) in seen:
                problems.append(f"{place}: {_KEYS[table][-1]}: written twice: keep one of the two rows")
                continue
            seen.add((table, key))
            _lay(layers[table], table, key, Raw(place, fields, owned))


def _take_change(change: Change, layers: Layers) -> None:
    if change.table == "target":
        lay_cost(layers["pool"], change)
        return
    rows, key = layers[change.table], change.key
    if key not in rows and not stands_alone(change):
        return  # the row it was about is gone
    owned = key in rows and rows[key].owned
    _lay(rows, change.table, key, Raw(place_of(change), row_of(change), owned))


def _lay(rows: dict[Key, Raw], table: str, key: Key, above: Raw) -> None:
    """Put a row over the one of the layer below."""
    below = rows.get(key)
    if below is None or table in _WHOLE:
        rows[key] = above
        return
    fields = {**below.fields, **above.fields}
    if table == "model":
        _lay_model(fields, below.fields, above)
    if table == "provider":
        for one, many in (("credential", "credentials"), ("dialect", "dialects")):
            if one in above.fields and many not in above.fields:
                fields.pop(many, None)
            if many in above.fields and one not in above.fields:
                fields.pop(one, None)
    rows[key] = Raw(above.place, fields, below.owned or above.owned)


def _lay_model(fields: dict[str, Any], below: Mapping[str, Any], above: Raw) -> None:
    said = above.fields
    old, new = below.get("price"), said.get("price")
    if isinstance(old, dict) and isinstance(new, dict):
        fields["price"] = {**old, **new}
        if "version" not in new:
            fields["price"].pop("version", None)  # it was the other price's
    if "context" in said and "safe_context" not in said:
        fields.pop("safe_context", None)  # the old budget belonged to the old context
    if "dimensions" in said and "max_dimension" not in said:
        fields.pop("max_dimension", None)
    if "assumed" not in said and isinstance(below.get("assumed"), list):
        fields["assumed"] = [name for name in below["assumed"] if not _restated(name, said)]


def _restated(name: Any, said: Mapping[str, Any]) -> bool:
    """Does a row state itself what the row below only assumed?"""
    field, _, part = str(name).partition(".")
    if field == "price" and part and isinstance(said.get("price"), dict):
        return part in said["price"]
    return field in said


def _understand(layers: Layers, problems: list[str], *, refer: bool) -> Catalogue | None:
    """Rows into records, then what must hold between rows. None where a mistake was found."""
    rates = {
        rate.currency: rate
        for raw in layers["rate"].values()
        if (rate := _read(raw, RateRow, rate_of, problems)) is not None
    }
    faces: dict[str, tuple[Raw, StorefrontRow, Storefront]] = {}
    for raw in layers["storefront"].values():
        read = _read(raw, StorefrontRow, lambda row, wrong: (row, storefront_of(row, wrong)), problems)
        if read is not None:
            faces[read[1].id] = (raw, *read)
    providers: list[Provider] = []
    for raw in layers["provider"].values():
        provider = _read(raw, ProviderRow, partial(provider_of, rates=rates, configured=raw.owned), problems)
        if provider is not None:
            providers.append(provider)
    pools: list[tuple[Raw, Pool]] = []
    for raw in layers["pool"].values():
        pool = _read(raw, PoolRow, partial(pool_of, rates=rates), problems)
        if pool is not None:
            pools.append((raw, pool))
    models: list[tuple[Raw, Model]] = []
    for raw in layers["model"].values():
        face = faces.get(str(raw.fields["storefront"]))
        strict = face is not None and face[1].strict_capabilities
        model = _read(raw, ModelRow, partial(model_of, rates=rates, strict=strict), problems)
        if model is not None:
            models.append((raw, model))
    plans: list[tuple[Raw, Plan]] = []
    for raw in layers["plan"].values():
        plan = _read(raw, PlanRow, plan_of, problems)
        if plan is not None:
            plans.append((raw, plan))
    if refer:
        check_references(layers, problems)
        check_plans(plans, [face for _, row, face in faces.values()], problems)
    open_faces = [(raw, face) for raw, row, face in faces.values() if row.enabled]
    if refer and len(faces) == len(layers["storefront"]):
        check_faces(open_faces, problems)
    shown = [(raw, model) for raw, model in models if model.storefront in {face.id for _, face in open_faces}]
    check_models(shown, pools, problems)
    check_recipes(shown, problems)
    if problems:
        return None
    return build(
        [face for _, face in open_faces],
        with_lanes([model for _, model in shown], [pool for _, pool in pools], providers),
        [pool for _, pool in pools],
        providers,
        [plan for _, plan in plans],
    )


def _read(raw: Raw, type_: type[R], make: Callable[[R, Wrong], M], problems: list[str]) -> M | None:
    """The record of a row, all its mistakes told. A row that does not convert is judged without its bad fields, and
    then there is no record."""
    bad: set[str] = set()

    def wrong(field: str, what: str) -> None:
        if not any(_leads(one, field) or _leads(field, one) for one in bad):
            problems.append(f"{raw.place}: {field}: {what}")

    try:
        return make(msgspec.convert(raw.fields, type_), wrong)
    except msgspec.ValidationError:
        for field, what in explain(raw.fields, type_):
            problems.append(f"{raw.place}: {field}: {what}")
            bad.add(field)
    make(_without(raw.fields, bad, type_), wrong)
    return None


def _without(fields: Mapping[str, Any], bad: set[str], type_: type[R]) -> R:
    """The row without its bad fields: of a table only they are left out, of a list the whole."""
    # every field that must be there is text, so that an empty one can stand in for it
    rest: dict[str, Any] = {field.name: "" for field in msgspec.structs.fields(type_) if field.required}
    good = {name: value for name, value in fields.items() if name in type_.__struct_fields__ and name not in bad}
    whole = {name: value for name, value in good.items() if not any(_root(one) == name for one in bad)}
    parts = {
        name: {part: one for part, one in value.items() if not any(_leads(f"{name}.{part}", path) for path in bad)}
        for name, value in good.items()
        if name not in whole and isinstance(value, dict)
    }
    try:
        return msgspec.convert(rest | whole | parts, type_)
    except msgspec.ValidationError:
        return msgspec.convert(rest | whole, type_)  # the table lacks what it must have, and that was told


def _leads(start: str, path: str) -> bool:
    return path == start or path.startswith((start + ".", start + "["))


def _root(field: str) -> str:
    return re.split(r"[.\[]", field, maxsplit=1)[0]
