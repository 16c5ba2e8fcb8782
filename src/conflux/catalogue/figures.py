"""Token figures as people read them: 262.1K, 1.0M, 1M.

Law: one decimal unless the figure is whole; unknown is a dash.
"""


def tokens(value: int | None) -> str:
    """
    >>> tokens(262144), tokens(1048576), tokens(1000000), tokens(None)
    ('262.1K', '1.0M', '1M', '-')
    """
    if value is None:
        return "-"
    for unit, letter in ((1_000_000, "M"), (1_000, "K")):
        if value >= unit:
            whole, rest = divmod(value, unit)
            return f"{value / unit:.1f}{letter}" if rest else f"{whole}{letter}"
    return str(value)
