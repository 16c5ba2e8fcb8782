"""What must hold of any dialect's events, and random cuts of its bytes."""

import itertools
from random import Random

from conflux.neutral.events import Aside, BlockEnded, Event, Fault, Finished, Reported, ToolBegan


def cut(data: bytes, chance: Random) -> list[bytes]:
    places = sorted(chance.choices(range(len(data) + 1), k=chance.randint(0, 4)))
    edges = [0, *places, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def check_events(events: list[Event]) -> None:
    """Blocks are serial in each choice, ends come once, nothing follows a fault."""
    open_blocks: dict[int, str] = {}
    finished: set[int] = set()
    for place, event in enumerate(events):
        if isinstance(event, Fault | Reported):
            assert place == len(events) - 1
        elif isinstance(event, Aside):
            if event.kind == "citation":  # a note on the text, which may have no word yet
                assert open_blocks.setdefault(event.index, "TextDelta") == "TextDelta"
        elif isinstance(event, BlockEnded):
            del open_blocks[event.index]
        elif isinstance(event, Finished):
            assert event.index not in open_blocks
            assert event.index not in finished
            finished.add(event.index)
        elif isinstance(event, ToolBegan):
            assert event.index not in open_blocks
            open_blocks[event.index] = "ToolDelta"
        elif place:
            assert open_blocks.setdefault(event.index, type(event).__name__) == type(event).__name__  # type: ignore[union-attr]
