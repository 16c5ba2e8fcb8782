"""One gateway over one simulator, which plays an upstream of every dialect.

Law: a row here is a provider; `acme/<row>` is a model whose only target it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conflux.sim.quirks import Quirks
from conflux.sim.script import Script
from conflux.sim.server import SimServer
from tests.system.fixtures import ALONE
from tests.system.serving import Served
from tests.system.upstreams import Background

# name: the path of its address, and the provider's row beside id and address
ROWS = {
    "chat": ("v1", 'dialect = "openai-chat"'),
    "messages": ("v1", 'dialect = "anthropic-messages"'),
    "compat": ("v1", 'dialect = "anthropic-messages"\nlane = "compat"'),
    "gemini": ("v1beta", 'dialect = "gemini"'),
    "responses": ("v1", 'dialect = "openai-responses"'),
}
MODEL = 'storefront = "conflux"\ncontext = 200000\nprice = { input = "1.00", output = "2.00" }\n'
MODEL += 'capabilities = ["text", "tools", "vision", "files", "reasoning", "structured_outputs", "json_mode"]\n'


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Served, SimServer]]:
    background = Background()
    sim = SimServer(Script(quirks=Quirks(call_ids=True)))
    background.run(sim.start())
    config = ALONE
    for name, (path, row) in ROWS.items():
        config += f'[[provider]]\nid = "up-{name}"\nbase_url = "http://127.0.0.1:{sim.port}/{path}"\n{row}\n'
        config += f'[[pool]]\nid = "to-{name}"\n[[pool.target]]\nprovider = "up-{name}"\nmodel = "secret-{name}-3"\n'
        config += f'[[model]]\nid = "acme/{name}"\npool = "to-{name}"\n{MODEL}'
    served = Served(folder, config).start()
    try:
        yield served, sim
    finally:
        served.stop()
        background.run(sim.stop())
        background.close()
