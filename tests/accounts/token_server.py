"""A token server on loopback: it checks the statement as a real one does, and misbehaves on request.

Law: it trusts one account's public key; every exchange is noted.
"""

import asyncio
import base64
import json
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

EMAIL = "robot@project-7.example"


@cache
def key_pair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any = None) -> str:
    return (key or key_pair()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()  # fmt: skip


def key_file(token_uri: str, **more: str) -> str:
    fields = {"type": "service_account", "client_email": EMAIL, "private_key": pem(), "private_key_id": "k1",
              "token_uri": token_uri, "project_id": "project-7"}  # fmt: skip
    return json.dumps(fields | more)


class TokenServer:
    def __init__(self) -> None:
        self.claims: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.expires_in: Any = 3600
        self.answer: tuple[int, str] | None = None  # instead of a token
        self.gate: asyncio.Event | None = None  # waited for before any answer
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/token", self._token)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        self.claims.append(self._checked(form, request.headers["content-type"]))
        if self.gate is not None:
            await self.gate.wait()
        if self.answer is not None:
            return web.Response(status=self.answer[0], text=self.answer[1])
        if self.problems:
            return web.json_response(
                {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, status=400
            )
        token = {"access_token": f"token-{len(self.claims)}", "expires_in": self.expires_in, "token_type": "Bearer"}
        return web.json_response(token)

    def _checked(self, form: dict[str, str], kind: str) -> dict[str, Any]:
        head, claims, signature = form["assertion"].split(".")
        try:
            key_pair().public_key().verify(
                _decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            self.problems.append("signature")
        if json.loads(_decoded(head)) != {"alg": "RS256", "typ": "JWT", "kid": "k1"}:
            self.problems.append("head")
        if form["grant_type"] != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            self.problems.append("grant")
        if kind != "application/x-www-form-urlencoded":
            self.problems.append("content type")
        found: dict[str, Any] = json.loads(_decoded(claims))
        if found["iss"] != EMAIL or found["aud"] != self.uri or found["exp"] - found["iat"] != 3600:
            self.problems.append("claims")
        return found


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
