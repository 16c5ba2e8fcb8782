"""Moments as people and clients read them.

Law: a moment is an integer of unix milliseconds; its text is UTC to the second, rounded up: who waits until then has
waited long enough.
"""

from datetime import UTC, datetime


def moment_text(moment: int) -> str:
    return datetime.fromtimestamp(-(-moment // 1000), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_or_none(moment: int | None) -> str | None:
    return None if moment is None else moment_text(moment)
