"""The words of HTTP on the short way."""

from http import HTTPStatus

from conflux.dialects.openai_errors import status_of
from conflux.faces.short_way import STATUS_LINES, announced
from conflux.neutral.errors import Kind


def test_an_announced_length() -> None:
    assert announced([(b"host", b"a")]) == 0
    assert announced([(b"content-length", b"17")]) == 17


def test_every_status_has_its_line() -> None:
    assert {int(one) for one in HTTPStatus} <= STATUS_LINES.keys()
    assert {status_of(kind) for kind in Kind} <= STATUS_LINES.keys()
    for status, line in STATUS_LINES.items():
        assert line.startswith(b"HTTP/1.1 %d " % status) and line.endswith(b"\r\n")
