"""What must hold between rows: everything named exists, and what must be unique is.

Law: pure; every mistake is one line with the place of the row that has it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from conflux.neutral.records import Model, Pool, Storefront

Key = tuple[str, ...]


class Raw(msgspec.Struct, frozen=True):
    """One row before it is understood: where it was written, its fields, and whether the owner had a hand in it."""

    place: str
    fields: dict[str, Any]
    owned: bool = False


Layers = dict[str, dict[Key, Raw]]


def check_references(layers: Layers, problems: list[str]) -> None:
    """Compares what was written, not what was understood: a row with a mistake is there, and its names may be wrong
    too."""
    for raw in layers["pool"].values():
        targets = raw.fields.get("target")
        for number, target in enumerate(targets if isinstance(targets, list) else ()):
            name = target.get("provider") if isinstance(target, dict) else None
            if isinstance(name, str) and (name,) not in layers["provider"]:
                problems.append(f"{raw.place}: target[{number}].provider: there is no [[provider]] {name!r}")
    for raw in layers["model"].values():
        storefront, pool = raw.fields["storefront"], raw.fields.get("pool")
        if (storefront,) not in layers["storefront"]:
            known = ", ".join(key[0] for key in layers["storefront"])
            problems.append(f"{raw.place}: storefront: there is no [[storefront]] {storefront!r}; there are {known}")
        if isinstance(pool, str) and (pool,) not in layers["pool"]:
            problems.append(f"{raw.place}: pool: there is no [[pool]] {pool!r}")


def check_faces(faces: Sequence[tuple[Raw, Storefront]], problems: list[str]) -> None:
    """Paths, hosts and key prefixes lead to one storefront each, and something answers at /."""
    for field in ("mount", "hosts", "key_prefixes", "root_paths"):
        taken: dict[str, str] = {}
        for raw, face in faces:
            said = getattr(face, field)
            for value in (said,) if isinstance(said, str) else said:
                if value in taken:
                    problems.append(f"{raw.place}: {field}: {value!r} belongs to the storefront {taken[value]} already")
                taken.setdefault(value, face.id)
    if not any(face.mount == "/" for _, face in faces):
        problems.append("storefronts: mount: none of them is at /, and one must answer there")


def check_models(models: Sequence[tuple[Raw, Model]], pools: Iterable[tuple[Raw, Pool]], problems: list[str]) -> None:
    by_pool = {pool.id: pool for _, pool in pools}
    ids = {(model.storefront, model.id) for _, model in models}
    taken: dict[tuple[str, str], str] = {}
    for raw, model in models:
        slugs = [("canonical_slug", model.canonical_slug)] if model.canonical_slug not in (None, model.id) else []
        for field, name in (*(("aliases", alias) for alias in model.aliases), *slugs):
            key = (model.storefront, str(name))
            if key in ids:
                whose = "this model itself" if name == model.id else "another model"
                problems.append(f"{raw.place}: {field}: {name!r} is the id of {whose}")
            elif key in taken:
                problems.append(f"{raw.place}: {field}: {name!r} leads to {taken[key]} already")
            taken.setdefault(key, model.id)
        pool = by_pool.get(model.pool)
        for target in pool.targets if pool is not None and model.effort is not None else ():
            if target.effort not in (None, model.effort):
                problems.append(
                    f"{raw.place}: effort: {model.effort!r}, but the target {target.key} of its pool fixes "
                    f"{target.effort!r}"
                )
