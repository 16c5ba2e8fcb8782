"""Examining a target: the questions go the way of every request to it.

Law: an examination is nobody's request: no key, no hold, no receipt; what it costs is the house's and is written down
with what it found. A target is asked over its own dialect, quirks and credentials.
"""

import json
from typing import Any

from conflux.billing.amounts import Hold, Unpriced, charge
from conflux.dialects import DIALECTS
from conflux.dialects.base import Wanted
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.money import PriceSheet
from conflux.neutral.probes import Finding
from conflux.neutral.records import NOBODY, Caller, Capability, Model, Storefront
from conflux.neutral.usage import NOTHING, Usage
from conflux.relay.admitted import Admitted
from conflux.relay.attempt import Attempt, Failed
from conflux.relay.parts import Parts
from conflux.relay.snapshot import LiveTarget
from conflux.routing.probing import EXAMINATIONS, LONGEST, ROOM, Question, Said

_HOUSE = Caller(key_id=NOBODY, name="probe", storefront="", workspace_id=0, workspace="", user_id=0, user="")
_ID = b"probe"
_PICTURE = 8_500  # tokens: the most that a provider is known to count for a picture of one tile
_FRAME = 1_000  # what it adds itself: the frame of a conversation, how tools are called
_ASKED = Usage(input=LONGEST + _FRAME + _PICTURE, image=1)
_SPOKEN, _THOUGHT = (_ASKED.plus(one) for one in (Usage(output=ROOM), Usage(reasoning=ROOM)))
_SPENT = Said(kind="silent", text="not asked: it may cost more than the day has left")


async def examine(
    parts: Parts, front: Storefront, model: Model, target: LiveTarget, capability: Capability, room: int | None = None
) -> Finding:
    """`model`: one of those behind whose pool the target stands. `room`: nano-USD that no question may pass."""
    examination = EXAMINATIONS[capability](parts.below)
    cost, most = 0, (most_cost(target, model) or 0) if room is not None else 0
    question = next(examination)
    while True:
        if room is not None and cost + most > room:
            said, owed = _SPENT, 0
        else:
            said, owed = await _ask(parts, front, model, target, question)
        cost += owed
        try:
            question = examination.send(said)
        except StopIteration as end:
            now = int(parts.clock.time() * 1000)
            return Finding(target=target.key, capability=capability, holds=end.value.holds,
                           evidence=end.value.evidence, found=now, tried=now, cost=cost)  # fmt: skip


async def _ask(
    parts: Parts, front: Storefront, model: Model, target: LiveTarget, question: Question
) -> tuple[Said, int]:
    dialect = DIALECTS["openai-chat"]
    envelope = dialect.open(json.dumps({"model": model.id} | question).encode())
    admitted = Admitted(caller=_HOUSE, storefront=front, dialect=dialect, envelope=envelope, model=model,
                        requested=model.id, task=None, targets=(target,), max_output=envelope.max_output or 1,
                        temperature=None, hold=Hold(0, 0), simulated=False)  # fmt: skip
    try:
        attempt = Attempt(parts, target, admitted, Wanted(answer_id=_ID.decode(), model=model.id, created=0))
    except GatewayError as error:  # the provider's protocol has no words for it
        return Said(kind="silent", text=error.message), 0
    try:
        await attempt.prime(_ID)
        tally = attempt.lane.tally
        answer = json.loads(attempt.lane.last(tally.usage or NOTHING))
        attempt.close(good=True)
    except Failed as failed:
        blamed = failed.error.kind is Kind.INVALID
        return Said(kind="refused" if blamed else "silent", text=failed.error.message if blamed else failed.reason), 0
    finally:
        attempt.close()
    return _said(answer), _owed(target, model, tally.usage or NOTHING)


def _said(answer: dict[str, Any]) -> Said:
    message = answer["choices"][0]["message"] if answer.get("choices") else {}
    calls = [one.get("function", {}) for one in message.get("tool_calls") or []]
    return Said(kind="answered", text=str(message.get("content") or message.get("refusal") or ""),
                calls=tuple((str(one.get("name")), str(one.get("arguments"))) for one in calls))  # fmt: skip


def most_cost(target: LiveTarget, model: Model) -> int | None:
    """What a question may cost, in nano-USD: a token a byte, the picture, an answer that fills its room. None: nobody
    knows the price."""
    sheet = _sheet(target, model)
    return max(charge(one, sheet)[1] for one in (_SPOKEN, _THOUGHT)) if sheet.known else None


def _owed(target: LiveTarget, model: Model, usage: Usage) -> int:
    try:
        return charge(usage, _sheet(target, model))[1]
    except Unpriced:
        return 0


def _sheet(target: LiveTarget, model: Model) -> PriceSheet:
    """What the house pays; where that is not known, what customers do."""
    cost = target.target.cost
    return cost if cost is not None and cost.known else model.price
