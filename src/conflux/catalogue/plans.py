"""Subscription plans as they are written: [[plan]].

Law: as rows.py. A plan without a window would admit everything, so it is a mistake, as is a window that counts nothing.
"""

import re
from collections.abc import Iterable, Sequence

from conflux.catalogue.checks import Raw
from conflux.catalogue.recipes import Wrong
from conflux.catalogue.rows import Row
from conflux.neutral.plans import Plan, PlanWindow
from conflux.neutral.records import Storefront

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_MOST_SECONDS = 366 * 86_400
_MOST = 1 << 53
_UNITS = {"minutes": 60, "hours": 3600, "days": 86_400}


class WindowRow(Row):
    minutes: int | None = None
    hours: int | None = None
    days: int | None = None
    requests: int | None = None
    tokens: int | None = None


class PlanRow(Row):
    id: str
    name: str = ""
    storefront: str = ""
    default: bool = False
    windows: list[WindowRow] = []  # noqa: RUF012 msgspec copies it


def plan_of(row: PlanRow, wrong: Wrong) -> Plan:
    if not _ID.fullmatch(row.id):
        wrong("id", f"{row.id!r}: use up to 64 lower-case letters, digits, ., _ and -")
    if not row.storefront:
        wrong("storefront", "missing: a plan pays for the agent keys of one")
    if not row.windows:
        wrong("windows", "none: a plan that limits nothing is no plan; write windows = [{ hours = 5, requests = 100 }]")
    windows = tuple(_window(one, f"windows[{number}]", wrong) for number, one in enumerate(row.windows))
    lengths = [one.seconds for one in windows]
    if len(set(lengths)) != len(lengths):
        wrong("windows", "two of them are of the same length: write one with both limits")
    return Plan(id=row.id, name=row.name or row.id, storefront=row.storefront, default=row.default, windows=windows)


def _window(row: WindowRow, path: str, wrong: Wrong) -> PlanWindow:
    said = {name: value for name in _UNITS if (value := getattr(row, name)) is not None}
    seconds = sum(value * _UNITS[name] for name, value in said.items())
    if len(said) != 1:
        wrong(path, f"say its length by one of {', '.join(_UNITS)}")
    elif not 0 < seconds <= _MOST_SECONDS:
        wrong(f"{path}.{next(iter(said))}", "a window is from a minute to 366 days")
    if row.requests is None and row.tokens is None:
        wrong(path, "it limits nothing: say requests, tokens or both")
    for name in ("requests", "tokens"):
        value = getattr(row, name)
        if value is not None and not 0 < value <= _MOST:
            wrong(f"{path}.{name}", f"{value} is no limit: at least 1")
    return PlanWindow(seconds=seconds, requests=row.requests, tokens=row.tokens)


def check_plans(plans: Sequence[tuple[Raw, Plan]], faces: Iterable[Storefront], problems: list[str]) -> None:
    by_id = {one.id: one for one in faces}
    defaults: dict[str, str] = {}
    for raw, plan in plans:
        face = by_id.get(plan.storefront)
        if face is None:
            if plan.storefront:
                problems.append(f"{raw.place}: storefront: there is no [[storefront]] {plan.storefront!r}")
        elif not face.agent_prefixes:
            problems.append(
                f"{raw.place}: storefront: {face.id} has no agent_prefixes, so no key for a plan to pay for"
            )
        if plan.default and plan.storefront in defaults:
            problems.append(f"{raw.place}: default: {defaults[plan.storefront]} is the default of {plan.storefront}")
        if plan.default:
            defaults.setdefault(plan.storefront, plan.id)
