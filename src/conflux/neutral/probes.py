"""What was found out of a target by asking it.

Law: a finding says on what it stands and how old it is. It is the gateway's own knowledge: what the catalogue states
is an operator's word, which a finding may question and never overturns.
"""

from typing import Protocol

import msgspec

from conflux.neutral.records import Capability


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    target: str
    capability: Capability
    holds: bool | None  # None: nothing was found out yet
    evidence: tuple[str, ...] = ()
    found: int = 0  # milliseconds since the epoch when `holds` was found
    tried: int = 0  # when it was tried last
    cost: int = 0  # nano-USD of the last try, as far as the provider's prices are known


class ProbeBook(Protocol):
    async def findings(self) -> list[Finding]: ...

    async def keep(self, finding: Finding) -> Finding:
        """What is known now: a try that found nothing out leaves what was known."""
        ...

    async def doubt(self, target: str, capability: Capability, *, believed: bool) -> bool:
        """A yes is unknown from now on, and due at once. `believed`: without a finding too. Was it news?"""
        ...
