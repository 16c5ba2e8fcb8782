"""The operation behind `conflux explain`.

Law: the same way as POST /v1/route/explain, with the caller's own key: nothing is decided here, and nothing is sent.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from conflux.dialects.strict_json import encode
from conflux.faces.asked import asked
from conflux.faces.operations import Work
from conflux.faces.question import Question, Reply
from conflux.neutral.errors import ConfigError, GatewayError

Explain = Callable[[Question], Awaitable[Reply]]


class ExplainAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: str
    body: dict[str, Any]


class ExplainAdmin:
    def __init__(self, explain: Explain | None) -> None:
        self._explain = explain  # None: no server runs, so nothing was measured

    def table(self) -> dict[str, Work]:
        return {"route.explain": self.explain}

    async def explain(self, params: dict[str, Any]) -> Any:
        wish = asked("explain", params, ExplainAsked)
        if self._explain is None:
            raise ConfigError(["explain: no server runs here: start it with `conflux serve`, then ask again"])
        question = Question(method="POST", path="/v1/route/explain", query=b"", secret=wish.key, mount=None, headers=[],
                            body=encode(wish.body))  # fmt: skip
        try:
            reply = await self._explain(question)
        except GatewayError as error:
            raise ConfigError([f"explain: {error.message}"]) from None
        return msgspec.json.decode(reply.body)
