"""What people said of answers, and what quality is expected of a model for a task.

Law: what the catalogue states, or the tier's own figure, counts like fifty opinions of the task. Half of what a model
may be better or worse than stated is expected to hold for all tasks, so that what is said of one says something of the
others; what is said where no task was named is one more of these. Scores are whole millionths from -1 to 1.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

FULL = 1_000_000  # a score of 1
PSEUDO = 50.0  # opinions that the prior counts for
_DOUBTED = 1.0  # subject: what is assumed of how far models differ
_MOST_WORTH = 500.0  # opinions
_NOTHING: dict[str, "Sum"] = {}
ANY = ""


class Subject(NamedTuple):
    """What an opinion is about. Simulated answers are judged apart: they say nothing of the model."""

    storefront: str
    model: str
    task: str
    simulated: bool


class Sum(NamedTuple):
    voices: int
    score: int  # millionths, added up


class Opinions:
    """All of them, as sums; taken over whole from whoever keeps them."""

    __slots__ = ("_sums", "changes")

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, bool], dict[str, Sum]] = {}  # by task
        self.changes = 0

    def take_over(self, sums: dict[Subject, Sum]) -> None:
        found: dict[tuple[str, str, bool], dict[str, Sum]] = {}
        for subject, one in sums.items():
            if one.voices:
                found.setdefault((subject.storefront, subject.model, subject.simulated), {})[subject.task] = one
        self._sums = found
        self.changes += 1

    def worth(self, subjects: Iterable[tuple[Subject, Callable[[str], float]]]) -> float:
        """How many opinions what was known before counts for: fewer, the more the models turn out to differ from it."""
        share = far = noise = seen = 0.0
        for subject, prior in subjects:
            for task, one in self._sums.get((subject.storefront, subject.model, subject.simulated), _NOTHING).items():
                expected = prior(task)
                strays = expected * (1 - expected)  # of one opinion, at most
                off = (one.score / FULL / one.voices + 1) / 2 - expected
                weight = one.voices / (PSEUDO + one.voices)
                share += weight * weight
                seen += weight
                noise += weight * strays
                far += weight * (off * off - strays / one.voices)
        if not seen:
            return PSEUDO
        strays = noise / seen
        spread = (_DOUBTED * strays / PSEUDO + far) / (_DOUBTED + seen)
        return min(max(strays / spread, PSEUDO), _MOST_WORTH) if spread > 0 else _MOST_WORTH

    def quality(self, subject: Subject, prior: Callable[[str], float], pseudo: float = PSEUDO) -> float:
        """From 0 to 1. `prior`: what is expected of the model for a task of that name, as long as nobody spoke."""
        expected = prior(subject.task)
        said = self._sums.get((subject.storefront, subject.model, subject.simulated))
        if said is None:
            return expected
        half = 2 * pseudo
        heard = weighed = own = own_off = 0.0
        for task, one in said.items():
            off = (one.score / FULL / one.voices + 1) / 2 - prior(task)  # -1 is not good at all, 1 is one good answer
            share = one.voices / (half + one.voices)
            heard += share
            weighed += share * off
            if task == subject.task:
                own, own_off = share, off
        common = weighed / (heard + 1)  # the best guess of two normal laws, one within the other
        return min(1.0, max(0.0, expected + common + own * (own_off - common)))
