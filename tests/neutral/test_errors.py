"""The one tree of errors."""

import inspect

import pytest

from conflux.neutral import errors
from conflux.neutral.errors import ConfigError, GatewayError, IdTaken, Kind, NoSuch, StoreError, TransportError, invalid


def test_a_gateway_error_keeps_what_it_was_told() -> None:
    error = GatewayError(Kind.RATE_LIMITED, "slow down", param="p", code="c", retry_after=1.5, details={"a": 1})
    assert (error.kind, error.message, str(error)) == (Kind.RATE_LIMITED, "slow down", "slow down")
    assert (error.param, error.code, error.retry_after, error.details) == ("p", "c", 1.5, {"a": 1})
    plain = GatewayError(Kind.INTERNAL, "oh")
    assert (plain.param, plain.code, plain.retry_after, plain.details) == (None, None, None, None)


@pytest.mark.parametrize(("after", "wait"), [(None, None), (0.2, 1), (1.6, 2), (30, 30)])
def test_a_wait_is_told_in_whole_seconds_beside_the_other_headers(after: float | None, wait: int | None) -> None:
    error = GatewayError(Kind.UNAVAILABLE, "busy", retry_after=after)
    error.headers.append((b"x-a", b"1"))
    assert error.wait == wait
    assert error.told() == [(b"x-a", b"1")] + ([] if wait is None else [(b"retry-after", b"%d" % wait)])
    assert error.headers == [(b"x-a", b"1")]


def test_invalid_is_short_for_the_commonest() -> None:
    error = invalid("m", "p", "c")
    assert (error.kind, error.message, error.param, error.code) == (Kind.INVALID, "m", "p", "c")


def test_a_transport_error_knows_how_far_it_came() -> None:
    error = TransportError("connect", "refused", sent=False, answered=False)
    assert (str(error), error.stage, error.reason) == ("connect: refused", "connect", "refused")
    assert (error.sent, error.answered, error.timeout) == (False, False, False)
    late = TransportError("body", "idle", sent=True, answered=True, timeout=True)
    assert (late.sent, late.answered, late.timeout) == (True, True, True)


def test_a_configuration_error_tells_all_its_problems() -> None:
    error = ConfigError(["a.toml: one", "b.toml: two"])
    assert error.problems == ["a.toml: one", "b.toml: two"]
    assert str(error) == "a.toml: one\nb.toml: two"


def test_every_error_stands_in_the_tree() -> None:
    found = {value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, BaseException)}
    assert found == {GatewayError, TransportError, StoreError, IdTaken, ConfigError, NoSuch}
    assert all(value.__doc__ for value in found)


@pytest.mark.parametrize("kind", list(Kind))
def test_kinds_are_words(kind: Kind) -> None:
    assert kind.value == kind.name.lower()
