"""Seed 2's task types: what each one is, its tier, and what it needs.

Law: data, and one pure choice over models the caller may run. Unknown task types are refused with the list.
"""

from collections.abc import Iterable

import msgspec

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Capability, Model, Tier


class Task(msgspec.Struct, frozen=True):
    name: str
    tier: Tier
    needs: frozenset[Capability] = frozenset()


_TOOLS = frozenset({Capability.TOOLS})

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("simple_chat", Tier.CORE),
        Task("summarize", Tier.CORE),
        Task("extract", Tier.CORE),
        Task("translate", Tier.CORE),
        Task("code_gen", Tier.PRO),
        Task("tool_orchestrate", Tier.PRO, _TOOLS),
        Task("image_gen", Tier.PRO, frozenset({Capability.VISION})),
        Task("file_ops", Tier.PRO, _TOOLS),
        Task("web_browse", Tier.PRO, frozenset({Capability.WEB_SEARCH})),
        Task("creative", Tier.PRO),
        Task("deep_reasoning", Tier.ULTRA),
        Task("agentic_complex", Tier.ULTRA, _TOOLS),
    )
}

_RANK = {Tier.CORE: 0, Tier.PRO: 1, Tier.ULTRA: 2}


def task_named(name: str) -> Task:
    found = TASKS.get(name)
    if found is None:
        raise GatewayError(
            Kind.INVALID,
            f"task_type: {name[:80]!r} is not a task type; it is one of {', '.join(TASKS)}",
            param="task_type",
        )
    return found


def cheapest(task: Task, models: Iterable[Model]) -> Model:
    """The cheapest model of the task's tier or above that has what the task needs."""
    fit = [
        model
        for model in models
        if model.kind == "chat"
        and model.tier is not None
        and _RANK[model.tier] >= _RANK[task.tier]
        and task.needs <= model.capabilities
        and model.price.known
    ]
    if not fit:
        raise GatewayError(
            Kind.INVALID,
            f"no model this key may run serves task_type {task.name!r} (tier {task.tier.value}, needs "
            f"{', '.join(sorted(task.needs)) or 'nothing special'})",
            param="task_type",
        )
    return min(fit, key=lambda model: ((model.price.input or 0) + (model.price.output or 0), model.id))
