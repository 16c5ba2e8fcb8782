"""How large a conversation is, counted where its bytes leave that open.

Law: counted only where the bytes do not settle it, with one tokenizer for all models, which is loaded at the first
need: it takes 70 MB. Counting holds the interpreter, so a long text is counted in pieces and others have
their turn between. What was counted once is remembered for its workspace: the next turn of a conversation costs its
last words.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from hashlib import blake2b
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from math import log2
from pathlib import Path

from conflux.billing.estimate import texts_of
from conflux.dialects.openai_chat import IMAGE_TOKENS_BOUND
from conflux.neutral.records import Caller, Model
from conflux.neutral.request import Envelope, Need
from conflux.neutral.usage import Usage
from conflux.routing.gauge import Counted, Gauge

Count = Callable[[str], int]

# Above what the providers take for an image that is not cut into many; an estimate, as all of this.
IMAGE_TOKENS_MOST = 1600
_MESSAGE_TOKENS = 4  # what the marks around a message take
_STEPS = 3  # kinds of text between one number of bytes a token and twice that
_TURNS = ("messages", "input", "contents")

_PIECE = 16_384  # characters, some two milliseconds
_REMEMBERED = 20_000  # pieces, the newest
_WORTH = 256  # characters; a shorter text is counted sooner than found

_SAMPLE_SECONDS = 1.0  # between two counts made only to learn from
_SAMPLE_MOST = 262_144  # bytes
_LONG = 32_768  # bytes: a conversation that may come near a limit, and should find something learned when it does
_NO_TEXT = frozenset({Need.VISION, Need.FILES, Need.AUDIO, Need.STORED_FILES, Need.WEB_SEARCH})


def tokenizer(encoding: str = "o200k_base") -> Count:
    """The tokenizer, whose vocabulary is inside of its package."""
    # Its compiled half alone: the package around it takes a second and 60 MB more for tables that only decoding needs.
    outer = find_spec("bpe_openai")
    assert outer is not None and outer.origin is not None, "it is installed with the gateway"
    (file,) = Path(outer.origin).parent.glob("_bindings.*[so,pyd]")
    inner = spec_from_file_location("bpe_openai._bindings", file)
    assert inner is not None and inner.loader is not None, "an extension has a loader"
    module = module_from_spec(inner)
    inner.loader.exec_module(module)
    counts: Count = module.tokenizer_for_encoding(encoding).count
    return counts


async def aside() -> Count:
    """Reading the file from disk takes no turn of others; the building of its tables does, some 70 ms, once."""
    return await asyncio.to_thread(tokenizer)


class Sizes:
    """One per process: what is learned of tokenizers, and the counting."""

    def __init__(self, load: Callable[[], Awaitable[Count]] = aside) -> None:
        self.gauge = Gauge()
        self._load = load
        self._loading: asyncio.Future[Count] | None = None
        self._remembered: dict[bytes, int] = {}
        self._sampled = 0.0
        self.samples: set[asyncio.Task[None]] = set()

    def bound(self, model: Model, envelope: Envelope, counted: Counted | None = None) -> int:
        """No more tokens than this."""
        return self.gauge.bound(model.pool, envelope.size, counted)

    def guess(self, model: Model, envelope: Envelope, counted: Counted | None = None) -> int:
        """About this many tokens."""
        return self.gauge.guess(model.pool, envelope.size, counted)

    async def count(self, caller: Caller, envelope: Envelope) -> Counted:
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load())
        counts = await asyncio.shield(self._loading)
        texts = texts_of(envelope.body)
        salt = caller.workspace_id.to_bytes(8, "big")
        tokens = done = size = characters = 0
        for text in texts:
            characters += len(text)
            size += len(text) if text.isascii() else len(text.encode())
            for piece in _pieces(text):
                tokens += self._count(counts, salt, piece)
                done += len(piece)
                if done >= _PIECE // 2:
                    done = 0
                    await asyncio.sleep(0)
        script = _script(size, characters, tokens)
        tokens += _MESSAGE_TOKENS * sum(_length(envelope.body.get(name)) for name in _TURNS)
        media = max(envelope.size - size - envelope.images * IMAGE_TOKENS_BOUND, 0)
        return Counted(tokens, script, envelope.images * IMAGE_TOKENS_MOST, media)

    def learn(self, caller: Caller, model: Model, envelope: Envelope, counted: Counted | None, usage: Usage,
              now: float) -> None:  # fmt: skip
        """The upstream said what it counted."""
        if envelope.images or not _NO_TEXT.isdisjoint(envelope.needs):
            return
        self.gauge.learn(model.pool, envelope.size, usage.prompt_total, counted)
        ready = self._loading is not None or envelope.size >= _LONG
        if counted is None and ready and now >= self._sampled and envelope.size <= _SAMPLE_MOST:
            self._sampled = now + _SAMPLE_SECONDS
            sample = asyncio.create_task(self._sample(caller, model, envelope, usage))
            self.samples.add(sample)
            sample.add_done_callback(self.samples.discard)

    async def _sample(self, caller: Caller, model: Model, envelope: Envelope, usage: Usage) -> None:
        counted = await self.count(caller, envelope)
        self.gauge.learn(model.pool, envelope.size, usage.prompt_total, counted)

    def _count(self, counts: Count, salt: bytes, piece: str) -> int:
        if len(piece) < _WORTH:
            return counts(piece)
        name = blake2b(piece.encode(), digest_size=16, salt=salt).digest()
        found = self._remembered.pop(name, None)
        if found is None:
            found = counts(piece)
            if len(self._remembered) >= _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
        self._remembered[name] = found  # the newest
        return found


def _pieces(text: str) -> Iterator[str]:
    """Cut before a space, where tokenizers cut too."""
    start = 0
    while len(text) - start > _PIECE:
        end = text.rfind(" ", start + _PIECE // 2, start + _PIECE)
        end = start + _PIECE if end < 0 else end
        yield text[start:end]
        start = end
    yield text[start:] if start else text


def _script(size: int, characters: int, tokens: int) -> str:
    """What tokenizers cut alike: by bytes a character (plain, mixed, two as from Greek to Arabic, three as most of
    Asia), and by bytes a token: prose, code and hexadecimal are all plain."""
    kind = "plain" if size * 50 <= characters * 51 else "mixed" if size * 2 <= characters * 3 else (
        "two" if size * 3 <= characters * 7 else "three")  # fmt: skip
    return f"{kind} {round(_STEPS * log2(max(size, 1) / max(tokens, 1)))}"


def _length(turns: object) -> int:
    return len(turns) if isinstance(turns, list) else 1 if turns is not None else 0
