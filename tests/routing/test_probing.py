"""No model is misjudged: honest, blind, dropping pictures, refusing, flapping, over a thousand seeds each."""

import contextlib
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from conflux.neutral.records import Capability
from conflux.routing.probing import EXAMINATIONS, LONGEST, ROOM, Examination, Question, Said, Verdict, refuses_images
from conflux.routing.swatches import COLOURS, swatch

SEEDS = range(1000)
Model = Callable[[Question, random.Random], Said]
PICTURES = {swatch(colour): colour for colour in COLOURS}


def examined(capability: Capability, model: Model, seed: int) -> Verdict:
    chance = random.Random(f"probe {seed}")
    examination: Examination = EXAMINATIONS[capability](chance.randrange)
    question = next(examination)
    while True:
        try:
            question = examination.send(model(question, chance))
        except StopIteration as end:
            found: Verdict = end.value
            return found


def answered(text: str = "", *calls: tuple[str, str]) -> Said:
    return Said(kind="answered", text=text, calls=calls)


def seen(question: Question) -> str | None:
    content = question["messages"][0]["content"]
    return None if isinstance(content, str) else PICTURES[content[1]["image_url"]["url"]]


def sees(question: Question, chance: random.Random) -> Said:
    colour = seen(question)
    return answered("I see no picture." if colour is None else chance.choice((colour, f"{colour.title()}.")))


def sees_and_imagines(question: Question, chance: random.Random) -> Said:
    return answered(seen(question) or chance.choice(list(COLOURS)))


def guesses(question: Question, chance: random.Random) -> Said:
    return answered(chance.choice(list(COLOURS)))


def guesses_slyly(question: Question, chance: random.Random) -> Said:
    """Says nothing without a picture, so that it passes for one that sees."""
    return answered(chance.choice(list(COLOURS)) if seen(question) else "There is no picture.")


def names_all(question: Question, chance: random.Random) -> Said:
    return answered(", ".join(COLOURS))


def drops(question: Question, chance: random.Random) -> Said:
    return answered("Please send the picture: I see none.")


def refuses(question: Question, chance: random.Random) -> Said:
    if seen(question) is None:
        return answered("Which picture?")
    return Said(kind="refused", text="This model does not support image input.")


SILENT = Said(kind="silent", text="status 503")


def flapping(model: Model) -> Model:
    return lambda question, chance: SILENT if chance.random() < 0.3 else model(question, chance)


@pytest.mark.parametrize(("model", "allowed"), [
    (sees, {True}), (sees_and_imagines, {True}), (guesses, {False}), (names_all, {False}), (drops, {False}),
    (refuses, {False}), (flapping(sees), {True, None}), (flapping(drops), {False, None}),
], ids=["sees", "imagines", "guesses", "names all", "drops", "refuses", "flaps, sees", "flaps, drops"])  # fmt: skip
def test_no_eye_is_misjudged(model: Model, allowed: set[bool | None]) -> None:
    found = [examined(Capability.VISION, model, seed).holds for seed in SEEDS]
    assert set(found) <= allowed and found.count(None) < 980


def test_who_guesses_only_where_there_is_a_picture_passes_one_time_in_five_hundred() -> None:
    """What three pictures leave open: nobody is known to do so, and the evidence says on what the yes stands."""
    found = [examined(Capability.VISION, guesses_slyly, seed).holds for seed in SEEDS]
    assert found.count(True) <= 6


def test_one_slip_is_made_good() -> None:
    slipped: list[int] = []

    def slips(question: Question, chance: random.Random) -> Said:
        if seen(question) and not slipped:
            slipped.append(1)
            return answered("It may be turquoise.")
        return sees(question, chance)

    assert examined(Capability.VISION, slips, 1).holds is True


@pytest.mark.parametrize("text", ["Your credit is spent.", "max_tokens is too large", "temperature: not supported"])
@pytest.mark.parametrize("capability", EXAMINATIONS)
def test_a_refusal_of_something_else_says_nothing(capability: Capability, text: str) -> None:
    def refuses(question: Question, chance: random.Random) -> Said:
        return Said(kind="refused", text=text)

    assert examined(capability, refuses, 1).holds is None


def nonce(question: Question) -> str:
    if "tools" in question:
        words: str = question["messages"][0]["content"]
        return words.rstrip(".").split()[-1]
    found: str = question["response_format"]["json_schema"]["schema"]["properties"]["word"]["enum"][0]
    return found


def word(text: str) -> str:
    return json.dumps({"word": text})


OBEYS: dict[Capability, Model] = {
    Capability.TOOLS: lambda question, _: answered("", ("echo", word(nonce(question)))),
    Capability.STRUCTURED_OUTPUTS: lambda question, _: answered(word(nonce(question))),
}
IGNORES: dict[Capability, list[Any]] = {
    Capability.TOOLS: [answered("Sure, a nice word."), answered("", ("echo", word("hello"))),
                       answered("", ("echo", "{")), answered("", ("other", word("hello")))],
    Capability.STRUCTURED_OUTPUTS: [answered("Hello"), answered(word("Hello")), answered("[1]"), answered("[" * 9999)],
}  # fmt: skip
NAMES = {Capability.TOOLS: "tools are not supported", Capability.STRUCTURED_OUTPUTS: "response_format is unavailable"}


@pytest.mark.parametrize("capability", OBEYS)
def test_no_hand_is_misjudged(capability: Capability) -> None:
    obeys, ignored = OBEYS[capability], IGNORES[capability]
    for seed in SEEDS:
        assert examined(capability, obeys, seed).holds is True
        assert examined(capability, lambda _, chance: chance.choice(ignored), seed).holds is False
        assert examined(capability, flapping(obeys), seed).holds in (True, None)
        refusal = Said(kind="refused", text=NAMES[capability])
        assert examined(capability, lambda *_, said=refusal: said, seed).holds is False


@pytest.mark.parametrize("capability", EXAMINATIONS)
def test_what_fails_never_flips_anything_and_the_evidence_says_why(capability: Capability) -> None:
    found = examined(capability, lambda *_: SILENT, 1)
    assert found.holds is None and "503" in found.evidence[-1]


def test_the_evidence_is_what_was_shown_and_said() -> None:
    found = examined(Capability.VISION, sees, 4)
    assert len(found.evidence) == 4 and all(
        one.split(":")[0] in one.split(":", 1)[1].lower() for one in found.evidence[1:]
    )


@pytest.mark.parametrize(
    ("text", "of_its_eyes"),
    [
        ("this model does not support image input", True),
        ("Invalid content type. image_url is only supported by certain models.", True),
        ("No endpoints found that support image input", True),
        ("unknown variant `image_url`, expected `text`", True),
        ("it is not a multimodal model", True),
        ("Invalid image data: the image could not be decoded", False),
        ("Image size is 6 MB, the maximum is 5 MB", False),
        ("image_url: could not download https://a.test/a.png", False),
        ("the image's URL cannot be fetched", False),
        ("unsupported image format", False),
        ("temperature is too high", False),
    ],
)
def test_a_refusal_of_one_picture_says_nothing_of_the_eyes(text: str, of_its_eyes: bool) -> None:
    assert refuses_images(text) is of_its_eyes


@pytest.mark.parametrize("capability", EXAMINATIONS)
def test_no_question_is_longer_than_is_reckoned_with(capability: Capability) -> None:
    """And none asks for more room than that, nor shows more than one picture."""
    longest = 0
    for seed in range(50):
        asked = EXAMINATIONS[capability](random.Random(seed).randrange)
        with contextlib.suppress(StopIteration):
            question = next(asked)
            while True:
                text = json.dumps(question)
                longest = max(longest, len(text))
                assert question["max_tokens"] == ROOM and text.count('"image_url"}') <= 1
                question = asked.send(answered("wrong" if "image" in text else "red"))
    assert 0 < longest <= LONGEST
