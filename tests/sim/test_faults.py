"""Every way to misbehave, seen by the simplest client, streamed and not, on both event loops."""

import asyncio
import json
from collections.abc import Callable

import pytest
import uvloop

from conflux.sim import faults
from conflux.sim.markers import FAULTS
from conflux.sim.server import SimServer
from tests.sim.client import Answer, chat, request, say, until

TEXT = "[[say: aaaabbbbccccdddd]] "
FORMS = pytest.mark.parametrize("stream", [False, True])


async def fail(sim: SimServer, fault: str, stream: bool) -> Answer:
    answer = await say(sim.port, f"{TEXT}[[fail: {fault}]]", stream=stream)
    await until(lambda: sim.log.open == 0)
    assert sim.log.records[-1].ended == (f"status {fault.split()[0]}" if answer.status >= 400 else fault.split()[0])
    assert sim.log.records[-1].bytes == len(answer.body)
    return answer


def said(answer: Answer) -> str:
    """The text of the events that arrived whole."""
    whole = answer.body[: answer.body.rfind(b"\n\n") + 2].split(b"\n\n")[:-1]
    chunks = [json.loads(event.removeprefix(b"data: ")) for event in whole]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def test_every_fault_is_played_somewhere() -> None:
    assert {"wrong-model"} == faults.PLANNED
    assert set(faults.IN_STREAM) == set(faults.IN_ANSWER)
    assert set(FAULTS) == set(faults.BEFORE) | set(faults.IN_STREAM) | faults.PLANNED
    assert not set(faults.BEFORE) & set(faults.IN_STREAM)


@FORMS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 429, 500, 502, 503, 529, 599])
async def test_a_status(sim: SimServer, status: int, stream: bool) -> None:
    answer = await fail(sim, f"{status} code=c retry-after=Wed, 21 Oct 2026 07:28:00 GMT", stream)
    assert (answer.status, answer.whole) == (status, True)
    assert answer.json["error"]["code"] == "c"
    assert answer.headers["retry-after"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-conflux-simulated"] == "true"


@FORMS
async def test_a_status_says_retry_after_only_when_told(sim: SimServer, stream: bool) -> None:
    assert "retry-after" not in (await fail(sim, "429", stream)).headers


@FORMS
async def test_reset_before(sim: SimServer, stream: bool) -> None:
    answer = await fail(sim, "reset-before", stream)
    assert answer.reset and answer.raw == b""


@FORMS
async def test_reset_after_head(sim: SimServer, stream: bool) -> None:
    answer = await fail(sim, "reset-after-head", stream)
    assert answer.reset and answer.status == 200 and answer.body == b""


async def test_reset_in_an_answer(sim: SimServer) -> None:
    answer = await fail(sim, "reset-mid", stream=False)
    assert answer.reset and 0 < len(answer.body) < int(answer.headers["content-length"])


@pytest.mark.parametrize(("after", "text"), [(0, ""), (1, "aaaa"), (3, "aaaabbbbcccc"), (99, "aaaabbbbccccdddd")])
async def test_reset_in_a_stream_strikes_after_so_many_tokens(sim: SimServer, after: int, text: str) -> None:
    answer = await fail(sim, f"reset-mid {after}", stream=True)
    assert answer.reset and not answer.whole
    assert said(answer) == text
    assert sim.log.records[-1].tokens == len(text) // 4
    assert b'"finish_reason":"stop"' not in answer.body


async def test_a_long_stream_arrives_before_its_reset(sim: SimServer) -> None:
    answer = await say(sim.port, "[[stream: 3000]] [[fail: reset-mid 2500]]", stream=True)
    assert answer.reset and len(said(answer)) == 2500 * 4
    assert sim.log.records[-1].tokens == 2500


async def test_what_was_said_well_arrives_before_the_fault(sim: SimServer) -> None:
    """Else a gateway would see both at once, and never have to fail in the middle."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(request(json.dumps(chat(f"{TEXT}[[fail: error-event 2]]", stream=True)).encode()))
    await reader.readuntil(b"\r\n\r\n")
    first = await reader.read(1 << 20)
    assert b"bbbb" in first and b"error" not in first
    assert b'"error"' in await reader.read()
    writer.close()


async def test_a_polite_end_in_the_middle(sim: SimServer) -> None:
    answer = await fail(sim, "close-mid 2", stream=True)
    assert not answer.reset and answer.whole and said(answer) == "aaaabbbb"
    assert (await fail(sim, "close-mid", stream=False)).reset


@FORMS
@pytest.mark.parametrize("fault", ["stall-before", "stall-mid 2"])
async def test_a_stall_lasts_until_the_client_leaves(sim: SimServer, fault: str, stream: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(request(json.dumps(chat(f"{TEXT}[[fail: {fault}]]", stream=stream)).encode()))
    if fault == "stall-before":
        await until(lambda: len(sim.log.records) == 1)
    else:
        arrived = await reader.readuntil(b"bbbb" if stream else b'"id":')
        assert arrived.startswith(b"HTTP/1.1 200")
        assert sim.log.records[0].tokens == (2 if stream else 0)
    assert sim.log.records[0].ended == "open"
    writer.close()
    await until(lambda: sim.log.open == 0)
    assert sim.log.records[0].ended == fault.split()[0]
    await until(lambda: sim.connections == 0)


async def test_broken_json_in_an_answer(sim: SimServer) -> None:
    for fault in ("truncated-json", "malformed-sse"):
        answer = await fail(sim, fault, stream=False)
        assert answer.whole and answer.status == 200
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.body)


async def test_a_broken_event(sim: SimServer) -> None:
    answer = await fail(sim, "malformed-sse 2", stream=True)
    assert answer.whole and answer.lines[-1] == b"{not json"
    assert said(Answer(body=answer.body.replace(b"data: {not json\n\n", b""))) == "aaaabbbb"


async def test_an_event_cut_in_the_middle(sim: SimServer) -> None:
    answer = await fail(sim, "truncated-json 2", stream=True)
    assert answer.whole and said(answer) == "aaaabbbb"
    assert answer.body.rpartition(b"\n\n")[2].startswith(b'data: {"id":"chatcmpl-')


@FORMS
async def test_bytes_that_are_no_text(sim: SimServer, stream: bool) -> None:
    answer = await fail(sim, "bad-utf8 1", stream)
    assert b'"content":"\xff\xfe' in answer.body and answer.whole
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode()


@FORMS
async def test_bytes_that_are_no_text_where_there_is_none(sim: SimServer, stream: bool) -> None:
    answer = await say(sim.port, "[[say:]] [[fail: bad-utf8 9]]", stream=stream)
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode()


@FORMS
async def test_html(sim: SimServer, stream: bool) -> None:
    answer = await fail(sim, "html", stream)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
    assert answer.body.startswith(b"<html>") and answer.whole


@FORMS
async def test_nothing_at_all(sim: SimServer, stream: bool) -> None:
    answer = await fail(sim, "empty", stream)
    assert (answer.status, answer.body, answer.whole) == (200, b"", True)


async def test_an_error_inside(sim: SimServer) -> None:
    answer = await fail(sim, "error-event 1", stream=True)
    assert answer.status == 200 and answer.whole
    assert json.loads(answer.lines[-1])["error"]["type"] == "server_error"
    assert sim.log.records[-1].tokens == 1
    answer = await fail(sim, "error-event", stream=False)
    assert answer.status == 200 and "error" in answer.json


@FORMS
async def test_another_models_name(sim: SimServer, stream: bool) -> None:
    answer = await say(sim.port, "[[fail: wrong-model]]", stream=stream)
    assert {one["model"] for one in (answer.chunks if stream else [answer.json])} == {"another-model-entirely"}
    assert sim.log.records[-1].ended == "done"


@pytest.mark.parametrize(
    ("fault", "stream", "never"),
    [("endless", False, b"\n"), ("endless", True, b"\n"), ("endless-events", True, b"finish_reason\":\"stop")],
)  # fmt: skip
async def test_an_answer_without_an_end(sim: SimServer, fault: str, stream: bool, never: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(request(json.dumps(chat(f"[[fail: {fault} 0]]", stream=stream)).encode()))
    await reader.readuntil(b"\r\n\r\n")
    received = b""
    while len(received) < 3_000_000:
        received += await reader.read(1 << 20)
    assert never not in received.replace(b"\r\n", b"")
    writer.close()
    await until(lambda: sim.log.open == 0)
    assert sim.log.records[0].ended == fault
    # The reader set the pace: little more was made than was read.
    assert sim.log.records[0].bytes < len(received) + 16_000_000


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_resets_are_real_on_both_loops(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def run() -> list[tuple[bool, int, str]]:
        sim = SimServer()
        port = await sim.start()
        seen = []
        for fault in ("reset-before", "reset-after-head", "reset-mid 3"):
            answer = await say(port, f"{TEXT}[[fail: {fault}]]", stream=True)
            seen.append((answer.reset, answer.status, said(answer) if answer.body else ""))
        await sim.stop()
        return seen

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(run()) == [(True, 0, ""), (True, 200, ""), (True, 200, "aaaabbbbcccc")]
