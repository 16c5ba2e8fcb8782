"""Every stream of the matrix, cut at 1, 7 and 4096 bytes and by chance, is the same events and the same answer.

Law: no socket. What the simulator would send is fed to the gateway's own reader, and to the lane behind it.
"""

import json
from collections.abc import Callable

import pytest

from conflux.dialects import DIALECTS
from conflux.dialects.base import NOWHERE, Lane, Shape, Wanted
from conflux.neutral.errors import GatewayError, Kind
from conflux.neutral.usage import Usage
from conflux.relay.lanes import CompatLane
from conflux.sim.answer import plan_for
from conflux.sim.app import DIALECTS as PLAYED
from conflux.sim.quirks import Quirks
from conflux.sim.script import Script
from tests.dialects.golden import cuts
from tests.interop.cases import CASES, FACES, REFUSED
from tests.interop.matrix import Cell, cells

BILLED = Usage(input=11, output=7)
STREAMS = [cell for cell in cells() if cell.stream and (cell.face, cell.case) not in REFUSED]


def played(body: bytes, path: str) -> bytes:
    """The simulator's whole stream."""
    speaks = next(dialect for ending, dialect in PLAYED if path.partition("?")[0].endswith(ending))
    ask = speaks.read(body, path, 0, Quirks())
    plan = plan_for(ask, Script(), {})
    stream, tokens = b"", 0
    for event, size in speaks.render(ask, plan, 1700000000, Quirks()).events():
        if plan.fault and tokens >= plan.fault_at:
            return stream + speaks.error_event("simulated error inside an answer")
        stream, tokens = stream + event, tokens + size
    return stream


def travels(cell: Cell) -> tuple[bytes, Callable[[], Lane], Callable[[], object]]:
    """The upstream's stream, and how a lane and a reader for it are made."""
    face, ours, theirs = FACES[cell.face], DIALECTS[cell.face], DIALECTS[cell.upstream]
    path = face.path("acme/m", True)
    envelope = ours.open(json.dumps(face.body("acme/m", CASES[cell.case].asked, True)).encode(),
                         ours.find(path) or NOWHERE)  # fmt: skip
    request = ours.read_request(envelope)
    wanted = Wanted(answer_id=f"{ours.id_prefix}ours", model="acme/m", created=1700000009, include_usage=True)
    shape = Shape(model="up", stream=True, max_output=envelope.max_output)
    passes = cell.face == cell.upstream and cell.lane == "auto"
    written = theirs.forward(envelope, shape) if passes else theirs.write_request(request, shape)

    def lane() -> Lane:
        if passes:
            return ours.passthrough(wanted)
        return CompatLane(theirs.reader(written.names), ours.writer(wanted, request))

    return played(written.body, theirs.path(shape)), lane, lambda: theirs.reader(written.names)


def handed_on(lane: Lane, pieces: list[bytes]) -> bytes:
    out = b"".join([lane.feed(piece) for piece in pieces]) + lane.end()
    if lane.tally.fault is not None:
        return out + lane.fail(GatewayError(Kind.UPSTREAM_FAILED, lane.tally.fault.message))
    return out + lane.last(BILLED)


@pytest.mark.parametrize("cell", STREAMS, ids=str)
def test_case_35_the_same_however_it_is_cut(cell: Cell) -> None:
    stream, lane, reader = travels(cell)
    whole = handed_on(lane(), [stream])
    seen = FACES[cell.face].streamed(whole)
    assert seen.stop == ("error" if cell.case == "error mid-stream" else seen.stop) != ""
    one = reader()
    events = one.feed(stream) + one.end()  # type: ignore[attr-defined]
    assert len(events) > 2
    for pieces in cuts(stream, str(cell)):
        assert handed_on(lane(), pieces) == whole
        other = reader()
        found = [event for piece in pieces for event in other.feed(piece)] + other.end()  # type: ignore[attr-defined]
        assert found == events
