"""A connection between two requests: how long it may rest, and who answers the next."""

import asyncio

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


async def test_one_task_answers_all_that_a_connection_asks() -> None:
    ways = Ways()
    async with served(ways) as port, wire(port) as one:
        before = asyncio.all_tasks()
        tasks = set()
        for number in range(3):
            await one.send(post(b"%d" % number))
            assert (await one.answer()).body == b"short %d" % number
            tasks |= asyncio.all_tasks() - before
        (connection,) = set(ways.connections)
        assert connection._task in tasks and connection.server_state.tasks == set()
    await happens(lambda: connection._task is not None and connection._task.done(), "it ends with the connection")


async def test_a_task_that_was_cancelled_while_it_waited_is_replaced() -> None:
    ways = Ways()
    async with served(ways) as port, wire(port) as one:
        await one.send(post(b"one"))
        await one.answer()
        first = ways.connections[0]._task
        assert first is not None
        first.cancel()
        await happens(first.done, "it was cancelled")
        await one.send(post(b"two"))
        assert (await one.answer()).body == b"short two"
