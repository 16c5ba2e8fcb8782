"""Why a past request went where it went, from its receipt.

Law: pure; told from what the ledger has of it, and of the catalogue only what a name leads to now. What was called is
for the house alone.
"""

from itertools import zip_longest
from typing import Any

from conflux.catalogue.catalogue import Catalogue
from conflux.neutral.ledger import Call, Ending, Receipt

_WORDS = {
    Ending.DONE: "it was answered to the end",
    Ending.FAILED: "nothing answered: the caller paid nothing",
    Ending.CANCELLED: "the client left before the end",
    Ending.CUT: "a started answer was cut",
    Ending.CRASHED: "the gateway stopped meanwhile; it was settled afterwards",
}


def route_of(receipt: Receipt, catalogue: Catalogue, *, house: bool) -> dict[str, Any]:
    how, words = _chosen(receipt, catalogue)
    for call, following in zip_longest(receipt.calls, receipt.calls[1:]):
        words.append(_step(call, following, house=house))
    words.append(_WORDS[receipt.ending])
    return {"how": how, "task": receipt.task or None, "fallback": _stood_in(receipt, how, catalogue), "words": words}


def _chosen(receipt: Receipt, catalogue: Catalogue) -> tuple[str, list[str]]:
    asked, served = receipt.requested_model, receipt.served_model
    if any(call.role != "direct" for call in receipt.calls):
        sources = sum(call.role == "source" for call in receipt.calls)
        return "flux", [f"{asked} asks several models: {sources} drafted, one wrote the answer from them"]
    if receipt.task:
        chosen = f", and {served} was the best for it then" if served is not None else ""
        return "task", [f"a model for the task {receipt.task} was asked for{chosen}"]
    found = catalogue.resolve(receipt.storefront, asked)
    if found is not None and found.id != asked:
        return "alias", [f"{asked} is another name of {found.id}"]
    return "named", [f"the model {asked} was asked for by its name"]


def _stood_in(receipt: Receipt, how: str, catalogue: Catalogue) -> bool:
    """Did another model answer than the one that was named?"""
    if how in ("flux", "task") or receipt.served_model is None:
        return False
    found = catalogue.resolve(receipt.storefront, receipt.requested_model)
    return receipt.served_model not in (receipt.requested_model, found.id if found is not None else None)


def _step(call: Call, following: Call | None, *, house: bool) -> str:
    where = f" at {call.target}" if house and call.target is not None else ""
    what = f"{call.model}{where}" if call.role == "direct" else f"{call.model}{where} as {call.role}"
    if call.status == "failed":
        why = f": {call.reason}" if house and call.reason is not None else ""
        then = ", so the next was tried" if following is not None and call.role == following.role == "direct" else ""
        return f"{what} did not answer after {call.latency_ms} ms{why}{then}"
    if call.status == Ending.CANCELLED.value and following is not None and call.role == following.role == "direct":
        return f"{what} was late, so another target was asked too, which answered first"
    return f"{what} answered in {call.latency_ms} ms" if call.status == Ending.DONE.value else f"{what} began an answer"
