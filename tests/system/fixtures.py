"""The servers that tests share, started once: `plain` has no provider, `real` has some.

Law: a test that stops, reloads or floods a server starts one of its own.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.system.serving import Served
from tests.system.upstreams import Upstreams

MODEL = 'storefront = "conflux"\ncontext = 100000\ncapabilities = ["text", "tools"]\n'
MODEL += 'price = { input = "1.00", output = "2.00" }\n'

# What is refused or fails here is told, and not answered by another model.
ALONE = '[[storefront]]\nid = "conflux"\nfallback = false\n'


def real_config(upstreams: Upstreams) -> str:
    """acme/good answers, acme/bad fails, the pairs have one of each; acme/stall waits little, acme/canary talks."""
    sim, canary = upstreams.sim.port, upstreams.canary.port
    providers = {
        "house": f'base_url = "http://127.0.0.1:{sim}/v1"',
        "hasty": f'base_url = "http://127.0.0.1:{sim}/v1"\nfirst_byte_timeout = 1.0\nidle_timeout = 1.0',
        "canaryprovider": f'base_url = "http://127.0.0.1:{canary}/canarymodel"\nlabel = "CanaryProvider"\n'
        'headers = { "x-canary" = "canarysecret" }',
    }
    pools = {
        "good": [("house", "good-model")],
        "bad": [("house", "bad-model")],
        "pair-plain": [("house", "bad-one"), ("house", "good-one")],
        "pair-streamed": [("house", "bad-two"), ("house", "good-two")],
        "stall": [("hasty", "slow-model")],
        "canary": [("canaryprovider", "canarymodel-7b")],
    }
    text = ALONE + "[limits]\nbody_bytes = 300_000\nbody_seconds = 1.0\n"
    for name, rest in providers.items():
        text += f'[[provider]]\nid = "{name}"\ndialect = "openai-chat"\n{rest}\n'
    for name, targets in pools.items():
        text += f'[[pool]]\nid = "acme-{name}"\n'
        text += "".join(f'[[pool.target]]\nprovider = "{one}"\nmodel = "{model}"\n' for one, model in targets)
        text += f'[[model]]\nid = "acme/{name}"\npool = "acme-{name}"\n{MODEL}'
    return text


# Upstream dialects the simulator speaks: where, below its address. One model per dialect and lane serves them all.
SPOKEN = {"openai-chat": "/v1", "openai-responses": "/v1", "anthropic-messages": "/v1", "gemini": "/v1beta"}


def over(dialect: str, lane: str = "auto") -> str:
    """The model that a provider of this dialect serves."""
    return f"acme/{dialect}-{lane}"


def wires_config(port: int) -> str:
    text = ALONE
    for dialect, below in SPOKEN.items():
        for lane in ("auto", "compat"):
            name = f"{dialect}-{lane}"
            text += (
                f'[[provider]]\nid = "{name}"\ndialect = "{dialect}"\nlane = "{lane}"\n'
                f'base_url = "http://127.0.0.1:{port}{below}"\n'
                f'[[pool]]\nid = "{name}"\n[[pool.target]]\nprovider = "{name}"\nmodel = "up-{name}"\n'
                f'[[model]]\nid = "{over(dialect, lane)}"\npool = "{name}"\nstorefront = "conflux"\ncontext = 100000\n'
                'capabilities = ["text", "tools", "vision", "files", "completions", "json_mode", "structured_outputs", '
                '"reasoning", "logprobs"]\nprice = { input = "1.00", output = "2.00" }\n'
            )
    return text


# Several folders of tests have these fixtures; the first that asks starts, and the end of the session stops.


@cache
def _upstreams() -> Upstreams:
    return Upstreams()


@cache
def _served(folder: Path, config: str | None) -> Served:
    return Served(folder, config).start()


@pytest.fixture(scope="session")
def upstreams() -> Iterator[Upstreams]:
    yield _upstreams()
    _upstreams().close()


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    folder = factory.getbasetemp() / name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = _served(_folder(tmp_path_factory, "plain"), None)
    yield served
    served.stop()


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Served]:
    served = _served(_folder(tmp_path_factory, "real"), real_config(upstreams))
    yield served
    served.stop()


@pytest.fixture(scope="session")
def wires(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Served]:
    """One model per upstream dialect, all played by the simulator: see `over`."""
    served = _served(_folder(tmp_path_factory, "wires"), wires_config(upstreams.sim.port))
    yield served
    served.stop()


@pytest.fixture(scope="session")
def wires_key(wires: Served) -> str:
    return wires.key(name="tests")


@pytest.fixture(scope="session")
def plain_key(plain: Served) -> str:
    return plain.key(name="tests")


@pytest.fixture(scope="session")
def real_key(real: Served) -> str:
    return real.key(name="tests", budget_usd="5")


Starter = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Servers of one test: start(config=..., flags=...). Each gets a folder; all are stopped."""
    made: list[Served] = []

    def one(config: str | None = None, *flags: str, folder: Path | None = None, **environment: str) -> Served:
        if folder is None:
            folder = tmp_path / f"server{len(made)}"
        folder.mkdir(exist_ok=True)
        served = Served(folder, config, environment)
        made.append(served)
        return served.start(*flags)

    yield one
    for served in made:
        served.stop()
