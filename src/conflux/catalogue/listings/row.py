"""What a list is made of: a model as one caller may see it, and the shape it is shown in.

Law: a renderer is a pure function of one row; which rows there are was decided by whoever calls. What several shapes
say in the same words stands here once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from conflux.neutral.records import Capability, Model


class Row(msgspec.Struct, frozen=True):
    """A model as one caller may see it."""

    model: Model
    status: str = "enabled"  # enabled | account_needed


Rendered = dict[str, Any]
Renderer = Callable[[Row], Rendered]
# of the sorted ids and the query: where its page starts and ends, and what is said after it
Pager = Callable[[Sequence[str], Mapping[str, str]], tuple[int, int, dict[str, Any]]]


class Shape(msgspec.Struct, frozen=True):
    """One shape of list: how a row looks, what stands around the rows, and which questions the shape knows."""

    render: Renderer
    head: bytes = b'{"object":"list","data":['
    tail: bytes = b"]}"
    rich: Renderer | None = None  # how a row looks with ?metadata=true
    filters: bool = False  # ?filter= is read, and refused where it is not known
    extra: tuple[str, Callable[[Row], Rendered | None]] | None = None  # ?client_version= adds a list of these
    paged: Pager | None = None
    on_v1: str | None = None  # the shape below /v1 instead, where OpenAI's clients look


_FEATURES = (
    Capability.TOOLS,
    Capability.JSON_MODE,
    Capability.STRUCTURED_OUTPUTS,
    Capability.REASONING,
    Capability.LOGPROBS,
    Capability.WEB_SEARCH,
)


def features(model: Model) -> list[str]:
    return [one.value for one in _FEATURES if one in model.capabilities]


def owner(model: Model) -> str:
    return model.owned_by or (model.id.split("/")[0] if "/" in model.id else "conflux")
