"""Tokens against a server that checks the signature, expires them, refuses, and is slow."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec.structs import replace

from conflux.accounts.token_mint import TokenMint, statement
from conflux.neutral.ports import ServiceAccount, TokenRefused
from conflux.relay.live import service_account
from conflux.upstream.client import Client
from tests.accounts.token_server import TokenServer, key_file, pem


class Desk:
    """A mint, the server it asks, and the time both live in."""

    def __init__(self, server: TokenServer, client: Client) -> None:
        self.server = server
        self.time = 1_800_000_000.0
        self.mint = TokenMint(client, lambda: self.time)
        self.account: ServiceAccount = service_account(key_file(server.uri))

    async def token(self) -> str:
        return (await self.mint.line(self.account)).decode().strip().removeprefix("authorization: Bearer ")

    async def refusal(self, account: ServiceAccount | None = None) -> TokenRefused:
        with pytest.raises(TokenRefused) as error:
            await self.mint.line(account or self.account)
        return error.value


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    server, client = TokenServer(), Client()
    await server.start()
    yield Desk(server, client)
    await client.aclose()
    await server.stop()


async def test_a_signed_statement_is_exchanged_once(desk: Desk) -> None:
    assert desk.mint.held(desk.account) is None
    assert [await desk.token(), await desk.token()] == ["token-1", "token-1"]
    assert desk.mint.held(desk.account) == b"authorization: Bearer token-1\r\n"
    assert desk.server.problems == []
    assert desk.server.claims == [
        {"iss": desk.account.email, "scope": "https://www.googleapis.com/auth/cloud-platform",
         "aud": desk.server.uri, "iat": 1_800_000_000, "exp": 1_800_003_600}
    ]  # fmt: skip


async def test_a_token_is_renewed_shortly_before_it_expires(desk: Desk) -> None:
    await desk.token()
    desk.time += 3600 - 121
    assert await desk.token() == "token-1"
    desk.time += 2
    assert desk.mint.held(desk.account) is None and await desk.token() == "token-2"


async def test_a_token_that_lives_seconds_is_used_for_seconds(desk: Desk) -> None:
    desk.server.expires_in = 5
    await desk.token()
    desk.time += 4
    assert await desk.token() == "token-1"
    desk.time += 2
    assert await desk.token() == "token-2"


async def test_all_who_wait_share_one_exchange_and_one_who_leaves_does_not_stop_it(desk: Desk) -> None:
    desk.server.gate = asyncio.Event()
    waiting = [asyncio.ensure_future(desk.token()) for _ in range(5)]
    while not desk.server.claims:
        await asyncio.sleep(0)
    waiting[0].cancel()
    desk.server.gate.set()
    assert await asyncio.gather(*waiting[1:]) == ["token-1"] * 4
    assert waiting[0].cancelled() and len(desk.server.claims) == 1


async def test_a_forgotten_token_is_not_used_again(desk: Desk) -> None:
    await desk.token()
    desk.mint.forget(desk.account)
    assert await desk.token() == "token-2"


async def test_a_wrong_key_is_refused_for_good(desk: Desk) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    refused = await desk.refusal(replace(desk.account, key=pem(stranger)))
    assert refused.final and "400: invalid_grant: Invalid JWT Signature." in refused.reason


@pytest.mark.parametrize(
    ("answer", "final", "words"),
    [
        ((401, "{}"), True, "answered 401"),
        ((400, "<html>"), True, "answered 400"),
        ((429, "{}"), False, "answered 429"),
        ((503, '{"error":"backend"}'), False, "503: backend"),
        ((200, "<html>"), False, "no token"),
        ((200, '{"access_token":"a\\r\\nx: y"}'), False, "no token"),
    ],
)
async def test_how_it_fails(desk: Desk, answer: tuple[int, str], final: bool, words: str) -> None:
    desk.server.answer = answer
    refused = await desk.refusal()
    assert (refused.final, words in refused.reason) == (final, True), refused.reason


async def test_a_refusal_counts_for_some_seconds(desk: Desk) -> None:
    desk.server.answer = (503, "{}")
    await desk.refusal()
    desk.server.answer = None
    await desk.refusal()
    assert len(desk.server.claims) == 1
    desk.time += 6
    assert await desk.token() == "token-2"


async def test_a_server_that_is_not_there(desk: Desk) -> None:
    await desk.server.stop()
    refused = await desk.refusal()
    assert not refused.final and "could not be asked" in refused.reason


@pytest.mark.parametrize("key", ["", "-----BEGIN nothing", pem(ec.generate_private_key(ec.SECP256R1()))])
def test_keys_that_cannot_sign(key: str) -> None:
    account = ServiceAccount(email="a@b", key=key, token_uri="https://t")
    with pytest.raises(TokenRefused, match="private_key") as error:
        statement(account, 1)
    assert error.value.final


def test_an_account_shows_no_secret() -> None:
    assert "PRIVATE" not in repr(service_account(key_file("https://t")))
