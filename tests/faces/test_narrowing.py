"""The list a caller is shown and the requests it may make agree: by the real list and the real way of a request.

A thousand random worlds of five layers (storefront and status, entitlement, policies of workspace, user and key, the
key's own models, rules for coding agents); every name is asked for, and what answers is compared with the list.
"""

import json
import random
from typing import Any

from msgspec.structs import replace

from conflux.dialects import DIALECTS
from conflux.faces.feedback import FeedbackDesk
from conflux.faces.public import Public
from conflux.faces.question import Question, Reply
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.plans import Plan, Subscription
from conflux.neutral.policies import Policy
from conflux.neutral.ports import Headers
from conflux.neutral.records import Caller, Model, Tier
from conflux.relay.admit import admit
from conflux.relay.admitted import Admitted
from conflux.relay.parts import Incoming, Parts
from tests.faces.door import NoUsage, Said
from tests.policy.samples import caller, model, policy, rule
from tests.relay.answers import request
from tests.relay.shops import PRICE, shop
from tests.relay.world import KEY, World

WORLDS = 1_000
IDS = ("shop/one", "shop/two", "shop/three", "lab/one", "lab/two", "lab/account", "lab/idle")
# Agents are paid for in every world: what is listed does not go by what is paid.
PLANS = {one: Plan(id=one, name=one, storefront=one, windows=()) for one in ("shop", "mall")}
DRY = ("lab/account", "lab/idle")  # no live target
PATTERNS = (*IDS, "*", "shop/*", "lab/*", "*one", "uno", "dos", "l*o")
AGENTS: tuple[Headers, ...] = (
    [],
    [(b"user-agent", b"claude-cli/2.0 (external, cli)")],
    [(b"originator", b"codex_cli_rs")],
)


class Dice:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def maybe(self, percent: int) -> bool:
        return self.chance.randrange(100) < percent

    def some(self, most: int = 3) -> tuple[str, ...]:
        return tuple(self.chance.choice(PATTERNS) for _ in range(self.chance.randrange(most + 1)))

    def model(self, id: str) -> Model:
        alias = {"shop/one": ("uno",), "lab/two": ("dos",)}.get(id, ())
        return model(id=id, price=PRICE, aliases=alias, enabled=self.maybe(80), agent=self.maybe(60), tier=Tier.PRO,
                     account=id == "lab/account", pool="dry" if id in DRY else "pond")  # fmt: skip

    def policy(self, kind: str) -> Policy:
        terms: dict[str, Any] = {"deny": (self.chance.choice(IDS),) if self.maybe(50) else ()}
        if self.maybe(40):
            terms["allow"] = (self.chance.choice(("*", "shop/*", "lab/*")), *self.some())
        if self.maybe(40):
            terms["entitle"] = ("*",) if self.maybe(50) else self.some()
        if kind == "workspace" and self.maybe(60):
            terms["overrides"] = tuple(self.rule() for _ in range(self.chance.randrange(1, 4)))
        return policy(kind, **terms)

    def rule(self) -> Any:
        action = self.chance.choice(("allow", "deny", "substitute", "substitute"))
        to = self.chance.choice((*IDS, "dos", "nothing")) if action == "substitute" else None
        models = (self.chance.choice(PATTERNS),)
        return rule(action, *models, client=self.chance.choice(("any", "codex", "claude-code")), to=to)

    def caller(self) -> Caller:
        kinds = [kind for kind in ("workspace", "user", "key") if self.maybe(60)]
        storefront = "shop" if self.maybe(90) else "mall"
        return caller(
            storefront=storefront,
            subscription=Subscription(1, storefront),
            admin=self.maybe(20),
            agent=self.maybe(15),
            test=self.maybe(15),
            models=frozenset(self.chance.sample(IDS, self.chance.randrange(len(IDS)))) if self.maybe(25) else None,
            policies=tuple(self.policy(kind) for kind in kinds),
        )


async def ask(parts: Parts, headers: Headers) -> Reply:
    async def no_spending(_: Caller) -> list[Any]:
        return []

    public = Public(parts, no_spending, dict, None, NoUsage(), FeedbackDesk(Said(), parts))
    storefront = parts.snapshot().storefront("shop")
    question = Question(method="GET", path="/v1/models", query=b"", secret=KEY, mount=storefront, headers=headers)
    return await public.answer(question)


async def listed(parts: Parts, headers: Headers) -> dict[str, str]:
    rows = json.loads((await ask(parts, headers)).body)["data"]
    return {row["id"]: row["status"] for row in rows}


async def refused_everywhere(world: World) -> bool:
    """Another storefront's key: this storefront shows it nothing and runs nothing for it."""
    storefront = world.snapshot.catalogue.storefronts["shop"]
    shown = await ask(world.parts, [])
    await world.run(request(), mount=storefront)
    return shown.status == 401 and world.client.status == 401


def run(world: World, by: Caller, headers: Headers, **fields: Any) -> Admitted | Kind:
    storefront = world.snapshot.catalogue.storefronts["shop"]
    body = request(**fields)
    incoming = Incoming(dialect="openai-chat", body=body, secret=KEY, mount=storefront, headers=headers)
    try:
        return admit(world.parts, world.snapshot, by, storefront, DIALECTS["openai-chat"], incoming)
    except GatewayError as error:
        return error.kind


def disagreement(name: str, status: str | None, ran: Admitted | Kind) -> str | None:
    """What is wrong with how this name was answered, if anything is."""
    if status == "enabled":
        return None if isinstance(ran, Admitted) else f"{name} is listed, and running it is {ran}"
    if status == "account_needed":
        return None if ran is Kind.ACCOUNT_NEEDED else f"{name} needs an account, and running it is {ran}"
    if isinstance(ran, Admitted):
        return f"{name} is not listed, and runs as {ran.model.id}"
    # What is permitted but has no live target now leaves the key's list, and says so.
    return None if ran in (Kind.MODEL_NOT_FOUND, Kind.UNAVAILABLE) else f"{name} is not listed, and is {ran}"


async def test_what_is_listed_runs_and_what_is_not_listed_does_not() -> None:
    wrong: list[str] = []
    seen = {"listed": 0, "unknown": 0, "instead": 0, "account": 0, "task": 0, "agents differ": 0, "elsewhere": 0}
    for seed in range(WORLDS):
        dice = Dice(seed)
        first, *rest = [dice.model(id) for id in IDS]
        catalogue = shop(more=[*rest], **{name: getattr(first, name) for name in first.__struct_fields__})
        world = World(replace(catalogue, plans=PLANS))
        by = world.keys.callers[KEY] = dice.caller()
        if by.storefront != "shop" and not by.admin:
            seen["elsewhere"] += await refused_everywhere(world)
            continue
        lists = [await listed(world.parts, headers) for headers in AGENTS]
        seen["agents differ"] += lists[0] != lists[1]
        for headers, statuses in zip(AGENTS, lists, strict=True):
            for id in IDS:
                ran = run(world, by, headers, model=id)
                problem = disagreement(id, statuses.get(id), ran)
                if problem is not None:
                    wrong.append(f"seed {seed}: {problem}")
                if isinstance(ran, Admitted):
                    seen["listed"] += 1
                    seen["instead"] += ran.substituted
                    # What really runs is what the key may run by itself, agent or not.
                    if run(world, by, [], model=ran.model.id) is Kind.MODEL_NOT_FOUND:
                        wrong.append(f"seed {seed}: {id} runs as {ran.model.id}, which is unknown to this key")
                seen["unknown"] += ran is Kind.MODEL_NOT_FOUND
                seen["account"] += ran is Kind.ACCOUNT_NEEDED
            chosen = run(world, by, headers, task_type="creative", model=None)
            if isinstance(chosen, Admitted):
                seen["task"] += 1
                if statuses.get(chosen.model.id) != "enabled":
                    wrong.append(f"seed {seed}: a task chose {chosen.model.id}, which is not listed")
    assert wrong == []
    assert min(seen.values()) > 50, seen  # every case was met often
