"""Validation errors in plain words."""

from typing import Any

import msgspec
import pytest

from conflux.dialects.complaints import complaint


class Inner(msgspec.Struct, tag_field="kind", tag="inner"):
    a: int


class Outer(msgspec.Struct, tag_field="kind", tag="outer"):
    b: dict[str, int]


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    one: list[Inner | Outer] = []
    two: dict[str, list[int]] = {}


def told(body: Any, **known: tuple[str, str]) -> tuple[str, str | None]:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(body, Strict)
    error = complaint(str(caught.value), body, known)
    return error.message, error.param


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({"one": [{"kind": "x"}]}, "one[0].kind: unknown value 'x'", "one[0].kind"),
        ({"one": [{"kind": "inner"}]}, "one[0].a is missing", "one[0].a"),
        ({"one": [{"kind": "inner", "a": "b"}]}, 'one[0].a: must be a whole number, not "b"', "one[0].a"),
        (
            {"one": [{"kind": "outer", "b": {"k": None}}]},
            "one[0].b[...]: must be a whole number, not null",
            "one[0].b[...]",
        ),
        ({"two": {"k": [1, []]}}, "two[...][1]: must be a whole number, not a list", "two[...][1]"),
        ({"three": 1}, "object contains unknown field three", None),
        ([], "must be an object, not a list", None),
    ],
)
def test_told(body: Any, message: str, param: str | None) -> None:
    assert told(body) == (message, param)


def test_what_is_known_of_a_field_is_said() -> None:
    message, _ = told({"one": [{"kind": "x"}]}, kind=("kind of thing", "inner, outer"))
    assert message == "one[0].kind: unknown kind of thing 'x'; it is one of inner, outer"


def test_a_long_value_is_cut_short() -> None:
    message, _ = told({"one": "x" * 1000})
    assert message == 'one: must be a list, not "' + "x" * 56 + "..."


def test_words_of_the_library_that_are_new_to_us_are_passed_on() -> None:
    error = complaint("Something `quite` new - at `$.a[0].b`", {"a": [{"b": 1}]}, {})
    assert (error.message, error.param) == ("a[0].b: something quite new", "a[0].b")
    assert complaint("Something else", {}, {}).param is None
