"""Events as the wire has them."""

import json

import pytest

from conflux.dialects.anthropic_answer_wire import fault_of, read_event
from conflux.neutral.events import Fault


def test_an_event_of_the_protocol_passes_as_it_came() -> None:
    payload = b'{"type":"content_block_delta", "index":0,"delta":{"type":"new_delta","future":1}}'
    event, passed = read_event(payload)
    assert passed is payload and event.delta is not None and event.delta.type == "new_delta"


def test_what_is_not_the_protocols_own_does_not() -> None:
    event, passed = read_event(b'{"type":"ping","provider":"Up","request_id":"r","index":3}')
    assert json.loads(passed) == {"type": "ping", "index": 3} and event.type == "ping"


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"type": "overloaded_error", "message": "m"}, Fault(message="m", code="overloaded_error", status=529)),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "m"}},
         Fault(message="m", code="rate_limit_error", status=429)),
        ({"code": 7, "detail": "d"}, Fault(message="d", code="7")),
        ("text", Fault(message="text")),
    ],
)  # fmt: skip
def test_errors_in_their_several_shapes(value: object, fault: Fault) -> None:
    assert fault_of(value) == fault
