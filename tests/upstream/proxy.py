"""A forward proxy, for CONNECT and for absolute-form requests."""

import asyncio
import contextlib

from tests.upstream.misbehave import Peer, Script


def tunnelling(seen: list[bytes]) -> Script:
    """Opens every way it is asked for; `seen` collects the heads of the questions."""

    async def script(peer: Peer) -> None:
        head = await peer.head()
        seen.append(head)
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_carry(peer.reader, writer), _carry(reader, peer.writer))
        finally:
            writer.close()

    return script


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, RuntimeError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
