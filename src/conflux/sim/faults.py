"""Every way to misbehave, by name.

Law: a fault looks on the wire like the real one: a reset aborts the connection, a stall sends nothing, a broken answer
breaks where its plan says. Three tables by the moment it strikes: before the answer, in a plain answer, in a stream.
A fault in a table ends the request.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from conflux.sim.line import Headers, Line
from conflux.sim.markers import FAULTS

_TURN = 64 * 1024
_FIELDS = (b'"content":"', b'"text":"', b'"arguments":"', b'"reasoning_content":"', b'"refusal":"', b'"id":"')


class Hit(msgspec.Struct, frozen=True):
    """What a fault has at hand."""

    line: Line
    head: Headers
    data: bytes  # the whole plain answer, or the event whose turn it is
    text_event: Callable[[], bytes]
    error: bytes  # in the dialect's words, fit for the place


Fault = Callable[[Hit], Awaitable[None]]


async def _reset(hit: Hit) -> None:
    await hit.line.abort()


async def _stall(hit: Hit) -> None:
    await hit.line.stall()


async def _html(hit: Hit) -> None:
    page = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
    head = [field for field in hit.head if field[0] != b"content-type"]
    await hit.line.reply(200, page, [*head, (b"content-type", b"text/html")])


async def _empty(hit: Hit) -> None:
    await hit.line.reply(200, b"", hit.head)


async def _reset_after_head(hit: Hit) -> None:
    await _sized_head(hit)
    await hit.line.abort()


async def _reset_half(hit: Hit) -> None:
    await _half(hit)
    await hit.line.abort()


async def _stall_half(hit: Hit) -> None:
    await _half(hit)
    await hit.line.stall()


async def _cut_answer(hit: Hit) -> None:
    await hit.line.reply(200, hit.data[: len(hit.data) // 2], hit.head)


async def _spoilt_answer(hit: Hit) -> None:
    await hit.line.reply(200, _spoilt(hit.data), hit.head)


async def _error_answer(hit: Hit) -> None:
    await hit.line.reply(200, hit.error, hit.head)


async def _endless_answer(hit: Hit) -> None:
    await hit.line.head(200, hit.head)
    await hit.line.write(b'{"id":"')
    await _forever(hit, lambda: b"x" * _TURN)


async def _sized_head(hit: Hit) -> None:
    await hit.line.head(200, [*hit.head, (b"content-length", str(len(hit.data)).encode())])


async def _half(hit: Hit) -> None:
    """The head promises all of it."""
    await _sized_head(hit)
    await hit.line.write(hit.data[: len(hit.data) // 2])


async def _close(hit: Hit) -> None:
    """A polite end where none should be."""
    await hit.line.write(b"", more=False)


async def _malformed_event(hit: Hit) -> None:
    await hit.line.write(b"data: {not json\n\n", more=False)


async def _cut_event(hit: Hit) -> None:
    await hit.line.write(hit.data[: len(hit.data) // 2], more=False)


async def _spoilt_event(hit: Hit) -> None:
    await hit.line.write(_spoilt(hit.data), more=False)


async def _error_event(hit: Hit) -> None:
    await hit.line.write(hit.error, more=False)


async def _endless_line(hit: Hit) -> None:
    await hit.line.write(b"data: ")
    await _forever(hit, lambda: b"x" * _TURN)


async def _endless_events(hit: Hit) -> None:
    event = hit.text_event()
    turn = event * (_TURN // len(event) + 1)
    await _forever(hit, lambda: turn)


async def _forever(hit: Hit, more: Callable[[], bytes]) -> None:
    while not hit.line.lost:
        await hit.line.write(more())
        await asyncio.sleep(0)


def _spoilt(data: bytes) -> bytes:
    """Two bytes that no UTF-8 has, inside a string."""
    for field in _FIELDS:
        if field in data:
            return data.replace(field, field + b"\xff\xfe", 1)
    return b"\xff\xfe" + data


BEFORE: dict[str, Fault] = {"reset-before": _reset, "stall-before": _stall, "html": _html, "empty": _empty}

IN_ANSWER: dict[str, Fault] = {
    "reset-after-head": _reset_after_head,
    "reset-mid": _reset_half,
    "close-mid": _reset_half,  # a promised length that is not kept is a reset to everybody
    "stall-mid": _stall_half,
    "malformed-sse": _cut_answer,
    "truncated-json": _cut_answer,
    "bad-utf8": _spoilt_answer,
    "error-event": _error_answer,
    "endless": _endless_answer,
    "endless-events": _endless_answer,
}

IN_STREAM: dict[str, Fault] = {
    "reset-after-head": _reset,
    "reset-mid": _reset,
    "close-mid": _close,
    "stall-mid": _stall,
    "malformed-sse": _malformed_event,
    "truncated-json": _cut_event,
    "bad-utf8": _spoilt_event,
    "error-event": _error_event,
    "endless": _endless_line,
    "endless-events": _endless_events,
}

# Named in markers.py, played by the plan alone: the answer is whole, only the model's name is wrong.
PLANNED = frozenset(FAULTS) - BEFORE.keys() - IN_STREAM.keys()
