"""Vertex: a service account's token, fetched once and sent, in front of a real gateway."""

from collections.abc import Iterator

import pytest

from conflux.sim.server import SimServer
from tests.accounts.token_server import TokenServer, key_file
from tests.system.serving import Served
from tests.system.upstreams import Background

MODEL = 'storefront = "conflux"\ncontext = 100000\nprice = { input = "1.00", output = "2.00" }\n'


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


def test_a_service_account_calls_its_projects_model(
    background: Background, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sim, tokens = SimServer(), TokenServer()
    background.run(sim.start())
    background.run(tokens.start())
    folder = tmp_path_factory.mktemp("vertex")
    (folder / "robot.json").write_text(key_file(tokens.uri))
    config = f"""
[[provider]]
id = "vertex-here"
dialect = "gemini"
auth = "service-account"
credential = "file:{folder / "robot.json"}"
base_url = "http://127.0.0.1:{sim.port}/v1/projects/{{project}}/locations/{{location}}/publishers/google"
variables = {{ location = "europe-west4" }}
[[pool]]
id = "to-vertex"
[[pool.target]]
provider = "vertex-here"
model = "gemini-3-pro"
[[model]]
id = "acme/vertex"
pool = "to-vertex"
{MODEL}"""
    served = Served(folder, config).start()
    try:
        key = served.key(name="vertex")
        for stream in (False, True):
            answer = served.chat(key, "[[say: hello]]", model="acme/vertex", stream=stream)
            assert answer.status == 200 and b"hell" in answer.body, answer.body
        lines = [line for line in sim.log.lines().decode().split("\n") if line]
        assert tokens.problems == [] and len(tokens.claims) == 1
        assert all("/v1/projects/project-7/locations/europe-west4/publishers/google/models/" in line for line in lines)
        assert all("Bearer token-1" in line for line in lines)
    finally:
        served.stop()
        background.run(tokens.stop())
        background.run(sim.stop())
