"""A gateway with a provider: what is asked is charged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conflux.sim.script import Script
from conflux.sim.server import SimServer
from tests.system.serving import Served
from tests.system.upstreams import Background

_PAID = """
[[provider]]
id = "local"
dialect = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"
[[pool]]
id = "paid"
[[pool.target]]
provider = "local"
model = "one"
weight = 3
[[pool.target]]
provider = "local"
model = "two"
[[model]]
storefront = "conflux"
id = "acme/paid"
pool = "paid"
role = "BOTH"
capabilities = ["tools"]
context = 100000
price = {{ input = "1.00", output = "2.00" }}
[[model]]
storefront = "conflux"
id = "acme/other"
pool = "paid"
role = "BOTH"
context = 100000
price = {{ input = "1.00", output = "2.00", audio = "32.00", image = "0.04" }}
"""


@contextmanager
def charging(folder: Path) -> Iterator[Served]:
    background, sim = Background(), SimServer(Script([]))
    background.run(sim.start())
    running = Served(folder, _PAID.format(port=sim.port)).start()
    try:
        yield running
    finally:
        running.stop()
        background.run(sim.stop())
        background.close()
