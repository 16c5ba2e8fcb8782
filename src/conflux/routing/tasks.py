"""Seed 2's task types: what each one is, its tier, what it needs, and what a good answer to it is worth.

Law: data. Unknown task types are refused with the list. The figures are ours: no document gives any.
"""

from collections.abc import Callable

import msgspec

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.records import Capability, Model, Tier


class Task(msgspec.Struct, frozen=True):
    name: str
    tier: Tier
    worth: float  # US dollars between a useless answer and a perfect one
    length: float  # tokens of an answer, where none was seen yet
    quality: tuple[float, float, float]  # expected of a Core, a Pro, an Ultra model of which nobody said more
    needs: tuple[Capability, ...] = ()  # any one of them will do
    own_tools: bool = False  # or the tools that the client brings


_TOOLS = (Capability.TOOLS,)
_EASY, _FAIR, _HARD = (0.85, 0.90, 0.92), (0.65, 0.80, 0.87), (0.40, 0.65, 0.82)

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("simple_chat", Tier.CORE, 0.01, 250, _EASY),
        Task("summarize", Tier.CORE, 0.02, 300, _EASY),
        Task("extract", Tier.CORE, 0.02, 200, _EASY),
        Task("translate", Tier.CORE, 0.02, 400, _EASY),
        Task("code_gen", Tier.PRO, 0.05, 900, _FAIR),
        Task("tool_orchestrate", Tier.PRO, 0.05, 250, _FAIR, _TOOLS),
        Task("image_gen", Tier.PRO, 0.03, 500, _FAIR, (Capability.IMAGE_OUTPUT, Capability.VISION)),
        Task("file_ops", Tier.PRO, 0.05, 400, _FAIR, _TOOLS),
        Task("web_browse", Tier.PRO, 0.05, 500, _FAIR, (Capability.WEB_SEARCH,), own_tools=True),
        Task("creative", Tier.PRO, 0.04, 900, _FAIR),
        Task("deep_reasoning", Tier.ULTRA, 0.20, 2000, _HARD),
        Task("agentic_complex", Tier.ULTRA, 0.20, 600, _HARD, _TOOLS),
    )
}

# A request that names its model has no task; which other model may stand in for it is reckoned as for this one.
UNNAMED = Task("", Tier.CORE, 0.05, 500, _FAIR)

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


def lacks(task: Task, model: Model, *, tools: bool) -> str | None:
    """Why no request of this task is the model's, whatever it holds; `tools`: the client brings its own."""
    if model.kind != "chat":
        return "kind"
    if model.tier is None or _RANK[model.tier] < _RANK[task.tier]:
        return "tier"
    if task.own_tools and tools and Capability.TOOLS in model.capabilities:
        return None
    return "capability" if task.needs and model.capabilities.isdisjoint(task.needs) else None


def expected_quality(task: Task, model: Model) -> float:
    """From 0 to 1: what the catalogue states of the model, else what its tier promises for the task."""
    if model.quality is not None:
        return model.quality
    return task.quality[_RANK[model.tier] if model.tier is not None else 0]


def prior_of(model: Model) -> Callable[[str], float]:
    """The same by the task's name; what has none, or one of former days, is an unnamed one."""
    return lambda name: expected_quality(TASKS.get(name, UNNAMED), model)


def refused(task: Task, dropped: str) -> GatewayError:
    return GatewayError(
        Kind.INVALID,
        f"no model this key may run serves task_type {task.name!r} (tier {task.tier.value}, needs {_needs(task)}) and "
        f"has what this request asks for ({dropped or 'there is none'}): name a model, or ask for less",
        param="task_type",
    )


def _needs(task: Task) -> str:
    words = [*task.needs, *(["tools of your own"] if task.own_tools else [])]
    return " or ".join(words) or "nothing special"
