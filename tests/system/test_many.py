"""Many at once, and some that read slowly."""

import asyncio
from pathlib import Path
from typing import Any

from tests.system.serving import Served, said
from tests.system.upstreams import Upstreams
from tests.system.wire import happens, request, wire


def resident(served: Served) -> int:
    """Bytes of memory the process holds."""
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


async def test_two_hundred_streams_at_once_lose_nothing(real: Served, real_key: str) -> None:
    wanted = [f"{number:03d}" for number in range(20)]

    async def one_of_many() -> str:
        async with wire(real.port) as one:
            await one.send(request(real_key, "[[stream: 20 at 10]]", model="acme/good", stream=True))
            answer = await one.answer()
            assert answer.status == 200
            found = answer.events()
            assert found[-1] == "[DONE]" and said(found).split() == wanted
            return answer.headers["x-request-id"]

    async def watched() -> int:
        most = 0
        while most < 200:
            most = max(most, await asyncio.to_thread(lambda: real.in_flight))
        return most

    watching = asyncio.create_task(watched())
    ids = await asyncio.gather(*(one_of_many() for _ in range(200)))
    assert watching.done(), "they were under way at once"
    assert len(set(ids)) == 200
    await happens(lambda: real.in_flight == 0, "all have ended")
    for number in ids[:: len(ids) // 10]:
        receipt = await asyncio.to_thread(real.settled, real_key, number)
        assert (receipt["status"], receipt["usage"]["output"]) == ("done", 20)


async def test_slow_readers_hold_the_upstream_back(real: Served, real_key: str, upstreams: Upstreams) -> None:
    """Answers of some 13 MB each that nobody reads stay where they are made; one that is read late arrives whole."""
    tokens, short, readers = 60_000, 6_000, 6
    log = upstreams.sim.log
    await happens(lambda: log.open == 0, "it is quiet")
    before = resident(real)
    done = asyncio.Event()

    async def reader(many: int) -> list[Any]:
        async with wire(real.port, small=True) as one:
            await one.send(request(real_key, f"[[stream: {many}]]", model="acme/good", stream=True, max_tokens=many))
            await one.until(b"data: ")
            await done.wait()
            return (await one.answer()).events() if many == short else []

    reading = [asyncio.create_task(reader(tokens)) for _ in range(readers)]
    late = asyncio.create_task(reader(short))
    await happens(lambda: log.open >= readers, "all are under way")
    sent = -1
    while sent != (now := sum(record.bytes for record in log.records)):
        sent = now
        await asyncio.sleep(0.3)  # no wait for something to happen: for nothing to happen
    grown, unfinished = resident(real) - before, log.open
    done.set()
    found = await late
    await asyncio.gather(*reading)
    assert len(said(found).split()) == short and found[-1] == "[DONE]"
    assert unfinished >= readers, "some were sent to their end"
    assert grown < readers * 1024 * 1024, f"{grown / readers / 1024:.0f} KiB each"
    await happens(lambda: real.in_flight == 0, "all have ended")
