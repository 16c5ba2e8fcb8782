"""What a dialect file gives the simulator.

Law: a dialect is one module with these functions, and one line in app.py's table. It reads strictly, decides nothing,
and renders a plan exactly; faults and pace are not its business.
"""

from collections.abc import Iterator
from typing import Protocol

from conflux.sim.ask import Ask
from conflux.sim.line import Headers
from conflux.sim.plan import Plan
from conflux.sim.quirks import Quirks


class Rendering(Protocol):
    """A plan in the bytes of one protocol."""

    def whole(self) -> bytes: ...

    def events(self) -> Iterator[tuple[bytes, int]]:
        """The events of a stream, each with the tokens it delivers."""
        ...

    def text_event(self) -> bytes:
        """One more event with text, for streams that never end."""
        ...


class Dialect(Protocol):
    def read(self, raw: bytes, path: str, salt: int, quirks: Quirks) -> Ask:
        """Raises BadRequest."""
        ...

    def render(self, ask: Ask, plan: Plan, created: int, quirks: Quirks) -> Rendering: ...

    def headers(self, ask: Ask) -> Headers:
        """What such an upstream says of itself: none of it may reach a gateway's client."""
        ...

    def error_body(self, status: int, message: str, code: str | None = None, param: str | None = None) -> bytes: ...

    def error_event(self, message: str) -> bytes:
        """An error inside a stream."""
        ...
