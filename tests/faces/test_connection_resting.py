"""A connection between two requests: how long it may rest."""

from tests.faces.test_connection import Ways, answers, post, served
from tests.system.wire import happens, wire


async def test_a_connection_that_rests_too_long_is_closed() -> None:
    ways = Ways()
    async with served(ways) as port, wire(port) as one:
        await one.send(post(b"a"))
        await answers(one, 1)
        connection = ways.connections[0]
        timer = connection.timeout_keep_alive_task
        await one.send(post(b"b"))
        await answers(one, 1)
        assert timer is not None and connection.timeout_keep_alive_task is timer  # one for many requests
        timer.cancel()
        connection.timeout_keep_alive_handler()  # it fires; the connection has rested for a moment only
        later = connection.timeout_keep_alive_task
        assert later is not None and not connection.transport.is_closing()
        later.cancel()
        connection._resting -= connection.timeout_keep_alive
        connection.timeout_keep_alive_handler()
        assert await one.read() == b""
        assert connection.timeout_keep_alive_task is None


async def test_a_connection_that_answers_is_not_closed_for_resting() -> None:
    ways = Ways()
    async with served(ways) as port, wire(port) as one:
        await one.send(post(b"a"))
        await answers(one, 1)
        connection = ways.connections[0]
        await one.send(post(b"wait"))
        await happens(lambda: len(ways.seen) == 2, "the second request")
        timer = connection.timeout_keep_alive_task
        assert timer is not None
        timer.cancel()
        connection.timeout_keep_alive_handler()
        assert connection.timeout_keep_alive_task is None and not connection.transport.is_closing()
        ways.go.set()
        assert await answers(one, 1) == [b"short wait"]
        await happens(lambda: connection.timeout_keep_alive_task is not None, "rest")
