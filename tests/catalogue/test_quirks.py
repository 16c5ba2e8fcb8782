"""A quirk that nobody reads is a mistake in the row."""

import re
from pathlib import Path
from typing import Any

import pytest

from conflux.catalogue.quirks import QUIRKS, check_quirks

SOURCES = Path(__file__).resolve().parents[2] / "src" / "conflux"


def problems(**quirks: Any) -> list[str]:
    found: list[str] = []
    check_quirks(quirks, lambda field, text: found.append(f"{field}: {text}"))
    return found


def test_right_ones_pass() -> None:
    assert problems(developer_role=False, reasoning="thinking", most_stops=2, refuses=["seed"], models_path="/x") == []
    assert problems(models_path=False, signed_call_models="gemini-3") == []


@pytest.mark.parametrize(
    ("quirks", "words"),
    [
        ({"develloper_role": False}, "quirks.develloper_role: there is no such quirk; there are "),
        ({"developer_role": "no"}, "quirks.developer_role: 'no' is not true or false"),
        ({"reasoning": "loudly"}, "quirks.reasoning: 'loudly' is not one of effort, object"),
        ({"most_stops": True}, "is not a whole number"),
        ({"refuses": "seed"}, "is not a list of texts"),
        ({"models_path": "x"}, "is not a path, or false"),
        ({"signed_call_models": ""}, "is not a text"),
    ],
)
def test_mistakes_are_told(quirks: dict[str, Any], words: str) -> None:
    (found,) = problems(**quirks)
    assert words in found


def test_each_is_read_somewhere() -> None:
    read = "".join(
        path.read_text() for floor in ("dialects", "relay", "upstream") for path in (SOURCES / floor).glob("*.py")
    )
    assert [name for name in QUIRKS if not re.search(rf'quirks(?:\.get\(|\[)"{name}"', read)] == []
