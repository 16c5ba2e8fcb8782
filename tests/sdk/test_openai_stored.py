"""The official openai client goes on from kept responses, over every upstream; and what it meets where none is."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from conflux.sim.server import SimServer
from tests.sdk.test_openai import client_of
from tests.system.fixtures import SPOKEN, over, wires_config
from tests.system.serving import Served
from tests.system.upstreams import Background


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    background, sim = Background(), SimServer()
    background.run(sim.start())
    config = "[responses]\nkeep_days = 1\nmost_bytes = 20_000\n" + wires_config(sim.port)
    served = Served(tmp_path_factory.mktemp("keeping"), config).start()
    yield served
    served.stop()
    background.run(sim.stop())
    background.close()


@pytest.fixture(scope="module")
def client(keeping: Served) -> Iterator[OpenAI]:
    with client_of(keeping, keeping.key(name="keeper")) as made:
        yield made


@pytest.mark.parametrize("lane", ["auto", "compat"])
@pytest.mark.parametrize("dialect", SPOKEN)
def test_going_on_over_every_upstream(client: OpenAI, dialect: str, lane: str) -> None:
    model = over(dialect, lane)
    first = client.responses.create(model=model, input="Hello [[say: blue is it]]")
    assert client.responses.retrieve(first.id).output_text == "blue is it"
    second = client.responses.create(model=model, input="[[echo]]", previous_response_id=first.id, stream=True)
    events = list(second)
    done: Any = events[-1]
    assert done.type == "response.completed" and done.response.previous_response_id == first.id
    told = json.loads(done.response.output_text)["body"]
    assert json.dumps(told).index("Hello [[say") < json.dumps(told).index("blue is it") < json.dumps(told).index("echo")
    referred: Any = [{"type": "item_reference", "id": first.output[0].id}, {"role": "user", "content": "[[echo]]"}]
    third = client.responses.create(model=model, input=referred)
    assert "blue is it" in third.output_text
    items = client.responses.input_items.list(done.response.id, order="asc").data
    assert [item.type for item in items] == ["message"] * 3 and all(item.id for item in items)
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError, match="not found") as error:
        client.responses.create(model=model, input="x", previous_response_id=first.id)
    assert error.value.code == "previous_response_not_found"
    assert client.responses.retrieve(done.response.id).id == done.response.id


def test_tools_go_on(client: OpenAI) -> None:
    tool: Any = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": True}
    for dialect in SPOKEN:
        first: Any = client.responses.create(model=over(dialect), input="[[call: look {}]]", tools=[tool])
        (call,) = [item for item in first.output if item.type == "function_call"]
        result: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "found it"}]
        then = client.responses.create(model=over(dialect), input=result, tools=[tool], previous_response_id=first.id)
        assert "found it" in then.output_text


def test_what_is_not_kept(client: OpenAI, keeping: Served) -> None:
    model = over("openai-chat")
    found = client.responses.create(model=model, input="Hello", store=False)
    large = client.responses.with_raw_response.create(model=model, input="x" * 20_000)
    assert large.headers["x-conflux-dropped"] == "store"
    for name in (found.id, large.parse().id):
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(name)
    kept = client.responses.create(model=model, input="Hello")
    with client_of(keeping, keeping.key(name="other")) as other:
        with pytest.raises(openai.NotFoundError):
            other.responses.retrieve(kept.id)
        with pytest.raises(openai.NotFoundError):
            other.responses.delete(kept.id)
        with pytest.raises(openai.BadRequestError):
            other.responses.create(model=model, input="x", previous_response_id=kept.id)
    assert client.responses.retrieve(kept.id).id == kept.id


def test_where_none_is_kept(plain: Served, plain_key: str) -> None:
    with client_of(plain, plain_key) as made:
        found = made.responses.create(model="gpt-4o-mini", input="Hello", store=True)
        with pytest.raises(openai.NotFoundError, match="keeps none"):
            made.responses.retrieve(found.id)
        with pytest.raises(openai.NotFoundError):
            made.responses.delete(found.id)


@pytest.mark.parametrize("path", ["/v1/responses/compact", "/responses/compact"])
def test_compacting_is_not_served(plain: Served, plain_key: str, path: str) -> None:
    answer = plain.call(
        "POST", path, {"model": "gpt-4o-mini", "input": []}, headers={"authorization": f"Bearer {plain_key}"}
    )
    assert answer.status == 404
    assert set(json.loads(answer.body)["error"]) == {"message", "type", "param", "code"}
