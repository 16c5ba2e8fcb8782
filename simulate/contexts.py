"""Random conversations near the limits of models whose tokenizers the gateway does not know.

Law: the tokenizers are real ones, other than the gateway's own, and one that is heavier than any; only the upstream
counts with them, and the judge. What is sent and what is refused is judged by them alone.
"""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conflux.catalogue.catalogue import build
from conflux.dialects import DIALECTS
from conflux.neutral.money import PriceSheet
from conflux.neutral.ports import Outbound
from conflux.neutral.records import Caller, Capability, Model, Pool, Provider, Storefront, Target
from conflux.relay.counting import Count, tokenizer
from conflux.relay.live import build_snapshot
from conflux.relay.parts import Incoming
from simulate.upstreams import Answer, Plan
from simulate.virtual import run
from simulate.world import PlayedClient, PlayedLedger, gateway_over

ROOT = Path(__file__).resolve().parent.parent
LEARNING = 200  # requests to a model before what is refused is judged
_ADDED = 23  # tokens that a provider adds to every request, and to every message
_PER_MESSAGE = 5
_ROOM = 1024
_MODELS = {"light": ("cl100k_base", 1.0, 4_000), "other": ("voyage3_base", 1.0, 6_000),
           "heavy": ("o200k_base", 1.25, 8_000)}  # fmt: skip


@dataclass
class Judged:
    requests: int = 0
    sent: int = 0
    over: int = 0  # sent, and more than the model takes
    fitting: int = 0  # after learning: would have fit
    refused: int = 0  # of these, refused

    @property
    def refused_share(self) -> float:
        return self.refused / max(self.fitting, 1)


def contexts(requests: int, seed: int) -> Judged:
    judged = Judged()

    async def main() -> None:
        await _World(random.Random(f"contexts {seed}"), judged, seed).run(requests)

    run(main)
    return judged


@cache
def _counts(name: str) -> Count:
    encoding, weight, _ = _MODELS[name]
    counts = tokenizer(encoding)
    return lambda text: round(counts(text) * weight)


async def _load() -> Count:
    return _own()


@cache
def _own() -> Count:
    return tokenizer()


@cache
def _corpora() -> tuple[str, ...]:
    def read(*globs: str) -> str:
        files = sorted(file for one in globs for file in ROOT.glob(one))
        return "\n".join(file.read_text() for file in files)

    return read("docs/*.md"), read("src/conflux/*/*.py"), read("catalogue/*.toml")


def _words(letters: Sequence[str], longest: int) -> Callable[[random.Random, int], str]:
    def make(chance: random.Random, size: int) -> str:
        found: list[str] = []
        while size > 0:
            word = "".join(chance.choices(letters, k=chance.randint(1, longest)))
            found.append(word)
            size -= len(word.encode()) + 1
        return " ".join(found)

    return make


def _slice(place: int) -> Callable[[random.Random, int], str]:
    def make(chance: random.Random, size: int) -> str:
        text = _corpora()[place]
        start = chance.randrange(len(text))
        return (text[start:] + text * (size // len(text) + 1))[:size]

    return make


# English, code, data; then what tokenizers cut worse: Cyrillic, Chinese, hexadecimal.
_TEXTS = (_slice(0), _slice(0), _slice(1), _slice(1), _slice(2), _words("оеаинтсрвлкмдпуяыьгзбчй", 9),
          _words([chr(code) for code in range(0x4E00, 0x5200)], 12), _words("0123456789abcdef", 40))  # fmt: skip


class _Counting(Answer):
    """Says how many tokens it was asked with."""

    def __init__(self, call: Outbound, prompt: int) -> None:
        super().__init__(Plan(0.1, model="m"), call, stream=False)
        said = json.loads(self._pieces[0])
        said["usage"] = {"prompt_tokens": prompt, "completion_tokens": 7, "total_tokens": prompt + 7}
        self._pieces = [json.dumps(said).encode()]


class _World:
    """Implements ports.Transport too: three models, each with a tokenizer of its own."""

    def __init__(self, chance: random.Random, judged: Judged, seed: int) -> None:
        self._chance = chance
        self._judged = judged
        self._asked = dict.fromkeys(_MODELS, 0)
        self._sent = False
        providers = [Provider(id=name, base_url=f"https://{name}.test/v1", dialects=("openai-chat",),
                              credentials=("env:A",), configured=True) for name in _MODELS]  # fmt: skip
        models = [Model(storefront="shop", id=name, name="M", pool=name, context=limit, safe_context=limit * 95 // 100,
                        capabilities=frozenset({Capability.TEXT}), price=PriceSheet(input=10**6, output=10**6))
                  for name, (_, _, limit) in _MODELS.items()]  # fmt: skip
        pools = [Pool(id=name, targets=(Target(provider=name, model="m"),)) for name in _MODELS]
        front = Storefront(id="shop", name="Shop", mount="/", key_prefixes=("k",))
        snapshot = build_snapshot(build([front], models, pools, providers), {"env:A": "a"}.get, DIALECTS,
                                  simulator=None, keep_simulator=False)  # fmt: skip
        caller = Caller(key_id=1, name="load", storefront="shop", workspace_id=1, workspace="default", user_id=1,
                        user="default")  # fmt: skip
        self._gateway = gateway_over(snapshot, self, PlayedLedger(), caller, seed, load=_load)

    async def send(self, call: Outbound) -> Answer:
        name = call.origin.removeprefix("https://").removesuffix(".test")
        body = json.loads(call.body)
        real = _real(name, [one["content"] for one in body["messages"]])
        output = body.get("max_completion_tokens") or body.get("max_tokens") or 0
        self._sent = True
        self._judged.over += real + output > _MODELS[name][2]
        return _Counting(call, real)

    async def run(self, requests: int) -> None:
        for _ in range(requests):
            await self._one()

    async def _one(self) -> None:
        chance, judged = self._chance, self._judged
        name = chance.choice(tuple(_MODELS))
        limit = _MODELS[name][2]
        make = chance.choice(_TEXTS)
        size = int(limit * 4 * 10 ** chance.uniform(-1.3, 0.2))
        turns = chance.randint(1, 9)
        texts = [make(chance, max(size // turns, 1)) for _ in range(turns)]
        wanted = chance.choice((None, 16, 800, 32_000))
        body: dict[str, Any] = {"model": name, "messages": [{"role": "user", "content": text} for text in texts]}
        body |= {} if wanted is None else {"max_tokens": wanted}
        client = PlayedClient(asyncio.get_running_loop())
        self._sent = False
        await self._gateway.generate(
            Incoming(dialect="openai-chat", body=json.dumps(body).encode(), secret="k", mount=None), client
        )
        assert client.status == 200 or b"context_length_exceeded" in client.body, client.body
        judged.requests += 1
        judged.sent += self._sent
        self._asked[name] += 1
        if self._asked[name] > LEARNING:
            fits = _real(name, texts) + min(wanted or _ROOM, _ROOM) <= limit * 95 // 100
            judged.fitting += fits
            judged.refused += fits and not self._sent


def _real(name: str, texts: Sequence[str]) -> int:
    counts = _counts(name)
    return _ADDED + sum(counts(text) + _PER_MESSAGE for text in texts)
