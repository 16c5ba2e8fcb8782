"""A whole gateway on a loopback port, and browsers that speak to its admin API.

Law: nothing of the gateway is replaced; clocks are moved only where a test says so.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from conflux.settings import Config, load
from conflux.wiring import Running, first_admin_key, open_gateway

API = "/admin/api/v1"
PASSWORD = "correct horse battery"


def patient(name: str, failures: int) -> float:
    """As the real one begins, but for long: a slow machine must not wait it out."""
    return 0.0 if failures < 5 or name.startswith("from:") else 600.0


class Reply(NamedTuple):
    status: int
    headers: Any
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Browser:
    """Keeps its cookie and its word, as the web app does."""

    def __init__(self, address: str, **headers: str) -> None:
        self.http = aiohttp.ClientSession(
            address, headers=headers, cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(30)
        )
        self.csrf: str | None = None

    @property
    def cookie(self) -> str:
        return next(one.value for one in self.http.cookie_jar if one.key == "conflux_session")

    async def ask(self, method: str, path: str, body: Any = None, *, csrf: bool = True, **rest: Any) -> Reply:
        headers = dict(rest.pop("headers", {}))
        if csrf and self.csrf is not None:
            headers["x-conflux-csrf"] = self.csrf
        if body is not None:
            rest["json"] = body
        where = path if path.startswith(("/v1", "/admin")) or path == "/" else API + path
        async with self.http.request(method, URL(where, encoded=True), headers=headers, **rest) as answer:
            return Reply(answer.status, answer.headers, await answer.text())

    async def get(self, path: str, **params: Any) -> Any:
        query = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in params.items()}
        answer = await self.ask("GET", f"{path}?{urlencode(query)}" if query else path)
        assert answer.status == 200, (path, answer.status, answer.text)
        return answer.json()

    async def sign_in(self, **how: str) -> Reply:
        answer = await self.ask("POST", "/session", how)
        if answer.status == 201:
            self.csrf = answer.json()["csrf"]
        return answer


class Gate:
    def __init__(self, running: Running, key: str) -> None:
        self.running = running
        self.key = key
        self.browsers: list[Browser] = []

    def browser(self, **headers: str) -> Browser:
        self.browsers.append(Browser(self.running.address, **headers))
        return self.browsers[-1]

    @property
    def house(self) -> Browser:
        """By an admin's key, without a session."""
        return self.browser(authorization=f"Bearer {self.key}")

    async def do(self, operation: str, **params: Any) -> Any:
        return await self.running.operations.run(operation, params)

    async def person(self, workspace: str, name: str, role: str) -> Browser:
        """A new user, signed in."""
        if workspace not in {one["name"] for one in (await self.do("workspaces.list"))["workspaces"]}:
            await self.do("workspaces.create", name=workspace)
        await self.do("users.create", workspace=workspace, name=name, role=role)
        await self.do("users.password", workspace=workspace, name=name, password=PASSWORD)
        found = self.browser()
        answer = await found.sign_in(workspace=workspace, user=name, password=PASSWORD)
        assert answer.status == 201, answer.text
        return found


@asynccontextmanager
async def gate(path: Path, text: str = "") -> AsyncIterator[Gate]:
    file = path / "conflux.toml"
    file.write_text(text)

    def config() -> Config:
        return load({"port": 0, "data": str(path / "data")}, {}, str(file))

    running = await open_gateway(config(), config)
    found = Gate(running, str(await first_admin_key(running)))
    try:
        yield found
    finally:
        for one in found.browsers:
            await one.http.close()
        await running.close()
