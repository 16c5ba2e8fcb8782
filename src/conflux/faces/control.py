"""The control socket: the admin's operations over HTTP on a Unix socket in the data directory.

Law: whoever may open the socket (mode 0600) is the owner. POST /admin/api/v1/OPERATION takes and gives JSON; a mistake
is 400 with its lines, what is not there 404. The client half is here too, so that both ends are read together.
"""

import http.client
import socket
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from conflux.faces.audited import Runs
from conflux.faces.server import reachable
from conflux.neutral.errors import ConfigError, NoSuch, StoreError

SOCKET_NAME = "control.sock"
PREFIX = "/admin/api/v1/"
_SECONDS = 600.0


class ControlFace:
    """The ASGI application on the socket."""

    def __init__(self, operations: Runs) -> None:
        self._operations = operations

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return  # half an order is none
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, answer = await self._answer(scope["method"], scope["path"], body)
        data = msgspec.json.encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if method != "POST" or not path.startswith(PREFIX):
            return 404, {"problems": [f"there is nothing at {method} {path}"]}
        try:
            params = msgspec.json.decode(body or b"{}", type=dict[str, Any])
            return 200, await self._operations.run(path.removeprefix(PREFIX), params)
        except msgspec.MsgspecError as error:
            return 400, {"problems": [f"the body is not a JSON object: {error}"]}
        except NoSuch as error:
            return 404, {"problems": error.problems}
        except ConfigError as error:
            return 400, {"problems": error.problems}
        except StoreError as error:
            return 503, {"problems": [f"the ledger cannot do this now: {error}"]}
        except Exception:  # noqa: BLE001 edge: the owner is told here, and whoever reads the log learns where
            traceback.print_exc()
            return 500, {"problems": ["the server failed at this; its log says where"]}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_SECONDS)
        with reachable(self._path) as address:
            self.sock.connect(address)


def server_runs(data_dir: Path) -> bool:
    """Does a server answer on this data directory's socket?"""
    path = data_dir / SOCKET_NAME
    if not path.exists():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            with reachable(path) as address:
                probe.connect(address)
        except OSError:
            return False
    return True


def ask(data_dir: Path, operation: str, params: dict[str, Any]) -> Any:
    """Have the running server do it. Raises ConfigError with its words."""
    connection = _UnixConnection(data_dir / SOCKET_NAME)
    try:
        connection.request("POST", PREFIX + operation, msgspec.json.encode(params))
        response = connection.getresponse()
        answer = msgspec.json.decode(response.read())
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise ConfigError([f"the server on {data_dir} did not answer: {error}"]) from None
    finally:
        connection.close()
    if response.status != 200:
        raise (NoSuch if response.status == 404 else ConfigError)(list(answer["problems"]))
    return answer
