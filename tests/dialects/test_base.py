"""What every dialect in the table offers."""

import inspect

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import AnswerReader, AnswerWriter, Dialect, Lane, Tally, Wanted
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.request import Request

WANTED = Wanted(answer_id="a", model="m", created=1)


def test_a_tally_knows_nothing_at_first() -> None:
    tally = Tally()
    found = {name: getattr(tally, name) for name in Tally.__struct_fields__}
    assert not any(found.values())
    assert tally.usage is None
    assert tally.fault is None
    with pytest.raises(AttributeError):
        tally.other = 1  # type: ignore[attr-defined]


def offered(protocol: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(protocol, inspect.isfunction) if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_dialect_offers_all_that_the_relay_asks_for(name: str) -> None:
    dialect = DIALECTS[name]
    assert dialect.name == name
    assert all(callable(getattr(dialect, method)) for method in offered(Dialect))
    assert all(callable(getattr(dialect.passthrough(WANTED), method)) for method in offered(Lane))
    assert dialect.passthrough(WANTED).tally is not dialect.passthrough(WANTED).tally


@pytest.mark.parametrize("name", sorted(DIALECTS.keys() - {"embeddings"}))
def test_a_dialect_of_conversations_reads_and_writes_them(name: str) -> None:
    dialect = DIALECTS[name]
    for made, protocol in (
        (dialect.reader({}), AnswerReader),
        (dialect.writer(WANTED, Request(dialect=name, messages=())), AnswerWriter),
    ):
        assert all(callable(getattr(made, method)) for method in offered(protocol))
    assert dialect.reader({}).tally is not dialect.reader({}).tally


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("kind", list(Kind))
def test_a_dialect_can_say_every_error(name: str, kind: Kind) -> None:
    status, body = DIALECTS[name].error(GatewayError(kind, "words"), "openai")
    assert 400 <= status < 600
    assert b"words" in body
    assert b"words" in DIALECTS[name].error_event(GatewayError(kind, "words"))
