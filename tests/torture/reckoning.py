"""The reckoning after a torture run: three logs that must agree.

Law: pure, and the gateway is never its own witness. Clients say what they received, the upstream says what it sent;
the receipts are held against both. Each kind of wrong has its own list, and all must be empty.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.torture.upstream import Served

LOST_MOST = 256  # tokens of a killed stream, between its last checkpoint and the kill
_BYTES = 4  # of a token


@dataclass
class Answer:
    """What one client saw of one try of one request."""

    name: str  # REQUEST.TRY
    stream: bool
    content_bytes: int = 0
    whole: bool = False
    status: int = 0
    request_id: str = ""


@dataclass
class Wrong:
    delivered_unbilled: list[str] = field(default_factory=list)
    undercounted: list[str] = field(default_factory=list)  # by more than LOST_MOST tokens
    overcounted: list[str] = field(default_factory=list)
    double_billed: list[str] = field(default_factory=list)
    billed_unserved: list[str] = field(default_factory=list)  # the upstream never heard of it
    untagged: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {name: len(found) for name, found in vars(self).items()}


def reckon(answers: list[Answer], served: dict[str, list[Served]], receipts: list[dict[str, Any]]) -> Wrong:
    """`receipts`: as `conflux ledger export --format jsonl` gives them."""
    wrong = Wrong()
    by_name: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for receipt in receipts:
        name = receipt["tags"].get("user")
        if name is None:
            wrong.untagged.append(receipt["id"])
        else:
            by_name[name].append(receipt)
            _against_upstream(name, receipt, served.get(name, []), wrong)
    for name, found in by_name.items():
        if sum(_charged(one) for one in found) > 1:
            wrong.double_billed.append(name)
    for answer in answers:
        _against_client(answer, by_name.get(answer.name, []), served, wrong)
    return wrong


def _charged(receipt: dict[str, Any]) -> bool:
    return Decimal(receipt["cost_usd"]) > 0


def _against_upstream(name: str, receipt: dict[str, Any], calls: list[Served], wrong: Wrong) -> None:
    if not _charged(receipt):
        return
    if not calls:
        wrong.billed_unserved.append(name)
    elif receipt["usage"]["output"] > max(one.tokens for one in calls):
        wrong.overcounted.append(f"{name}: {receipt['usage']['output']} billed, {calls[-1].tokens} sent")


def _against_client(
    answer: Answer, receipts: list[dict[str, Any]], served: dict[str, list[Served]], wrong: Wrong
) -> None:
    if not answer.content_bytes and not answer.whole:
        return
    charged = [one for one in receipts if _charged(one)]
    if not charged:
        wrong.delivered_unbilled.append(f"{answer.name} {answer.request_id}")
        return
    billed = charged[0]["usage"]["output"]
    if answer.whole:
        sent = served[answer.name][-1].tokens
        if billed < sent:
            wrong.undercounted.append(f"{answer.name}: {sent} sent, {billed} billed")
    elif billed + LOST_MOST < answer.content_bytes // _BYTES:
        wrong.undercounted.append(f"{answer.name}: {answer.content_bytes // _BYTES} received, {billed} billed")
