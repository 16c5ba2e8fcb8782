"""Embeddings over an upstream that answers other than it was asked: a 502 that is free, or what it meant."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from tests.system.serving import Served
from tests.system.upstreams import Background

ROWS: dict[str, list[tuple[int, list[object]]]] = {
    "twice": [(0, [1.5]), (0, [2.5])],
    "from one": [(1, [1.5]), (2, [2.5])],
    "too few": [(0, [1.5])],
    "no numbers": [(0, [1.5]), (1, ["x"])],
    "turned round": [(1, [2.5]), (0, [1.5])],
}


def _config(port: int) -> str:
    text = f'[[provider]]\nid = "odd"\ndialect = "embeddings"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
    for name in ROWS:
        pool = name.replace(" ", "-")
        text += f'[[pool]]\nid = "{pool}"\n[[pool.target]]\nprovider = "odd"\nmodel = "{name}"\n'
        text += f'[[model]]\nstorefront = "conflux"\nid = "odd/{pool}"\npool = "{pool}"\nkind = "embedding"\n'
        text += 'context = 1000\nprice = { input = "1.00", output = "0" }\n'
    return text


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    asked = json.loads(await reader.readexactly(size))
    data = [{"index": index, "embedding": row, "object": "embedding"} for index, row in ROWS[asked["model"]]]
    body = json.dumps({"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 2, "total_tokens": 2}})
    writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
                 f"content-length: {len(body)}\r\n\r\n{body}".encode())  # fmt: skip
    await writer.drain()
    writer.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    background = Background()
    server = background.run(asyncio.start_server(_answer, "127.0.0.1", 0))
    made = Served(tmp_path_factory.mktemp("odd"), _config(server.sockets[0].getsockname()[1])).start()
    try:
        yield made, made.key(name="odd")
    finally:
        made.stop()
        server.close()
        background.close()


@pytest.mark.parametrize("name", ["twice", "from one", "too few", "no numbers"])
def test_embeddings_that_belong_to_no_input_are_a_502_and_free(served: tuple[Served, str], name: str) -> None:
    gateway, key = served
    body = {"model": f"odd/{name.replace(' ', '-')}", "input": ["a", "b"]}
    answer = gateway.call("POST", "/v1/embeddings", body, headers={"authorization": f"Bearer {key}"})
    assert answer.status == 502, answer.body
    assert "embedding" in json.loads(answer.body)["error"]["message"]
    receipt = gateway.get(f"/v1/receipts/{answer.headers['x-request-id']}", key=key).json()
    assert float(receipt["cost_usd"]) == 0


def test_embeddings_in_another_order_are_put_in_order(served: tuple[Served, str]) -> None:
    gateway, key = served
    body = {"model": "odd/turned-round", "input": ["a", "b"]}
    answer = gateway.call("POST", "/v1/embeddings", body, headers={"authorization": f"Bearer {key}"})
    found = json.loads(answer.body)["data"]
    assert [(one["index"], one["embedding"]) for one in found] == [(0, [1.5]), (1, [2.5])]
