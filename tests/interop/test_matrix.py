"""Every client protocol over every upstream protocol: each cell is whole or refused by name, and the page says so."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from conflux.dialects import DIALECTS
from conflux.sim import app
from tests.interop.asked import Asked
from tests.interop.cases import CASES, FACES, UPSTREAMS
from tests.interop.compatibility import PAGE, outcomes, page
from tests.interop.matrix import Cell, Pair, cells, model_of, run, send, serving

GENERATES = DIALECTS.keys() - {"embeddings"}
CONVERSES = GENERATES - {
    "openai-completions"
}  # as an upstream it answers only its own clients: see test_completions.py


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with serving(tmp_path_factory.mktemp("matrix")) as made:
        yield made


@pytest.fixture(scope="module")
def found(pair: Pair) -> Mapping[Cell, str]:
    return outcomes(pair)


@pytest.mark.parametrize("cell", list(cells()), ids=str)
def test_cell(found: Mapping[Cell, str], cell: Cell) -> None:
    assert found[cell].startswith(("yes", "refused: ")), found[cell]


def test_the_page_says_what_the_cells_say(found: Mapping[Cell, str]) -> None:
    assert PAGE.read_text() == page(found), "docs/compatibility.md is stale: ./run compatibility writes it anew"


def test_none_is_missing() -> None:
    assert set(FACES) == GENERATES
    assert set(UPSTREAMS) == CONVERSES
    assert len(app.DIALECTS) >= len(UPSTREAMS)
    table = [cell for cell in cells() if cell.lane == "auto"]
    assert len(table) == len(set(table)) == len(FACES) * len(UPSTREAMS) * len(CASES) * 2


@pytest.mark.parametrize(("face", "spoils"), [
    ("openai-chat", lambda body: body.replace(b'"total_tokens":', b'"total_tokens":1')),
    ("openai-responses", lambda body: body.replace(b'"output_index":0', b'"output_index":1')),
    ("anthropic-messages", lambda body: body.replace(b"event: message_stop", b"event: other")),
    ("gemini", lambda body: body.replace(b'"responseId"', b'"answerId"')),
    ("openai-chat", lambda body: body.replace(b"data: [DONE]\n\n", b"")),
    ("openai-responses", lambda body: body.rpartition(b"event: ")[0]),
    ("anthropic-messages", lambda body: body.rpartition(b"event: ")[0]),
    ("gemini", lambda body: body.rpartition(b"data: ")[0]),
])  # fmt: skip
def test_a_reader_that_is_told_wrong_things_says_so(pair: Pair, face: str, spoils: Any) -> None:
    reader, case = FACES[face], CASES["plain"]
    model = "acme/openai-chat-auto"
    answer = send(pair, reader, reader.path(model, True), reader.body(model, case.asked, True))
    case.check(reader, reader.streamed(answer.body))
    with pytest.raises(Exception) as error:
        reader.streamed(spoils(answer.body))
    assert not isinstance(error.value, NameError)


def test_a_wrong_answer_is_no_yes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell("openai-chat", "gemini", "plain", False)
    monkeypatch.setitem(CASES, "plain", CASES["length"])
    assert run(pair, cell) == "yes"
    monkeypatch.setitem(CASES, "plain", CASES["length"]._replace(asked=CASES["images"].asked))
    with pytest.raises(AssertionError):
        run(pair, cell)


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("face", ["openai-responses", "anthropic-messages"])
def test_thousands_of_tokens_at_once_arrive_to_the_last(pair: Pair, face: str, upstream: str) -> None:
    """What the coding agents are sent: their own long stream is paced, as they lose some of what comes so fast."""
    client = FACES[face]
    path, body = client.path(model_of(upstream), True), client.body(model_of(upstream), Asked("[[stream: 3000]]"), True)
    seen = client.streamed(send(pair, client, path, body).body)
    assert seen.text.split() == [f"{number % 1000:03d}" for number in range(3000)]
    assert seen.stop == "end"
