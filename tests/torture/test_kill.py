"""Short forms of the torture run, on both databases."""

import tempfile
from pathlib import Path

import pytest

from tests.torture.gateways import Site
from tests.torture.kill import DATABASE, RANDOM, Plan, Torture
from tests.torture.upstream import Upstream


@pytest.mark.timeout(300)  # a dozen starts of real processes
@pytest.mark.parametrize(
    ("replicas", "plan"),
    [
        (0, Plan(80, 1, ("after checkpoint", "before last byte"), 12, seed=7)),
        (2, Plan(80, 0, ("after started",), 12, database_kills=1, seed=8)),
    ],
    ids=["sqlite", "postgresql"],
)
async def test_a_killed_gateway_forgets_nothing_it_answered(replicas, plan, request):
    server = request.getfixturevalue("postgres_server") if replicas else None
    upstream = Upstream()
    await upstream.start()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), upstream.port, replicas, server)
        try:
            result = await Torture(site, upstream, plan).run()
        finally:
            for one in site.gateways:
                if one.process is not None:
                    await one.kill()
            await upstream.stop()
    assert result.kills.keys() == {*plan.points, DATABASE if replicas else RANDOM}
    assert len(result.answers) == plan.requests
    # How long a start takes says more of the machine than of us here; `./run torture` measures it.
    assert [one for one in result.problems() if "start took" not in one] == [], result.rows()
