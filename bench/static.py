"""One body from memory, by the gateway's own server and nothing else: what a list can at best cost.

Law: the same server with the same settings, and no more than ASGI asks for.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from conflux.faces.server import bind_tcp, make_server


def application(body: bytes) -> Any:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    server = make_server(application(file.read_bytes()), graceful=1)
    asyncio.run(server.serve([bind_tcp("127.0.0.1", port)]))


if __name__ == "__main__":
    main()
