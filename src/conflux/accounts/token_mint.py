"""Tokens for service accounts: a signed statement is exchanged for one at the account's token address.

Law: one exchange at a time per account, whoever waits for it; a token is used until shortly before it expires. What
goes wrong is said in a line without a secret, and whether asking again can help.
"""

import asyncio
import base64
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from conflux.neutral.errors import ConfigError, TransportError
from conflux.neutral.ports import Outbound, ServiceAccount, TokenRefused, Transport
from conflux.relay.live import header_line, split_base_url

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_STATEMENT_SECONDS = 3600
_MARGIN_SECONDS = 120.0  # a token that expires so soon is not used for another call
_LEAST_SECONDS = 10.0
_REFUSED_SECONDS = 5.0  # so long nobody asks again
_HEAD = b"content-type: application/x-www-form-urlencoded\r\nuser-agent: conflux\r\naccept: application/json\r\n"
_ANSWER_MOST = 64 * 1024
_SHOWN = 200


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


class _Refused(msgspec.Struct):
    error: str = ""
    error_description: str = ""


class TokenMint:
    """Implements ports.Tokens."""

    def __init__(self, transport: Transport, now: Callable[[], float]) -> None:
        self._transport = transport
        self._now = now
        self._held: dict[ServiceAccount, tuple[bytes, float]] = {}
        self._refused: dict[ServiceAccount, tuple[TokenRefused, float]] = {}
        self._fetching: dict[ServiceAccount, asyncio.Task[bytes]] = {}

    def held(self, account: ServiceAccount) -> bytes | None:
        line, until = self._held.get(account, (None, 0.0))
        return line if self._now() < until else None

    async def line(self, account: ServiceAccount) -> bytes:
        held = self.held(account)
        if held is not None:
            return held
        refused, until = self._refused.get(account, (None, 0.0))
        if refused is not None and self._now() < until:
            raise refused
        task = self._fetching.get(account)
        if task is None:
            task = self._fetching[account] = asyncio.ensure_future(self._fetch(account))
            task.add_done_callback(lambda done: self._fetched(account, done))
        return await asyncio.shield(task)  # one who stops waiting does not stop it for the others

    def forget(self, account: ServiceAccount) -> None:
        self._held.pop(account, None)

    def _fetched(self, account: ServiceAccount, done: asyncio.Task[bytes]) -> None:
        del self._fetching[account]
        error = None if done.cancelled() else done.exception()  # told to whoever waits
        if isinstance(error, TokenRefused):
            self._refused[account] = (error, self._now() + _REFUSED_SECONDS)

    async def _fetch(self, account: ServiceAccount) -> bytes:
        began = self._now()
        body = urlencode({"grant_type": GRANT, "assertion": statement(account, int(began))}).encode()
        try:
            origin, path = split_base_url(account.token_uri)
        except ConfigError:
            raise TokenRefused("the service account's token_uri is no address", final=True) from None
        call = Outbound(origin=origin, path=path or "/", head=_HEAD, body=body, first_byte_timeout=10.0,
                        total_timeout=20.0, max_body=_ANSWER_MOST)  # fmt: skip
        try:
            inbound = await self._transport.send(call)
            try:
                status, answer = inbound.status, await inbound.read()
            finally:
                inbound.close()
        except TransportError as error:
            raise TokenRefused(f"the token server could not be asked: {error}", final=False) from None
        if status != 200:
            raise _refusal(status, answer)
        line, seconds = _granted(answer)
        self._held[account] = (line, began + max(seconds - _MARGIN_SECONDS, min(seconds, _LEAST_SECONDS)))
        return line


def statement(account: ServiceAccount, now: int) -> str:
    """The signed statement: who asks, what for, until when. Raises TokenRefused for a key that cannot sign."""
    head = {"alg": "RS256", "typ": "JWT"} | ({"kid": account.key_id} if account.key_id else {})
    claims = {"iss": account.email, "scope": SCOPE, "aud": account.token_uri, "iat": now,
              "exp": now + _STATEMENT_SECONDS}  # fmt: skip
    text = f"{_part(msgspec.json.encode(head))}.{_part(msgspec.json.encode(claims))}"
    try:
        key = serialization.load_pem_private_key(account.key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise TokenRefused("the service account's private_key cannot be read", final=True) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TokenRefused("the service account's private_key is no RSA key", final=True)
    return f"{text}.{_part(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _granted(answer: bytes) -> tuple[bytes, float]:
    try:
        found = msgspec.json.decode(answer, type=_Granted)
        return header_line("authorization", f"Bearer {found.access_token}"), found.expires_in
    except (msgspec.MsgspecError, UnicodeDecodeError, ConfigError):
        raise TokenRefused("the token server answered something that is no token", final=False) from None


def _refusal(status: int, answer: bytes) -> TokenRefused:
    """4xx is about this account and stays so; anything else may pass."""
    try:
        found = msgspec.json.decode(answer, type=_Refused)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        found = _Refused()
    said = ": ".join(one for one in (found.error, found.error_description) if one)[:_SHOWN]
    reason = f"the token server answered {status}" + (f": {said}" if said else "")
    return TokenRefused(reason, final=400 <= status < 500 and status not in (408, 429))
