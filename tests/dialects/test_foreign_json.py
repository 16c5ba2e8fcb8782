"""An upstream's error body is an object, or a fault that says what it is instead."""

import pytest

from conflux.dialects.foreign_json import error_object
from conflux.neutral.events import Fault


@pytest.mark.parametrize("body", [b'{"error":7}', b'[{"error":7}]', b'[{"error":7},{"error":8}]'])
def test_the_object_alone_or_first_of_a_list(body: bytes) -> None:
    assert error_object(400, body) == {"error": 7}


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'"\\ud800"', b'{"a":"\xff"}', b"[" * 100_000])
def test_what_cannot_be_read_is_a_fault(body: bytes) -> None:
    assert error_object(502, body) == Fault(message="the upstream answered something that is not JSON", status=502)


@pytest.mark.parametrize("body", [b"7", b'"text"', b"null", b"[]", b"[7]"])
def test_what_is_no_object_says_nothing(body: bytes) -> None:
    assert error_object(503, body) == Fault(message="", status=503)
