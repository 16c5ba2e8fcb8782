"""Conversations are counted with a real tokenizer, in turns, once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from conflux.dialects import DIALECTS
from conflux.neutral.request import Envelope
from conflux.neutral.usage import Usage
from conflux.relay.counting import IMAGE_TOKENS_MOST, Count, Sizes, tokenizer
from tests.policy.samples import caller, model
from tests.relay.answers import request
from tests.relay.world import quarter

ROOT = Path(__file__).parent.parent.parent
MODEL = model()


def asked(*texts: str, **fields: Any) -> Envelope:
    messages = [{"role": "user", "content": text} for text in texts]
    return DIALECTS["openai-chat"].open(request(messages=messages, **fields))


class Tokenizer:
    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, text: str) -> int:
        self.seen.append(len(text))
        return quarter(text)


def ready(counts: Count) -> Callable[[], Awaitable[Count]]:
    async def load() -> Count:
        return counts

    return load


async def counted(sizes: Sizes, envelope: Envelope, workspace: int = 1) -> int:
    return (await sizes.count(caller(workspace_id=workspace), envelope)).tokens


async def test_nothing_is_loaded_before_the_first_need() -> None:
    loads: list[int] = []

    async def load() -> Count:
        loads.append(1)
        return quarter

    sizes = Sizes(load)
    sizes.learn(caller(), MODEL, asked("x" * 4000), None, Usage(input=1000), 1.0)
    assert not loads
    await asyncio.gather(*(counted(sizes, asked("x" * 4000)) for _ in range(5)))
    assert loads == [1]


async def test_who_leaves_while_it_loads_takes_nothing_from_the_others() -> None:
    sizes = Sizes(ready(quarter))
    first = asyncio.create_task(counted(sizes, asked("word")))
    await asyncio.sleep(0)
    first.cancel()
    assert await counted(sizes, asked("word")) == 1 + 4


async def test_a_long_text_is_counted_in_pieces_and_others_have_their_turn() -> None:
    counts = Tokenizer()
    sizes = Sizes(ready(counts))
    turns = 0
    counting = asyncio.create_task(counted(sizes, asked(" ".join(f"w{number:05}" for number in range(30_000)))))
    while not counting.done():
        turns += 1
        await asyncio.sleep(0)
    assert max(counts.seen) <= 16_384 and sum(counts.seen) == 30_000 * 7 - 1
    assert turns >= len(counts.seen) >= 13


async def test_what_was_counted_is_not_counted_again_but_for_its_workspace_alone() -> None:
    counts = Tokenizer()
    sizes = Sizes(ready(counts))
    old = "so it was said. " * 100
    first = await counted(sizes, asked(old))
    assert await counted(sizes, asked(old)) == first
    assert counts.seen == [1600]
    await counted(sizes, asked(old, "and this is new. " * 100))
    assert counts.seen == [1600, 1700]
    await counted(sizes, asked(old), workspace=2)
    assert counts.seen == [1600, 1700, 1600]


async def test_images_are_beside_and_their_bytes_are_not_read() -> None:
    counts = Tokenizer()
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 40_000}}
    envelope = DIALECTS["openai-chat"].open(request(messages=[{"role": "user", "content": [picture, picture]}]))
    found = await Sizes(ready(counts)).count(caller(), envelope)
    assert (found.tokens, found.beside, counts.seen) == (4, 2 * IMAGE_TOKENS_MOST, [])


async def test_tools_and_schemas_are_counted() -> None:
    tool = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}
    sizes = Sizes(ready(quarter))
    assert await counted(sizes, asked("word", tools=[tool])) >= await counted(sizes, asked("word")) + 20


async def test_scripts_are_told_by_their_bytes() -> None:
    sizes = Sizes(ready(quarter))
    texts = {"plain": "an English text", "mixed": "großes Gemüse, über Öl", "two": "Привет", "three": "漢字かな"}
    for script, text in texts.items():
        assert (await sizes.count(caller(), asked(text * 9))).script.split()[0] == script


async def test_texts_of_one_script_are_told_by_how_they_are_cut() -> None:
    sizes = Sizes(ready(tokenizer()))
    prose, hexadecimal = "The gateway counts what the bytes leave open. ", "7f3a9c01be55d2e8"
    prose_, again, hex_ = [(await sizes.count(caller(), asked(text))).script
                           for text in (prose * 40, prose * 200, hexadecimal * 99)]  # fmt: skip
    assert prose_ == again != hex_ and hex_.startswith("plain")


async def test_once_loaded_a_second_yields_one_sample_of_text_alone() -> None:
    counts = Tokenizer()
    sizes = Sizes(ready(counts))
    await counted(sizes, asked("word"))
    for second in (5.0, 5.1, 5.9, 6.0, 7.0, 8.0):
        sizes.learn(caller(), MODEL, asked("text " * 800), None, Usage(input=2000), second)
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    pictured = DIALECTS["openai-chat"].open(request(messages=[{"role": "user", "content": [picture]}]))
    sizes.learn(caller(), MODEL, pictured, None, Usage(input=2000), 9.0)
    while sizes.samples:
        await asyncio.sleep(0)
    assert counts.seen == [4, 4000]  # the text of the other samples was known
    found = await sizes.count(caller(), asked("text " * 800))
    assert sizes.guess(MODEL, asked("text " * 800), found) > found.tokens * 1.4


async def test_the_real_tokenizer_with_another_model_s_comes_within_3_percent() -> None:
    """Another real tokenizer plays the model's: what it reports is learned on English, code and markup mixed."""
    theirs = tokenizer("cl100k_base")
    files = [*ROOT.glob("src/conflux/*/*.py"), *ROOT.glob("docs/*.md"), *ROOT.glob("catalogue/*.toml")]
    texts = [text for file in sorted(files) if len(text := file.read_text()) > 2000]
    random.Random(5).shuffle(texts)
    texts = [text[:8000] for text in texts[:160]]
    sizes, off, over, seen = Sizes(), 0.0, 0, 0
    for turn, text in enumerate(texts * 2):
        envelope = asked(text)
        real = theirs(text) + 7
        found = await sizes.count(caller(), envelope)
        if turn >= len(texts):
            off += abs(sizes.guess(MODEL, envelope, found) - real) / real
            over += real > sizes.bound(MODEL, envelope, found)
            seen += 1
        sizes.learn(caller(), MODEL, envelope, found, Usage(input=real), 0.0)
    assert seen >= 100 and off / seen <= 0.03 and over / seen <= 0.01


async def test_bytes_of_files_are_told_beside_the_tokens_of_texts() -> None:
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + "A" * 4000}}
    envelope = asked("x" * 400)
    found = await Sizes(ready(quarter)).count(caller(), envelope)
    assert found.media < 200  # names and marks
    envelope = DIALECTS["openai-chat"].open(request(messages=[{"role": "user", "content": [file]}]))
    found = await Sizes(ready(quarter)).count(caller(), envelope)
    assert 4000 < found.media < 4300 and found.tokens < 100
