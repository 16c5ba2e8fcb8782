"""What a client tells the gateway beside its protocol: fallback, prefer, max-cost-usd.

Law: a control that makes no sense is refused by name, also where it would change nothing: whoever misspells one would
take it for obeyed. Each is a header `x-conflux-NAME`, or the storefront's own prefix; no provider ever sees it.
"""

from functools import lru_cache
from typing import NamedTuple

from conflux.neutral.errors import invalid
from conflux.neutral.money import MoneyError, nano_from_usd
from conflux.neutral.ports import Headers
from conflux.neutral.records import Storefront
from conflux.neutral.request import Envelope
from conflux.routing.board import NEVER
from conflux.routing.prefer import Preset, preset_named

_SHOWN = 40


class Cap(NamedTuple):
    """What a header lets an answer cost, in nano-USD."""

    most: float
    header: str


class Controls(NamedTuple):
    """What a request says: of two headers the last, but whoever says off once has said no."""

    said: Preset | None = None  # in the request's field, else in its header
    cap: Cap | None = None
    stands_in: bool = True  # may another model answer?

    def preset(self, storefront: Storefront) -> Preset:
        return self.said or preset_named(storefront.prefer)

    @property
    def most(self) -> float:
        return NEVER if self.cap is None else self.cap.most


_UNSAID = Controls()


def controls_of(storefront: Storefront, headers: Headers, envelope: Envelope) -> Controls:
    """Every one is judged, needed or not."""
    known, found = _known(storefront.header_prefix), _UNSAID
    for name, value in headers:
        if name in known:
            found = _heard(found, known[name], name.decode(), value.strip().decode("latin-1"))
    said = envelope.body.get("prefer")
    return found if said is None else found._replace(said=preset_named(said))


def _heard(before: Controls, control: str, name: str, said: str) -> Controls:
    if control == "prefer":
        return before._replace(said=preset_named(said, name))
    if control == "fallback":
        return before._replace(stands_in=_fallback(name, said) and before.stands_in)
    return before._replace(cap=Cap(_amount(name, said), name))


@lru_cache(maxsize=256)
def _known(prefix: str) -> dict[bytes, str]:
    """The headers of a storefront with this prefix: each request looks its own up here."""
    return {
        f"x-{one}-{control}".lower().encode(): control
        for one in ("conflux", prefix)
        for control in ("fallback", "prefer", "max-cost-usd")
    }


def _fallback(name: str, said: str) -> bool:
    word = said.lower()
    if word not in ("on", "off"):
        raise invalid(f"{name}: {said[:_SHOWN]!r} is neither on nor off", param=name)
    return word == "on"


def _amount(name: str, said: str) -> int:
    try:
        found = nano_from_usd(said)
    except MoneyError:
        found = 0
    if found <= 0:
        raise invalid(f"{name}: {said[:_SHOWN]!r} is not an amount of USD above 0, such as 0.02", param=name)
    return found
