"""POST /v1/feedback: what a caller thought of an answer.

Law: by the key that made the request, about an answer it got. The same word twice changes nothing, another one replaces
the first. What makes no sense is refused by name, and nothing is written.
"""

import asyncio
from typing import Protocol

import msgspec

from conflux.dialects.strict_json import decode_measured
from conflux.faces.question import Reply
from conflux.neutral.errors import GatewayError, Kind, invalid
from conflux.neutral.ledger import Receipt, request_id_number, request_id_text
from conflux.neutral.records import Caller, Feedback, Storefront
from conflux.relay.headers import JSON
from conflux.relay.parts import Parts
from conflux.routing.opinions import FULL, Subject, Sum

_FIELDS = ("id", "score", "comment")
_COMMENT_MOST = 2000


class FeedbackBook(Protocol):
    async def give(self, said: Feedback) -> bool: ...
    async def sums(self) -> dict[Subject, Sum]: ...


class FeedbackDesk:
    """Takes it, and lets it count here at once."""

    def __init__(self, book: FeedbackBook, parts: Parts) -> None:
        self._book = book
        self._parts = parts
        self._one_by_one = asyncio.Lock()  # whoever reads the sums last has the last word

    async def learn(self) -> None:
        """Take over what was said, here and elsewhere."""
        async with self._one_by_one:
            self._parts.health.measures.opinions.take_over(await self._book.sums())

    async def answer(self, raw: bytes, caller: Caller, storefront: Storefront) -> Reply:
        number, score, comment = understand(raw)
        found = await self._parts.ledger.receipt(number)
        if found is None or found.caller_key != caller.key_id:
            raise GatewayError(Kind.NOT_FOUND, f"id: there is no receipt {request_id_text(number)} of this key",
                               param="id")  # fmt: skip
        news = await self._book.give(_about(found, score, comment))
        if news:
            await self.learn()
        view = {"id": request_id_text(number), "object": "feedback", "model": found.served_model,
                "task_type": found.task or None, "score": score / FULL, "recorded": news}  # fmt: skip
        private = (b"cache-control", b"private, no-cache")
        return Reply(headers=[JSON, private], body=msgspec.json.encode(view), storefront=storefront)


def _about(found: Receipt, score: int, comment: str) -> Feedback:
    if found.served_model is None:
        raise invalid("id: this request got no answer, so there is nothing to be said of it", "id")
    return Feedback(
        request_id=found.request_id,
        key_id=found.caller_key,
        storefront=found.storefront,
        model=found.served_model,
        task=found.task,
        simulated=found.simulated,
        score=score,
        comment=comment,
    )


def understand(raw: bytes) -> tuple[int, int, str]:
    """The receipt's number, millionths, and what was said."""
    body, _ = decode_measured(raw)
    for field in body.keys() - set(_FIELDS):
        raise invalid(f"{field[:80]}: no such field; there are {', '.join(_FIELDS)}", field[:80])
    name, score, comment = body.get("id"), body.get("score"), body.get("comment")
    number = request_id_number(name) if isinstance(name, str) else None
    if number is None:
        raise invalid("id: the id of a receipt is wanted: the x-request-id of an answer, such as req_0123456789abcdef",
                      "id")  # fmt: skip
    if isinstance(score, bool) or not isinstance(score, int | float) or not -1 <= score <= 1:
        raise invalid("score: a number from -1 (useless) to 1 (perfect) is wanted", "score")
    if comment is not None and (not isinstance(comment, str) or len(comment) > _COMMENT_MOST or "\0" in comment):
        raise invalid(f"comment: a text of up to {_COMMENT_MOST} characters is wanted", "comment")
    return number, round(score * FULL), comment or ""
