"""The short form of the torture run."""

from pathlib import Path

from conflux.sim.server import SimServer
from tests.torture.kill import torture


async def test_a_killed_gateway_forgets_nothing_it_answered(tmp_path: Path) -> None:
    simulator = SimServer()
    port = await simulator.start()
    try:
        result = await torture(tmp_path, requests=240, kills=3, at_once=16, upstream=port, seed=7)
    finally:
        await simulator.stop()
    assert result.kills == 4
    assert len(result.answers) > 150, result.table()
    assert result.clean, result.table()
