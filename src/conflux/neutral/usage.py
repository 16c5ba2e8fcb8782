"""What a request used, in buckets that never overlap.

Law: every token is in exactly one bucket. A dialect normalises once, when it reads (OpenAI's prompt total
includes the cached tokens, Anthropic's does not); nobody downstream subtracts anything again.
"""

from enum import StrEnum

import msgspec


class Provenance(StrEnum):
    PROVIDER = "provider"  # the upstream reported it
    ESTIMATED = "estimated"  # counted by us, the upstream said nothing
    PARTIAL = "partial"  # the answer was cut; the last checkpoint
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"  # the upstream reported something absurd; not billed from its word


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens and items by bucket. `output` excludes `reasoning`: they are beside each other here, always."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    audio: int = 0
    image: int = 0
    search: int = 0

    @property
    def prompt_total(self) -> int:
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.audio

    @property
    def completion_total(self) -> int:
        return self.output + self.reasoning

    @property
    def total(self) -> int:
        return self.prompt_total + self.completion_total

    def plus(self, other: "Usage") -> "Usage":
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


NOTHING = Usage()
BUCKETS: tuple[str, ...] = Usage.__struct_fields__
