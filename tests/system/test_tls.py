"""A provider over TLS: a certificate authority of the owner's own, and a name that is not the certificate's."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from tests.system.fixtures import ALONE, MODEL, Starter
from tests.system.serving import Served
from tests.system.upstreams import Background

ANSWER = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "over TLS"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}  # fmt: skip


class Secure:
    """An upstream whose certificate is for localhost, by an authority nobody knows."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(self._context)
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.received = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.received += 1
        await request.read()
        return web.json_response(ANSWER)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    background, one = Background(), Secure(tmp_path)
    background.run(one.start())
    yield one
    background.run(one.stop())
    background.close()


def config(secure: Secure, host: str, *, trusted: bool = True) -> str:
    ca = f"ca_file = '{secure.ca_file}'\n" if trusted else ""
    return (
        ca
        + ALONE
        + f'[[provider]]\nid = "vault"\ndialect = "openai-chat"\nbase_url = "https://{host}:{secure.port}/v1"\n'
        f'[[pool]]\nid = "acme-tls"\n[[pool.target]]\nprovider = "vault"\nmodel = "m"\n'
        f'[[model]]\nid = "acme/tls"\npool = "acme-tls"\n{MODEL}'
    )


def doctor(served: Served) -> tuple[bool, str]:
    """Is the provider well, and what is said of it."""
    found = json.loads(served.run("doctor", "--json").stdout)
    said = [one["text"] for one in found["findings"] if one["what"] == "provider vault"]
    return found["well"], "".join(said)


async def test_an_authority_of_the_owners_own(start: Starter, secure: Secure) -> None:
    served = start(config(secure, "localhost"))
    answer = await asyncio.to_thread(served.chat, served.key(), "hello", model="acme/tls")
    assert answer.status == 200 and answer.json()["choices"][0]["message"]["content"] == "over TLS"
    assert await asyncio.to_thread(doctor, served) == (True, "")


@pytest.mark.parametrize(
    ("host", "trusted", "word"),
    [("127.0.0.1", True, "not valid for '127.0.0.1'"), ("localhost", False, "unable to get local issuer certificate")],
    ids=["another name", "an authority nobody knows"],
)
async def test_who_cannot_prove_a_name_is_told_nothing(
    start: Starter, secure: Secure, host: str, trusted: bool, word: str
) -> None:
    served = start(config(secure, host, trusted=trusted))
    key = served.key()
    answer = await asyncio.to_thread(served.chat, key, "hello", model="acme/tls")
    assert answer.status == 502 and secure.received == 0
    message = answer.json()["error"]["message"]
    assert "could not be secured" in message and "conflux doctor" in message
    assert host not in message and "vault" not in message
    assert served.receipt(key, answer)["cost_usd"] == "0"
    call = served.receipt(served.key(admin=True), answer)["calls"][0]
    assert call["reason"].startswith("tls: ") and word in call["reason"]
    well, said = await asyncio.to_thread(doctor, served)
    assert not well and word in said and f"https://{host}:{secure.port} is not trusted" in said and "ca_file" in said


def test_a_file_of_certificates_that_is_none_starts_nothing(tmp_path: Path) -> None:
    for content, word in ((None, "No such file"), ("nothing", "no PEM certificate")):
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_text(content)
        served = Served(tmp_path, f"ca_file = '{file}'\n")
        ended = served.run("serve", "--port", "0")
        assert ended.returncode == 2
        assert ended.stderr.startswith(f"conflux: configuration: ca_file: {file}: ")
        assert word in ended.stderr and not served.data.exists()
