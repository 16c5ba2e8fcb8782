"""The simulator's completions: a prompt is answered as its text in a chat would be.

Law: as strict as the real one. Written without the gateway's dialects, as the other side of the tests.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from conflux.sim import openai_chat
from conflux.sim.ask import Ask, BadRequest, Limits
from conflux.sim.openai_chat_manners import check_manners
from conflux.sim.plan import Plan, count_tokens, pieces, seed_of
from conflux.sim.quirks import Quirks

_KNOWN = frozenset({
    "model", "prompt", "suffix", "max_tokens", "temperature", "top_p", "top_k", "n", "best_of", "stream",
    "stream_options", "logprobs", "echo", "stop", "frequency_penalty", "presence_penalty", "logit_bias", "seed", "user",
})  # fmt: skip
_WHOLE = {"max_tokens": 0, "n": 1, "best_of": 1, "logprobs": 0}
_MANNER = ("stream", "stream_options")

headers = openai_chat.headers
error_body = openai_chat.error_body
error_event = openai_chat.error_event


def read(raw: bytes, path: str, salt: int, quirks: Quirks) -> Ask:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"We could not parse the JSON body of your request: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise BadRequest("you must provide a model parameter", "model")
    body = {name: value for name, value in body.items() if value is not None}
    for name in body:
        if name not in _KNOWN or name in quirks.refuses:
            raise BadRequest(f"Unrecognized request argument supplied: {name}", name)
    for name, least in _WHOLE.items():
        if name in body and (type(body[name]) is not int or body[name] < least):
            raise BadRequest(f"Invalid value for '{name}': expected an integer of at least {least}", name)
    if "stream_options" in body and not body.get("stream"):
        raise BadRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    if "best_of" in body and body["best_of"] < body.get("n", 1):
        raise BadRequest("best_of must be at least n", "best_of")
    check_manners({**body, "logprobs": "logprobs" in body}, quirks)
    prompts = prompts_of(body.get("prompt"))
    stop = body.get("stop", ())
    return Ask(
        body=body,
        path=path,
        model=body["model"],
        stream=body.get("stream", False),
        seed=seed_of(msgspec.json.encode({k: v for k, v in body.items() if k not in _MANNER}, order="sorted"), salt),
        prompt_tokens=sum(count_tokens(one) if isinstance(one, str) else len(one) for one in prompts),
        text=" ".join(one if isinstance(one, str) else f"{len(one)} tokens" for one in prompts),
        limits=Limits(body.get("max_tokens", 16), (stop,) if isinstance(stop, str) else tuple(stop)),
        choices=len(prompts) * body.get("n", 1),
        logprobs=body.get("logprobs"),
    )


def prompts_of(found: Any) -> list[Any]:
    """One item for each prompt: a text, or its tokens."""
    if isinstance(found, str):
        return [found]
    if not isinstance(found, list) or not found or not all(isinstance(one, str | int | list) for one in found):
        raise BadRequest("'$.prompt' is invalid", "prompt")
    return [found] if isinstance(found[0], int) else found


def render(ask: Ask, plan: Plan, created: int, quirks: Quirks) -> "CompletionRendering":
    return CompletionRendering(ask, plan, created)


class CompletionRendering:
    """A plan as OpenAI's bytes."""

    def __init__(self, ask: Ask, plan: Plan, created: int) -> None:
        self._ask = ask
        self._plan = plan
        self._head = {"id": f"cmpl-sim{ask.seed:016x}", "object": "text_completion", "created": created,
                      "model": plan.model or ask.model, "system_fingerprint": openai_chat.FINGERPRINT}  # fmt: skip
        self._asked = bool((ask.body.get("stream_options") or {}).get("include_usage"))

    def _before(self, index: int) -> str:
        """What an answer repeats of its prompt."""
        if not self._ask.body.get("echo"):
            return ""
        prompt = prompts_of(self._ask.body["prompt"])[index // self._ask.body.get("n", 1)]
        return prompt if isinstance(prompt, str) else ""

    def _choice(self, index: int, text: str, finish: str | None) -> dict[str, Any]:
        return {"index": index, "text": text, "logprobs": self._logprobs(pieces(text)), "finish_reason": finish}

    def _logprobs(self, texts: list[str]) -> dict[str, Any] | None:
        if self._plan.logprobs is None:
            return None
        places = [sum(len(one) for one in texts[:place]) for place in range(len(texts))]
        others = [{text: -0.1} for text in texts] if self._plan.logprobs else None
        return {"tokens": texts, "token_logprobs": [-0.1] * len(texts), "top_logprobs": others, "text_offset": places}

    def _usage(self) -> dict[str, Any]:
        used = self._plan.usage
        return openai_chat.usage_object(used.prompt, used.completion, used.cached, used.reasoning)

    def whole(self) -> bytes:
        choices = [self._choice(index, self._before(index) + one.text, one.finish)
                   for index, one in enumerate(self._plan.choices)]  # fmt: skip
        answer: dict[str, Any] = {**self._head, "choices": choices}
        if self._plan.usage.manner != "missing":
            answer["usage"] = self._usage()
        return msgspec.json.encode(answer)

    def events(self) -> Iterator[tuple[bytes, int]]:
        rows = [self._spoken(index) for index in range(len(self._plan.choices))]
        for parts in zip_longest(*rows):
            yield from (part for part in parts if part is not None)
        for index, one in enumerate(self._plan.choices):
            yield self._event([self._choice(index, "", one.finish)]), 0
        if self._asked and self._plan.usage.manner != "missing":
            yield self._event([], self._usage()), 0
        yield b"data: [DONE]\n\n", 0

    def text_event(self) -> bytes:
        return self._event([self._choice(0, "more", None)])

    def _spoken(self, index: int) -> Iterator[tuple[bytes, int]]:
        before = self._before(index)
        if before:
            yield self._event([self._choice(index, before, None)]), 0
        for piece in pieces(self._plan.choices[index].text):
            yield self._event([self._choice(index, piece, None)]), 1

    def _event(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        chunk: dict[str, Any] = {**self._head, "choices": choices}
        if self._asked:
            chunk["usage"] = usage
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
