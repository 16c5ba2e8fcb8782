"""What is left out of a request, told by name.

Law: a field of the client's own dialect that no neutral record holds goes to that dialect only; every other names it.
"""

from conflux.neutral.request import Request


def unsaid(request: Request, own: str) -> tuple[str, ...]:
    """The client's fields that the dialect `own` has no words for."""
    return () if request.dialect == own else tuple(sorted(request.extra))
