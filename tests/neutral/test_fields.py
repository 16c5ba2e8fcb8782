"""A refused field is called as the client wrote it."""

import pytest

from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.fields import Field, Refused, Words, called, worded

WORDS: Words = {
    Field.STOP: ("config.stopSequences",),
    Field.EFFORT: ("effort", "config.thinking"),
    Field.SCHEMA: ("config.schema",),
}


@pytest.mark.parametrize(("field", "within", "body", "name"), [
    (Field.STOP, "", {"config": {"stopSequences": []}}, "config.stopSequences"),
    (Field.STOP, "", {"config": {"stop_sequences": []}}, "config.stop_sequences"),
    (Field.STOP, "", {}, "config.stopSequences"),
    (Field.STOP, "", None, "config.stopSequences"),
    (Field.EFFORT, "", {"config": {"thinking": 1}}, "config.thinking"),
    (Field.EFFORT, "", {"effort": 1, "config": {"thinking": 1}}, "effort"),
    (Field.SCHEMA, "properties.a", {"config": {"schema": {}}}, "config.schema.properties.a"),
    (Field.CHOICES, "", {"n": 2}, "n"),
])  # fmt: skip
def test_a_field_is_called_as_it_was_written(field: Field, within: str, body: object, name: str) -> None:
    error = worded(Refused(Kind.UNSUPPORTED, field, "{field}: no: leave {field} out", within=within), WORDS, body)
    assert (error.param, error.message, str(error)) == (name, f"{name}: no: leave {name} out", error.message)


def test_until_it_is_worded_it_has_the_common_name() -> None:
    error = Refused(Kind.INVALID, Field.STOP, "{field}: too many", code="c", retry_after=2)
    assert (error.param, error.message, error.code, error.wait) == ("stop", "stop: too many", "c", 2)
    other = GatewayError(Kind.INVALID, "{field}", param="stop")
    assert worded(other, WORDS) is other and other.message == "{field}"


def test_what_was_left_out_is_called_as_it_was_written_and_once() -> None:
    body: dict[str, object] = {"config": {"stopSequences": [], "thinking": {}}}
    assert called(["stop", "seed", "reasoning_effort", "config.thinking"], WORDS, body) == (
        "config.stopSequences", "seed", "config.thinking")  # fmt: skip
    assert called(["stop"], WORDS, {}) == ("stop",)
    assert called(["reasoning_effort.more.yet", "tools.strict"], WORDS, body) == (
        "config.thinking.more.yet", "tools.strict")  # fmt: skip
