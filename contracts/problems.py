"""What is wrong with a project's files: every problem with its place, collected and raised together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_OUTSIDE = frozenset({"skep.yaml", "environment"})
"""What a problem names that is not below the contracts folder."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to repair: ``file`` below the project's contracts folder, ``key`` as ``who.all[1].times``.

    ``line`` counts from 1; 0 is for what stands in no file (an environment variable).
    """

    file: str
    line: int
    key: str
    expected: str
    found: str
    hint: str = ""

    @property
    def place(self) -> str:
        """The file as a person in the project folder names it."""
        return self.file if self.file in _OUTSIDE else f"contracts/{self.file}"

    def __str__(self) -> str:
        where = (f"{self.place}:{self.line}: " if self.line else f"{self.place}: ") + (f"{self.key}: " if self.key else "")
        return f"{where}expected {self.expected}, found {self.found}" + (f" ({self.hint})" if self.hint else "")


class ContractErrors(Exception):  # noqa: N818 - it holds several
    """All the problems of a set of files, sorted by file and line, without repeats."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def closest(word: str, known: Iterable[str]) -> str:
    """``did you mean …?`` if one of the known words is near, else an empty text."""
    near = get_close_matches(word, [one for one in known if one != word], n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def listed(words: Iterable[str]) -> str:
    """The words as prose: ``a, b or c``."""
    words = list(words)
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
