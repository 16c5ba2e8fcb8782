"""The operations, with a log of who changed what.

Law: what only looks leaves no line; what changes something, or was refused or failed, leaves one, without secrets. An
act whose line cannot be written is told as failed, though it was done: a log with a hole would be worse.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from conflux.neutral.accounts import Act
from conflux.neutral.errors import ConfigError

_LOOKS = frozenset({"list", "show", "preview", "verify", "status", "sources", "diff", "explain"})
_SECRET = frozenset({"password", "value", "content", "key_file", "secret"})
_TARGETS = ("id", "name", "key", "user", "workspace", "provider", "model", "storefront")
_KEY_ID = "key_"
_LONGEST = 500
_LOCAL = "command line"  # whoever may open the data directory


class Runs(Protocol):
    async def run(self, name: str, params: dict[str, Any]) -> Any: ...


class Audited:
    def __init__(self, operations: Runs, add: Callable[[Act], Awaitable[None]]) -> None:
        self._operations = operations
        self.add = add

    async def run(
        self, name: str, params: dict[str, Any], *, by: str = _LOCAL, workspace: str | None = None
    ) -> Any:  # fmt: skip
        if looks(name, params):
            return await self._operations.run(name, params)
        act = Act(actor=by, act=name, target=target_of(params), detail=shown(params),
                  workspace=workspace if workspace is not None else _workspace(params))  # fmt: skip
        try:
            found = await self._operations.run(name, params)
        except ConfigError as error:
            await self._tell(act, "refused", "; ".join(error.problems))
            raise
        await self.add(act)
        return found

    async def _tell(self, act: Act, outcome: str, why: str) -> None:
        detail = {**act.detail, "refused": why[:_LONGEST]}
        await self.add(Act(actor=act.actor, act=act.act, target=act.target, workspace=act.workspace, detail=detail,
                           outcome=outcome))  # fmt: skip


def looks(name: str, params: dict[str, Any]) -> bool:
    """Does it change nothing?"""
    return name.rpartition(".")[2] in _LOOKS or (name == "catalogue.import" and not params.get("store"))


def target_of(params: dict[str, Any]) -> str:
    said = shown(params)
    return next((str(said[name])[:_LONGEST] for name in _TARGETS if said.get(name)), "")


def shown(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters as the log may keep them."""
    return {name: "…" if _secret(name, value) else _short(value) for name, value in params.items()}


def _secret(name: str, value: Any) -> bool:
    """A key may be named by its id; what else stands there may be the key itself."""
    return name in _SECRET or (name == "key" and value is not None and not str(value).startswith(_KEY_ID))


def _short(value: Any) -> Any:
    return value[:_LONGEST] + "…" if isinstance(value, str) and len(value) > _LONGEST else value


def _workspace(params: dict[str, Any]) -> str | None:
    found = params.get("workspace")
    return found if isinstance(found, str) else None
