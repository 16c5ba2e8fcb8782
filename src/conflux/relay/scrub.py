"""An upstream's own words on a request it refused, without what would tell who it is.

Law: words that name the upstream are replaced whole. From all others goes what belongs to our account there, or finds
it: ids of organisations, projects and requests, keys and parts of them, hosts, addresses. What is a parameter stays.
"""

import re
from collections.abc import Iterator

from conflux.relay.snapshot import LiveTarget

_INSTEAD = "the model refused this request: check its parameters"
_LONGEST = 1000
_HIDDEN = "[…]"
_WORD = re.compile(r"[a-z]{4,}")
_OURS = re.compile(
    # What providers number, by the prefixes they give it; and keys, whole, cut short or starred.
    r"\b(?:org|proj|project|req|request|acct|account|tenant|team|cmpl|chatcmpl|resp|msg|trace|deployment)[-_]"
    r"(?=[A-Za-z]*[0-9A-Z])[A-Za-z0-9]{6,}[\w-]*"
    r"|\b(?:sk|pk|rk|gsk|xai|nvapi|tp|key)-[\w*.…-]{4,}"
    r"|\bAIza[\w*.…-]{4,}|\bAKIA[0-9A-Z]{8,}|\beyJ[\w.-]{10,}"
    r"|[\w-]*\*{3,}[\w*-]*"
    # UUIDs, traces, and what else is long and random: digits and letters mixed.
    r"|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"
    r"|\b(?=[A-Za-z]{0,30}[0-9])(?=[0-9]{0,30}[A-Za-z])[A-Za-z0-9]{20,}\b"
    # Where it lives.
    r"|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}"
    r"|\b(?:[a-z0-9-]{1,63}\.){1,6}(?:com|net|org|io|ai|dev|cloud|cn|app|co|eu|us|internal|local|lan|svc|test)\b(?::\d+)?"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?"
    r"|\blocalhost\b(?::\d+)?",
    re.ASCII,
)


def scrub(message: str, target: LiveTarget) -> str:
    text = _OURS.sub(_HIDDEN, message[: 2 * _LONGEST])[:_LONGEST]
    lowered = message.lower()
    if not text.strip() or "http" in lowered or any(_told(word, lowered) for word in _telling(target)):
        return _INSTEAD
    return text


def _telling(target: LiveTarget) -> Iterator[str]:
    """The words that would say who the upstream is, api.example.com's "example" among them."""
    provider, model = target.live.provider, target.target.model
    host = target.live.origin.split("://")[-1]
    for name in (model, model.rsplit("/", 1)[-1], provider.id, provider.label, host, host.rsplit(":", 1)[0]):
        yield name.lower()
    yield from _WORD.findall(f"{provider.id} {provider.label} {host}".lower())


def _told(word: str, text: str) -> bool:
    """Is it in the text? A short one counts only by itself: "up" is not in "upload"."""
    if len(word) > 3:
        return word in text
    return bool(word) and re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None
