"""What people said of answers, and what quality is expected of a model for a task.

Law: what the catalogue states, or the tier's own figure, counts like fifty opinions; each real one counts once for the
task it was about, and a quarter for any task where no task was named. Scores are whole millionths from -1 to 1.
"""

from typing import NamedTuple

FULL = 1_000_000  # a score of 1
PSEUDO = 50.0  # opinions that the prior counts for
UNNAMED = 0.25  # of an opinion, where the request named no task
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
        self._sums: dict[Subject, Sum] = {}
        self.changes = 0

    def take_over(self, sums: dict[Subject, Sum]) -> None:
        self._sums = sums
        self.changes += 1

    def of(self, subject: Subject) -> Sum:
        return self._sums.get(subject, Sum(0, 0))

    def quality(self, subject: Subject, prior: float) -> float:
        """From 0 to 1."""
        named = self.of(subject)
        unnamed = self.of(subject._replace(task=ANY)) if subject.task != ANY else Sum(0, 0)
        good = _good(named) + UNNAMED * _good(unnamed)
        return (PSEUDO * prior + good) / (PSEUDO + named.voices + UNNAMED * unnamed.voices)


def _good(found: Sum) -> float:
    """-1 is not good at all, 1 is one good answer."""
    return (found.score / FULL + found.voices) / 2
