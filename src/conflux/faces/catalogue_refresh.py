"""The hourly look at the providers' lists.

Law: never two at once, never at the same second everywhere; a failure is a line in the log and the next try. Time,
chance and waiting are given, so days of it are tested in milliseconds.
"""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from conflux.neutral.errors import ConfigError, StoreError

QUIET_START = 60.0  # seconds that a gateway first minds its own business
OFF = 60.0  # seconds between looks at whether it was switched on


class Means(NamedTuple):
    interval: Callable[[], float | None]  # seconds; None: switched off
    last_tried: Callable[[], Awaitable[int | None]]
    sync: Callable[[], Awaitable[Any]]
    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    chance: Callable[[], float]  # from 0 to 1
    log: Callable[[str], None]


async def refresh_forever(means: Means) -> None:
    await means.sleep(await _first(means))
    while True:
        interval = means.interval()
        if interval is not None:
            await _refresh(means)
        await means.sleep(OFF if interval is None else interval * (1 + means.chance() / 10))


async def _first(means: Means) -> float:
    """A gateway that is started often does not ask more often."""
    interval, last = means.interval(), await means.last_tried()
    if interval is None:
        return OFF
    left = 0.0 if last is None else min(last + interval - means.now(), interval)  # the clock may have gone back
    return max(left, QUIET_START) + means.chance() * interval / 10


async def _refresh(means: Means) -> None:
    try:
        for line in told(await means.sync()):
            means.log(line)
    except (ConfigError, StoreError) as error:
        means.log(f"the catalogue was not refreshed: {error}")
    except Exception:  # noqa: BLE001 edge: one bad hour must not end all others
        means.log("the refresh of the catalogue failed:\n" + traceback.format_exc())


def told(done: Any) -> list[str]:
    """What of a refresh somebody should read."""
    lines = []
    for one in done["sources"]:
        if one["outcome"] != "ok":
            lines.append(f"catalogue: {one['provider']}: {one['outcome']}: {one['detail']}")
        lines += [f"catalogue: {one['provider']} does not list {name} any more" for name in one["vanished"]]
        lines += [f"catalogue: {one['provider']} lists {name} again" for name in one["back"]]
    if done["proposals"]["new"]:
        lines.append(f"catalogue: {done['proposals']['new']} new proposals: `conflux catalogue diff` shows them")
    return lines
