"""What a Flux request asks of its panel: several sources, one that fuses.

Law: pure. Whatever is wrong inside `flux` is a 400 that names it; nothing is guessed, nothing unknown is passed over.
What the request says goes before what its recipe says, and None is "choose for me".
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import NANO_PER_USD, MoneyError, parse_scaled

MOST_SOURCES = 8
SOURCES = 3  # where nobody names any: three proposers and one aggregation take most of the gain
LEAST_MS, MOST_MS = 50, 600_000
EXPOSES = ("none", "summary", "full")
PROGRESSES = ("off", "comment", "chunk")
_SHOWN = 80
_MOST_COST = 1 << 62
_FINE = 18  # digits that an amount may have behind its point


class FluxTerms(msgspec.Struct, frozen=True, kw_only=True):
    sources: tuple[str, ...] = ()
    fuser: str | None = None
    quorum: int | None = None
    grace_ms: int | None = None
    deadline_ms: int = 60_000
    max_cost: int | None = None  # nano-USD
    analysis: bool = False
    expose: str = "none"
    progress: str = "off"
    recipe: bool = False  # its names are the catalogue's: one that this caller may not run is left out, not refused


def wrong(place: str, message: str) -> GatewayError:
    """`place`: where inside of flux, or "" for all of it."""
    return _at(place, GatewayError(Kind.INVALID, message))


def wrong_seat(place: str, error: GatewayError) -> GatewayError:
    """What is wrong with the request for the model in this place, as it is of that model alone; whom this key may not
    have is a wrong name."""
    if error.kind in (Kind.CONTEXT_LENGTH, Kind.UNSUPPORTED):
        return _at(place, error)
    return wrong(place, error.message)


def _at(place: str, error: GatewayError) -> GatewayError:
    param = f"flux.{place}" if place else "flux"
    return GatewayError(error.kind, f"{param}: {error.message}", param=param, code=error.code, details=error.details)


def read_terms(said: Any, recipe: FluxTerms) -> FluxTerms:
    """`said`: the request's own `flux`; None where it only named the recipe."""
    if said is None:
        return recipe
    if not isinstance(said, Mapping):
        raise wrong("", 'is an object such as {"sources": ["…"], "fuser": "…"}; {} lets the gateway choose')
    unknown = sorted(set(said) - set(_FIELDS))
    if unknown:
        raise wrong(unknown[0][:_SHOWN], f"there is no such field; there are {', '.join(_FIELDS)}")
    found = {}
    for name, value in said.items():
        if value is not None:
            field, read = _FIELDS[name]
            found[field] = read(name, value)
    terms = msgspec.structs.replace(recipe, **found)
    if "sources" in found:
        terms = msgspec.structs.replace(terms, recipe=False)
        if "quorum" not in found and terms.quorum is not None:  # the recipe's, made for its own sources
            terms = msgspec.structs.replace(terms, quorum=min(terms.quorum, len(terms.sources)))
    if terms.grace_ms is not None and terms.grace_ms > terms.deadline_ms:
        raise wrong("grace_ms", f"{terms.grace_ms} is longer than deadline_ms, {terms.deadline_ms}")
    return terms


def check_quorum(terms: FluxTerms, sources: int) -> int:
    """How many drafts are enough; asked once it is known how many sources there are."""
    if terms.quorum is None:
        return min(2, sources)
    if terms.quorum > sources and not terms.recipe:
        raise wrong("quorum", f"{terms.quorum} drafts cannot come of {sources} source{'s' * (sources > 1)}")
    return min(terms.quorum, sources)


def _sources(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise wrong(name, "is a list of model ids")
    if not value:
        raise wrong(name, f"is empty: name 1 to {MOST_SOURCES} models, or leave it out and they are chosen")
    if len(value) > MOST_SOURCES:
        raise wrong(name, f"{len(value)} models are too many: at most {MOST_SOURCES}")
    return tuple(value)


def _name(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise wrong(name, "is a model id")
    return value


def _whole(least: int, most: int, what: str) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise wrong(name, f"{str(value)[:_SHOWN]} is not {what} from {least} to {most}")
        return value

    return read


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(name, "is true or false")
    return value


def _word(words: tuple[str, ...]) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise wrong(name, f"{str(value)[:_SHOWN]!r} is not one of {', '.join(words)}")
        return value

    return read


def _cost(name: str, value: Any) -> int:
    """USD to nano-USD, rounded down: a cap is never widened. By the digits that were written, never by a float."""
    text = value
    if type(value) is float:  # which has few digits and no large exponent; a text may have any
        whole, _, fraction = f"{Decimal(repr(value)):f}".partition(".")
        text = f"{whole}.{fraction[:_FINE] or '0'}"
    elif type(value) is int:
        text = str(value)
    try:
        nano = parse_scaled(text, _FINE) // NANO_PER_USD
    except MoneyError:
        nano = 0
    if not 0 < nano < _MOST_COST:
        raise wrong(name, f"{str(value)[:_SHOWN]} is not an amount of USD above 0, such as 0.2")
    return nano


_FIELDS: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "sources": ("sources", _sources),
    "fuser": ("fuser", _name),
    "quorum": ("quorum", _whole(1, MOST_SOURCES, "a number of drafts")),
    "grace_ms": ("grace_ms", _whole(0, MOST_MS, "a number of milliseconds")),
    "deadline_ms": ("deadline_ms", _whole(LEAST_MS, MOST_MS, "a number of milliseconds")),
    "max_cost_usd": ("max_cost", _cost),
    "analysis": ("analysis", _flag),
    "expose": ("expose", _word(EXPOSES)),
    "progress": ("progress", _word(PROGRESSES)),
}
FIELDS = tuple(_FIELDS)
