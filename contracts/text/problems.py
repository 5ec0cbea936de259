"""What is wrong with a project's files: every problem with its place, collected and raised together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from contracts.text.synonyms import meanings

FEW = 15
"""So many choices are listed where none of them is near to what was written."""
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
        return self.file if self.file in _OUTSIDE or self.file.startswith(("./", "../", "/")) else f"contracts/{self.file}"

    def __str__(self) -> str:
        where = (f"{self.place}:{self.line}: " if self.line else f"{self.place}: ") + (f"{self.key}: " if self.key else "")
        return f"{where}expected {self.expected}, found {self.found}" + (f" ({self.hint})" if self.hint else "")


class ContractErrors(Exception):  # noqa: N818 - it holds several
    """All the problems of a set of files, sorted by file and line, without repeats."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


class Unexpected(ValueError):  # noqa: N818 - it says what was expected
    """A value that cannot be read: ``str()`` of it says what was expected, ``hint`` what to write."""

    def __init__(self, expected: str, hint: str = "") -> None:
        super().__init__(expected)
        self.hint = hint


def closest(word: str, known: Iterable[str]) -> str:
    """``did you mean …?`` if one of the known words means the same or is near, else an empty text."""
    by_case = {one.casefold(): one for one in known if one != word}
    near = get_close_matches(word.casefold(), by_case, n=1, cutoff=0.6)
    return meant(word, by_case.values()) or (f"did you mean {by_case[near[0]]}?" if near else "")


def meant(word: str, known: Iterable[str]) -> str:
    """``did you mean …?`` if one of the known words is what another language calls so, else an empty text."""
    known = set(known)
    return next((f"did you mean {one}?" for one in meanings(word) if one in known), "")


def choices(word: str, names: Iterable[str]) -> str:
    """`closest` of names that the message does not list itself; of a few, of which none is near, all of them."""
    names = sorted(set(names))
    few = f"there {'is' if len(names) == 1 else 'are'} {listed(names, 'and')}" if 0 < len(names) <= FEW else ""
    return closest(word, names) or few


def listed(words: Iterable[str], last: str = "or") -> str:
    """The words as prose: ``a, b or c``."""
    words = list(words)
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
