"""The sweep in the background.

Law: never two at once, and never in haste: between two pieces it rests. A failure is a line in the log and the next
try. Waiting is given, so days of it are tested in milliseconds.
"""

import traceback
from collections.abc import Awaitable, Callable

from conflux.neutral.errors import StoreError

EVERY = 600.0  # seconds between two sweeps
REST = 0.2  # and between two pieces of one

Sleep = Callable[[float], Awaitable[None]]


async def sweep_forever(
    sweep: Callable[[Callable[[], Awaitable[None]]], Awaitable[dict[str, int]]],
    sleep: Sleep,
    log: Callable[[str], None],
) -> None:
    while True:
        await sleep(EVERY)
        try:
            await sweep(lambda: sleep(REST))
        except StoreError as error:
            log(f"what is over was not swept: {error}")
        except Exception:  # noqa: BLE001 edge: one bad sweep must not end all others
            log("the sweep failed:\n" + traceback.format_exc())
