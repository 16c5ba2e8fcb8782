"""The matrix: every client protocol over every upstream protocol, every case, streamed and not.

Law: the real program in a process of its own, the simulator behind it, plain HTTP before it. One server for all cells.
`run` judges one cell and says what is written of it: "yes", with what was named as left out, or "refused: field".
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple

from conflux.sim.server import SimServer
from tests.interop.asked import Face, Seen
from tests.interop.cases import CASES, FACES, REFUSED, UPSTREAMS, common
from tests.system.serving import Answer, Served
from tests.system.upstreams import Background

CAPABILITIES = '"text", "tools", "vision", "files", "completions", "json_mode", "structured_outputs", "reasoning"'
LANES = ("auto", "compat")
_TRIES = 3


class Cell(NamedTuple):
    face: str
    upstream: str
    case: str
    stream: bool
    lane: str = "auto"

    def __str__(self) -> str:
        text = f"{self.face}-over-{self.upstream}-{self.case.replace(' ', '-')}-{'stream' if self.stream else 'whole'}"
        return text if self.lane == "auto" else f"{text}-{self.lane}"


def cells() -> Iterator[Cell]:
    """Beside the table: the same protocol at both ends, translated all the same."""
    for face, upstream, case, stream in product(FACES, UPSTREAMS, CASES, (False, True)):
        yield Cell(face, upstream, case, stream)
        if face == upstream:
            yield Cell(face, upstream, case, stream, "compat")


def model_of(upstream: str, lane: str = "auto") -> str:
    return f"acme/{upstream}-{lane}"


def config(port: int) -> str:
    text = ""
    for (dialect, below), lane in product(UPSTREAMS.items(), LANES):
        name = f"{dialect}-{lane}"
        text += (
            f'[[provider]]\nid = "{name}"\ndialect = "{dialect}"\nlane = "{lane}"\n'
            f'base_url = "http://127.0.0.1:{port}{below}"\n'
            f'[[pool]]\nid = "{name}"\n[[pool.target]]\nprovider = "{name}"\nmodel = "up-{name}"\n'
        ) + model_row(model_of(dialect, lane), name)
    return text


def model_row(name: str, pool: str) -> str:
    return (
        f'[[model]]\nid = "{name}"\npool = "{pool}"\nstorefront = "conflux"\ncontext = 100000\n'
        f'capabilities = [{CAPABILITIES}]\nprice = {{ input = "1.00", output = "2.00" }}\n'
    )


class Pair(NamedTuple):
    """The gateway, and a key for it."""

    served: Served
    key: str
    port: int  # the simulator's


@contextmanager
def serving(folder: Path | None = None, more: str = "") -> Iterator[Pair]:
    """`more`: at the end of the configuration."""
    with tempfile.TemporaryDirectory() as made:
        background = Background()
        sim = SimServer()
        background.run(sim.start())
        served = Served(folder or Path(made), config(sim.port) + more).start()
        try:
            yield Pair(served, served.key(name="matrix"), sim.port)
        finally:
            served.stop()
            background.run(sim.stop())
            background.close()


def send(pair: Pair, face: Face, path: str, body: object) -> Answer:
    headers = {"x-goog-api-key": pair.key} if face.name == "gemini" else {"authorization": f"Bearer {pair.key}"}
    # Another model must not answer for the one that is asked.
    return pair.served.call("POST", path, body, headers={**headers, "x-conflux-fallback": "off"})


def run(pair: Pair, cell: Cell) -> str:
    face, case, model = FACES[cell.face], CASES[cell.case], model_of(cell.upstream, cell.lane)
    path, body = face.path(model, cell.stream), face.body(model, case.asked, cell.stream)
    answer = send(pair, face, path, body)
    for _ in range(_TRIES):
        if cell.case == "error mid-stream" and cell.stream and answer.status == 502:
            answer = send(pair, face, path, body)  # what was said and its failure were read at once: no stream yet
    field = REFUSED.get((cell.face, cell.case))
    if field is not None:
        assert answer.status == 400, (answer.status, answer.body)
        said = face.complaint(answer.body)
        assert field in said, said
        return f"refused: {field}"
    if cell.case == "error mid-stream" and not cell.stream:
        assert answer.status >= 500, (answer.status, answer.body)
        assert face.complaint(answer.body)
        return _said(answer)
    seen = _read(face, answer, cell.stream)
    case.check(face, seen)
    if seen.stop == "error":
        return _said(answer)
    common(face, seen, model)
    if case.results:
        more = send(pair, face, path, face.again(body, seen, list(case.results)))
        after = _read(face, more, cell.stream)
        assert "; ".join(case.results) in after.text and after.stop == "end", after
        common(face, after, model)
    return _said(answer)


def _read(face: Face, answer: Answer, stream: bool) -> Seen:
    assert answer.status == 200, (answer.status, answer.body)
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind == ("text/event-stream" if stream else "application/json")
    return face.streamed(answer.body) if stream else face.whole(answer.body)


def _said(answer: Answer) -> str:
    dropped = answer.headers.get("x-conflux-dropped")
    return f"yes, without {dropped}" if dropped else "yes"
