"""Seed 2's task types: what each one is, its tier, and what it needs.

Law: data, and one pure choice over models that the caller may run and the request can be asked of. Unknown task
types are refused with the list.
"""

from collections.abc import Iterable

import msgspec

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Capability, Model, Tier


class Task(msgspec.Struct, frozen=True):
    name: str
    tier: Tier
    needs: tuple[Capability, ...] = ()  # any one of them will do
    own_tools: bool = False  # or the tools that the client brings


_TOOLS = (Capability.TOOLS,)

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("simple_chat", Tier.CORE),
        Task("summarize", Tier.CORE),
        Task("extract", Tier.CORE),
        Task("translate", Tier.CORE),
        Task("code_gen", Tier.PRO),
        Task("tool_orchestrate", Tier.PRO, _TOOLS),
        Task("image_gen", Tier.PRO, (Capability.IMAGE_OUTPUT, Capability.VISION)),
        Task("file_ops", Tier.PRO, _TOOLS),
        Task("web_browse", Tier.PRO, (Capability.WEB_SEARCH,), own_tools=True),
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


def serves(task: Task, model: Model, *, tools: bool) -> bool:
    """Is the model of the task's tier or above, and has it what the task needs? `tools`: the client brings its own."""
    if model.kind != "chat" or model.tier is None or _RANK[model.tier] < _RANK[task.tier]:
        return False
    if task.own_tools and tools and Capability.TOOLS in model.capabilities:
        return True
    return not task.needs or not model.capabilities.isdisjoint(task.needs)


def cheapest(task: Task, models: Iterable[Model], *, tools: bool = False) -> Model:
    """The cheapest model that serves the task."""
    fit = [model for model in models if model.price.known and serves(task, model, tools=tools)]
    if not fit:
        raise GatewayError(
            Kind.INVALID,
            f"no model this key may run serves task_type {task.name!r} (tier {task.tier.value}, needs "
            f"{_needs(task)}) and has what this request asks for: name a model, or ask for less",
            param="task_type",
        )
    return min(fit, key=lambda model: ((model.price.input or 0) + (model.price.output or 0), model.id))


def _needs(task: Task) -> str:
    words = [*task.needs, *(["tools of your own"] if task.own_tools else [])]
    return " or ".join(words) or "nothing special"
