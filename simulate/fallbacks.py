"""Random requests to models that fail, in random shops: what stands in for them, and whether it may.

Law: the judge reads what it made up itself, the request's plan and the models' rows, and nothing the gateway derived.
"""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conflux.catalogue.catalogue import build
from conflux.dialects import DIALECTS
from conflux.neutral.errors import TransportError
from conflux.neutral.money import PriceSheet
from conflux.neutral.ports import Inbound, Outbound
from conflux.neutral.records import Caller, Capability, Model, Pool, Provider, Storefront, Target, Tier
from conflux.relay.live import build_snapshot
from conflux.relay.parts import Incoming
from simulate.upstreams import Answer, Plan
from simulate.virtual import run
from simulate.world import PlayedClient, PlayedLedger, gateway_over

MODELS = 10
REQUESTS_PER_SHOP = 100
_TIERS = (None, Tier.CORE, Tier.PRO, Tier.ULTRA)
_RANK = {Tier.CORE: 0, Tier.PRO: 1, Tier.ULTRA: 2}
_CAPABLE = (Capability.TOOLS, Capability.VISION, Capability.JSON_MODE, Capability.STRUCTURED_OUTPUTS,
            Capability.LOGPROBS)  # fmt: skip
_MUCH = 10**9
_PIXEL = "data:image/png;base64,iVBORw0KGgo="


@dataclass
class Counted:
    requests: int = 0
    fallbacks: int = 0
    refused: int = 0  # no_capable_fallback
    capability: int = 0  # violations, here and below
    price: int = 0
    permission: int = 0
    late: int = 0  # after the first content
    charged: int = 0  # more than the smaller total
    told: int = 0  # headers that do not say what happened

    @property
    def violations(self) -> int:
        return self.capability + self.price + self.permission + self.late + self.charged + self.told


@dataclass
class _Asked:
    """One request as it was made up."""

    body: dict[str, Any]
    needs: set[Capability] = field(default_factory=set)
    many: bool = False
    size: int = 0
    output: int | None = None
    off: bool = False


def fallbacks(requests: int, seed: int) -> Counted:
    counted = Counted()
    for shop in range(-(-requests // REQUESTS_PER_SHOP)):

        async def main(shop: int = shop) -> None:
            await _Shop(random.Random(f"{seed} {shop}"), counted, shop).run()

        run(main)
    return counted


class _Shop:
    """Ten models of random talents; a few of them work."""

    def __init__(self, chance: random.Random, counted: Counted, number: int) -> None:
        self._chance = chance
        self._counted = counted
        self.models = {f"m{place}": self._model(place) for place in range(MODELS)}
        providers = [Provider(id=name, base_url=f"https://{name}.test/v1", dialects=("openai-chat",),
                              credentials=("env:A",), configured=True) for name in self.models]  # fmt: skip
        pools = [Pool(id=name, targets=(Target(provider=name, model=name),)) for name in self.models]
        front = Storefront(id="shop", name="Shop", mount="/", key_prefixes=("k",), header_prefix="shop", fallback=True)
        snapshot = build_snapshot(build([front], self.models.values(), pools, providers), {"env:A": "a"}.get, DIALECTS,
                                  simulator=None, keep_simulator=False)  # fmt: skip
        allowed = frozenset(name for name in self.models if chance.random() < 0.8) | {"m0"}
        self._allowed = allowed
        caller = Caller(key_id=1, name="load", storefront="shop", workspace_id=1, workspace="default", user_id=1,
                        user="default", models=allowed)  # fmt: skip
        self.upstream = _Upstream(chance)
        self._ledger = PlayedLedger()
        self._gateway = gateway_over(snapshot, self.upstream, self._ledger, caller, number)

    def _model(self, place: int) -> Model:
        chance = self._chance
        capable = {one for one in _CAPABLE if chance.random() < (1.0 if place == 0 else 0.6)}
        price = chance.choice((None, 1_000_000, 1_200_000, 1_500_000, 1_600_000, 3_000_000))
        return Model(
            storefront="shop", id=f"m{place}", name="M", pool=f"m{place}",
            tier=chance.choice(_TIERS), capabilities=frozenset(capable | {Capability.TEXT}),
            safe_context=None if chance.random() < 0.1 else chance.choice((2_000, 8_000, 100_000)),
            max_output=chance.choice((None, 500, 4_000)),
            supported_parameters=chance.choice(((), ("n", "max_tokens"))),
            price=PriceSheet(input=price, output=None if price is None else price * chance.choice((1, 2, 4))),
        )  # fmt: skip

    async def run(self) -> None:
        for _ in range(REQUESTS_PER_SHOP):
            await self._one()
            await asyncio.sleep(self._chance.expovariate(1))

    def _ask(self) -> _Asked:
        chance = self._chance
        asked = _Asked({"model": "m0", "messages": []})
        text = "word " * chance.choice((5, 400, 2_000))
        old: Any = text
        if chance.random() < 0.3:  # in an old turn, long before the last
            old = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": _PIXEL}}]
            asked.needs.add(Capability.VISION)
        asked.body["messages"] = [{"role": "user", "content": old}, {"role": "assistant", "content": "yes"},
                                  {"role": "user", "content": "and?"}]  # fmt: skip
        if chance.random() < 0.3:
            asked.body["tools"] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
            asked.needs.add(Capability.TOOLS)
        if chance.random() < 0.3:
            schema = {"name": "s", "strict": True, "schema": {"type": "object"}}
            asked.body["response_format"] = chance.choice(
                ({"type": "json_object"}, {"type": "json_schema", "json_schema": schema})
            )
            kind = asked.body["response_format"]["type"]
            asked.needs.add(Capability.JSON_MODE if kind == "json_object" else Capability.STRUCTURED_OUTPUTS)
        if chance.random() < 0.2:
            asked.body["logprobs"] = True
            asked.needs.add(Capability.LOGPROBS)
        if chance.random() < 0.2:
            asked.body["n"], asked.many = 2, True
        if chance.random() < 0.5:
            asked.body["max_tokens"] = asked.output = chance.choice((10, 600, 3_000))
        if chance.random() < 0.5:
            asked.body["stream"] = True
        asked.size = len(text)
        asked.off = chance.random() < 0.1
        return asked

    async def _one(self) -> None:
        counted, asked, client = self._counted, self._ask(), PlayedClient(asyncio.get_running_loop())
        self.upstream.fresh()
        headers = [(self._chance.choice((b"x-shop-fallback", b"x-conflux-fallback")), b"off")] if asked.off else []
        incoming = Incoming(dialect="openai-chat", body=json.dumps(asked.body).encode(), secret="k", headers=headers,
                            mount=None)  # fmt: skip
        await self._gateway.generate(incoming, client)
        counted.requests += 1
        counted.refused += b"no_capable_fallback" in client.body
        end = self._ledger.ends.pop(asyncio.current_task(), None)
        served = end.served_model if end is not None else None
        others = [name for name in self.upstream.sent if name != "m0"]
        if others and asked.off:
            counted.permission += 1
        for name in others:
            self._judge(asked, self.models[name])
        counted.late += self.upstream.late
        self.upstream.late = 0
        if client.status != 200 or served is None or end is None:
            return
        counted.fallbacks += served != "m0"
        told = dict(client.headers)
        counted.told += (told[b"x-shop-fallback-applied"] == b"true") != (served != "m0")
        counted.told += told[b"x-shop-served-model"] != served.encode() or told[b"x-shop-requested-model"] != b"m0"
        counted.told += served != "m0" and not told[b"x-shop-fallback-chain"].endswith(b"> " + served.encode())
        totals = [self._total(self.models[name], end.usage.input, end.usage.output) for name in {"m0", served}]
        counted.charged += end.charge > min(totals)

    def _total(self, model: Model, said: int, answered: int) -> int:
        price = model.price
        assert price.input is not None and price.output is not None, "what runs has a price"
        return -(-said * price.input // 1000) + -(-answered * price.output // 1000)

    def _judge(self, asked: _Asked, model: Model) -> None:
        counted, first = self._counted, self.models["m0"]
        # All that the model asked for would have given: no more than its own limits.
        wanted = min(asked.output or 1, first.max_output or _MUCH, (first.safe_context or _MUCH) - asked.size // 3)
        fits = model.safe_context is not None and asked.size // 4 + wanted <= model.safe_context
        fits = fits and wanted <= (model.max_output or _MUCH)
        tier = first.tier is None or (model.tier is not None and _RANK[model.tier] >= _RANK[first.tier])
        many = not asked.many or "n" in model.supported_parameters
        counted.capability += not (asked.needs <= model.capabilities and fits and tier and many)
        pairs = ((model.price.input, first.price.input), (model.price.output, first.price.output))
        counted.price += any(its is None or cap is None or its > 1.5 * cap for its, cap in pairs)
        counted.permission += model.id not in self._allowed


class _Upstream:
    """Implements ports.Transport: the model asked for mostly fails, the others mostly answer."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.sent: list[str] = []
        self.late = 0
        self._began: Callable[[], bool] = lambda: False

    def fresh(self) -> None:
        self.sent.clear()
        self._began = lambda: False

    async def send(self, call: Outbound) -> Inbound:
        name = call.origin.removeprefix("https://").removesuffix(".test")
        self.late += bool(self.sent) and self._began()
        self.sent.append(name)
        stream = b'"stream":true' in call.body
        if self._chance.random() < (0.8 if name == "m0" else 0.3):
            raise TransportError("connect", "connection refused", sent=False, answered=False)
        # Some begin to answer and break off: too late for anybody else.
        stalls = 1 if stream and self._chance.random() < 0.2 else None
        await asyncio.sleep(0.1)
        answer = Answer(Plan(0.1, model=name, stalls_after=stalls), call, stream=stream)
        self._began = lambda: answer.given > 0 and stream
        return answer
