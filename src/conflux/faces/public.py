"""What the public face answers besides generation: lists, receipts, the caller's key, health.

Law: reads, and what a caller says of an answer. A key is not needed to list, but a bad one is refused everywhere; a
receipt is shown to the key that paid for it, and to admins with what was really called.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from conflux.catalogue.listings.choose import LISTS
from conflux.faces import explaining, stored
from conflux.faces.feedback import FeedbackDesk
from conflux.faces.key_view import Dues, Spending, key_view, no_dues
from conflux.faces.lists import Lists
from conflux.faces.question import Question, Reply
from conflux.faces.usage import UsageBook, answer
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.ledger import Call, Ending, Receipt, request_id_number, request_id_text
from conflux.neutral.money import credits_text, per_token, usd
from conflux.neutral.records import Caller, Storefront
from conflux.relay.headers import JSON
from conflux.relay.identify import identify
from conflux.relay.parts import Parts
from conflux.relay.snapshot import Snapshot

Handler = Callable[["Public", Question, str], Awaitable[Reply]]


class Public:
    def __init__(
        self,
        parts: Parts,
        spending: Spending,
        ready: Callable[[], dict[str, str]],
        metrics: Callable[[], bytes] | None,
        usage: UsageBook,
        feedback: FeedbackDesk,
        dues: Dues = no_dues,
    ) -> None:
        self._dues = dues
        self._usage = usage
        self._feedback = feedback
        self._parts = parts
        self._lists = Lists(parts)
        self._spending = spending
        self._ready = ready
        self._metrics = metrics

    async def answer(self, question: Question) -> Reply:
        found = serving(question.path)
        if found is None:
            raise GatewayError(Kind.NOT_FOUND, f"there is nothing at {question.path[:200]}")
        handler, rest = found
        if question.path in POSTED:
            if question.method != "POST":
                raise GatewayError(Kind.METHOD_NOT_ALLOWED, f"{question.path} takes POST, not {question.method}")
        elif question.method not in ("GET", "HEAD") and handler is not Public.response:
            raise GatewayError(Kind.METHOD_NOT_ALLOWED, f"{question.path[:200]} takes GET, not {question.method}")
        return await handler(self, question, rest)

    async def _caller(self, question: Question) -> tuple[Caller, Storefront, Snapshot]:
        snapshot = self._parts.snapshot()
        caller, storefront = await identify(self._parts, snapshot, question.secret, question.mount)
        return caller, storefront, snapshot

    async def models(self, question: Question, _: str) -> Reply:
        return await self._lists.answer(question, question.path)

    async def model(self, question: Question, name: str) -> Reply:
        return await self._lists.answer(question, question.path[: -len(name) - 1], name)

    async def receipt(self, question: Question, name: str) -> Reply:
        caller, storefront, _ = await self._caller(question)
        number = request_id_number(name)
        found = await self._parts.ledger.receipt(number) if number is not None else None
        if found is None or (found.caller_key != caller.key_id and not caller.admin):
            raise GatewayError(Kind.NOT_FOUND, f"there is no receipt {name[:80]} for this key")
        body = msgspec.json.encode(receipt_view(found, admin=caller.admin))
        return Reply(headers=[JSON, (b"cache-control", b"private, no-cache")], body=body, storefront=storefront)

    async def key(self, question: Question, _: str) -> Reply:
        caller, storefront, snapshot = await self._caller(question)
        plan = snapshot.catalogue.plans.get(caller.subscription.plan) if caller.subscription is not None else None
        balance, windows = await self._dues(caller, plan)
        view = key_view(caller, storefront, await self._spending(caller), balance, plan, windows)
        return Reply(headers=[JSON, (b"cache-control", b"private, no-cache")], body=msgspec.json.encode(view),
                     storefront=storefront)  # fmt: skip

    async def usage(self, question: Question, _: str) -> Reply:
        caller, storefront, _snapshot = await self._caller(question)
        found = await answer(self._usage, question, caller, self._parts.clock.time())
        return msgspec.structs.replace(found, storefront=storefront)

    async def response(self, question: Question, rest: str) -> Reply:
        caller, storefront, _snapshot = await self._caller(question)
        return await stored.answer(self._parts.responses, caller.key_id, question, rest, storefront)

    async def feedback(self, question: Question, _: str) -> Reply:
        caller, storefront, _snapshot = await self._caller(question)
        return await self._feedback.answer(question.body, caller, storefront)

    async def explain(self, question: Question, _: str) -> Reply:
        return await explaining.answer(self._parts, question)

    async def live(self, question: Question, _: str) -> Reply:
        return Reply(headers=[JSON], body=b'{"status":"live"}')

    async def ready(self, question: Question, _: str) -> Reply:
        problems = self._ready()
        if problems:
            body = msgspec.json.encode({"status": "not ready", "problems": problems})
            return Reply(status=503, headers=[JSON, (b"retry-after", b"2")], body=body)
        return Reply(headers=[JSON], body=b'{"status":"ready"}')

    async def metrics(self, question: Question, _: str) -> Reply:
        """Open to admins here; without a key only on its own port."""
        if self._metrics is None:
            raise GatewayError(Kind.NOT_FOUND, "metrics are served on their own port")
        caller, _storefront, _snapshot = await self._caller(question)
        if not caller.admin:
            raise GatewayError(Kind.FORBIDDEN, "metrics are for admin keys")
        return Reply(headers=[(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")], body=self._metrics())

    async def home(self, question: Question, _: str) -> Reply:
        return Reply(headers=[JSON], body=b'{"name":"conflux","models":"/v1/models","health":"/health/ready"}')


EXACT: dict[str, Handler] = {
    "/": Public.home,
    **dict.fromkeys(LISTS, Public.models),
    "/v1/key": Public.key,
    "/v1/usage": Public.usage,
    "/health/live": Public.live,
    "/health/ready": Public.ready,
    "/metrics": Public.metrics,
}
POSTED: dict[str, Handler] = {
    "/v1/feedback": Public.feedback,
    "/v1/route/explain": Public.explain,
}
PREFIXES: tuple[tuple[str, Handler], ...] = (
    *((f"{path}/", Public.model) for path in LISTS),
    ("/v1/receipts/", Public.receipt),
    ("/v1/responses/", Public.response),
    ("/responses/", Public.response),
)


def serving(path: str) -> tuple[Handler, str] | None:
    """Who answers there, and for which one."""
    handler = EXACT.get(path) or POSTED.get(path)
    if handler is not None:
        return handler, ""
    below = (one for one in PREFIXES if path.startswith(one[0]) and len(path) > len(one[0]))
    return next(((handler, path[len(prefix) :]) for prefix, handler in below), None)


def receipt_view(receipt: Receipt, *, admin: bool) -> dict[str, Any]:
    """The receipt as the contract has it: money as exact decimal strings, targets for admins only."""
    calls: list[dict[str, Any]] = []
    for call in receipt.calls:
        view: dict[str, Any] = {
            "role": call.role,
            "model": call.model,
            "status": call.status,
            "latency_ms": call.latency_ms,
            "usage": call.usage,
            "cost_usd": usd(call.cost),
            "reason": call.reason if admin else _public_reason(call),
        }
        if call.other_cost is not None:
            view["other_cost_usd"] = usd(call.other_cost)
        if admin:
            view["target"] = call.target
            view["provider_cost_usd"] = usd(call.provider_cost) if call.provider_cost is not None else None
            view["upstream_id"] = call.upstream_id
        calls.append(view)
    return {
        "id": request_id_text(receipt.request_id),
        "created": receipt.created // 1000,
        "storefront": receipt.storefront,
        "requested_model": receipt.requested_model,
        "served_model": receipt.served_model,
        "status": receipt.ending,
        "usage": receipt.usage,
        "provenance": receipt.provenance,
        "price_version": receipt.price_version,
        "cost_usd": usd(receipt.cost),
        "refunded_usd": usd(receipt.refunded),
        "credits": credits_text(receipt.credits),
        "simulated": receipt.simulated,
        "lines": [
            {
                "bucket": line.bucket,
                "quantity": line.quantity,
                "unit_price": per_token(line.unit_price),
                "amount": usd(line.amount),
            }
            for line in receipt.lines
        ],
        "calls": calls,
        "dropped": receipt.dropped,
    }


def _public_reason(call: Call) -> str | None:
    """Why an attempt gave no answer, without the upstream's own words."""
    if call.reason is None:
        return None
    return "not waited for" if call.status == Ending.CANCELLED.value else "the attempt failed"
