"""Twin of faces/admin/app.py: the document, the one shape of errors."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from conflux.accounts.sealing import SealError
from conflux.faces.admin.app import PREFIX, TABLES, build, document, told
from conflux.neutral.errors import ConfigError, GatewayError, Kind, NoSuch, StoreError
from tests.faces.admin.gate import gate


def desk() -> Any:
    return None


def test_the_document_says_all_of_every_route() -> None:
    found = document(build(desk()))
    operations = [one for path in found["paths"].values() for one in path.values()]
    assert len(operations) == sum(len(table.specs) for table in TABLES)
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names) and all(name.isalnum() and name[0].islower() for name in names)
    for one in operations:
        assert one["summary"] and one["tags"] and one["x-conflux-rule"], one["operationId"]
        assert "422" not in one["responses"] and "400" in one["responses"]
        good = [answer for status, answer in one["responses"].items() if status.startswith("2")]
        assert len(good) == 1
    assert all(path.startswith(PREFIX) for path in found["paths"])
    assert "://" not in str({**found, "info": {}}).replace("http://json-schema", "")


@pytest.mark.parametrize(("error", "kind"), [
    (GatewayError(Kind.FORBIDDEN, "no"), Kind.FORBIDDEN),
    (NoSuch(["none"]), Kind.NOT_FOUND),
    (ConfigError(["bad"]), Kind.INVALID),
    (StoreError("disk"), Kind.UNAVAILABLE), (SealError("changed"), Kind.UNAVAILABLE),
    (RequestValidationError([{"loc": ("body", "name"), "msg": "too long", "type": "x"}]), Kind.INVALID),
    (HTTPException(404), Kind.NOT_FOUND), (HTTPException(405), Kind.METHOD_NOT_ALLOWED),
    (HTTPException(400), Kind.INVALID), (HTTPException(500), Kind.INTERNAL), (KeyError("x"), Kind.INTERNAL),
])  # fmt: skip
def test_every_error_is_told_in_one_shape(error: Exception, kind: Kind) -> None:
    found = told(error)
    assert found.kind is kind and found.message


async def test_over_the_wire(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        browser = g.browser()
        found = await browser.ask("GET", "/admin/api/openapi.json")
        assert found.status == 200 and found.json()["info"]["title"] == "Conflux admin API"
        for name in ("docs", "docs.css", "docs.js"):
            page = await browser.ask("GET", f"/admin/api/{name}")
            assert page.status == 200 and "script-src 'self';" in page.headers["content-security-policy"]
            assert "//" not in page.text.replace("// The OpenAPI", "")
        for method, path, status in (
            ("GET", "/admin/api/v1/nothing", 404), ("GET", "/admin/", 404), ("PATCH", "/session", 405),
            ("GET", "/admin/api/v1/session/", 404), ("GET", "/admin/api/v1//session", 404),
            ("GET", "/admin/api/v1/x/%2e%2e/session", 404), ("GET", "/admin/api/v1/sess%69on", 200),
            ("GET", "/admin/api/v1/session%00", 404), ("GET", "/admin/api/v1/session%2f", 404),
        ):  # fmt: skip
            answer = await browser.ask(method, path)
            assert answer.status == status, path
            assert status == 200 or answer.json()["error"]["message"], path
            assert answer.headers["x-request-id"]


async def test_a_body_that_is_too_big_or_no_json_is_told_so(tmp_path: Path) -> None:
    async with gate(tmp_path) as g:
        house = g.house
        big = await house.ask("POST", "/changes/import", {"name": "m.csv", "content": "x" * (9 << 20)})
        assert big.status == 413 and "8388608 bytes" in big.text, big.text
        headers = {"content-type": "application/json"}
        bad = await house.ask("POST", "/workspaces", data='{"name": }', headers=headers)
        error = bad.json()["error"]
        assert bad.status == 400 and "not valid JSON, at letter 9" in error["message"] and error["param"] is None
    operation = document(build(desk()))["paths"][f"{PREFIX}/changes/import"]["post"]
    assert "413" in operation["responses"]
