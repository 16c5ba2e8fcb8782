"""POST /v1/route/explain: the body of a generation call, and why it would go where.

Law: any protocol's body as it is. `?endpoint=/v1/messages` says whose it is; else its own fields do, and where they
leave it open OpenAI's chat is meant.
"""

from urllib.parse import parse_qsl

import msgspec

from conflux.dialects import DIALECTS
from conflux.dialects.base import NOWHERE, Place
from conflux.dialects.strict_json import decode_measured, encode
from conflux.faces.question import Question, Reply
from conflux.neutral.errors import invalid
from conflux.relay.explain import explained
from conflux.relay.headers import JSON
from conflux.relay.parts import Incoming, Parts

_ANTHROPIC = b"anthropic-version"
_OPEN = Place(model="auto", stream=False)  # Gemini's paths name a model; a body alone cannot
# A field that only one protocol has.
_MARKS = (("contents", "gemini"), ("messages", "openai-chat"), ("prompt", "openai-completions"))


async def answer(parts: Parts, question: Question) -> Reply:
    dialect, place = _protocol(question)
    incoming = Incoming(dialect=dialect, body=question.body, secret=question.secret, headers=question.headers,
                        mount=question.mount, place=place)  # fmt: skip
    storefront, shown = await explained(parts, incoming)
    private = (b"cache-control", b"private, no-cache")
    return Reply(headers=[JSON, private], body=encode(shown), storefront=storefront)


def _protocol(question: Question) -> tuple[str, Place]:
    named = dict(parse_qsl(question.query.decode("latin-1"))).get("endpoint")
    if named is not None:
        for one in DIALECTS.values():
            place = NOWHERE if named in one.routes else one.find(named)
            if place is not None:
                return one.name, _heard(place, one.listens, question)
        raise invalid(f"endpoint: {named[:80]!r} is no generation endpoint, such as /v1/messages", "endpoint")
    body, _ = decode_measured(question.body)
    found = next((name for field, name in _MARKS if field in body), "openai-chat")
    if "input" in body and "messages" not in body:
        found = "embeddings" if _embeds(body.get("input")) else "openai-responses"
    if found == "openai-chat" and any(name == _ANTHROPIC for name, _ in question.headers):
        found = "anthropic-messages"
    if found == "gemini":
        model = body.get("model")
        return found, _OPEN if not isinstance(model, str) else msgspec.structs.replace(_OPEN, model=model)
    return found, _heard(NOWHERE, DIALECTS[found].listens, question)


def _embeds(value: object) -> bool:
    """A list of texts or numbers is no conversation."""
    return isinstance(value, list) and bool(value) and not isinstance(value[0], dict)


def _heard(place: Place, listens: tuple[bytes, ...], question: Question) -> Place:
    found = dict(question.headers)
    said = {name.decode(): found[name].decode("latin-1") for name in listens if name in found}
    return msgspec.structs.replace(place, headers=said) if said else place
