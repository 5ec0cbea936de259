"""The steps of upcasts, compiled into one function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

from contracts.model.upcast_steps import Step, Upcast
from contracts.text.yaml_tree import shown
from contracts.versions.upcasts.edits import Path, Refused
from contracts.versions.upcasts.kinds import EDITS, Edit
from contracts.versions.upcasts.straight import Document, function
from schemalogic.paths import path_text


class UpcastError(ValueError):
    """A document that a step cannot change. ``path`` is the value's, with its indexes; ``reason`` says all but the place in the file."""

    def __init__(self, file: str, step: Step, path: str, expected: str, value: object) -> None:
        self.file, self.step, self.line, self.path, self.expected, self.value = file, step, step.line, path, expected, value
        self.reason = f"{path}: expected {expected}, found {shown(value)}"
        super().__init__(f"{file}:{step.line}: {self.reason}")


def compile_upcasts(upcasts: Iterable[Upcast]) -> Callable[[Document], Document]:
    """What makes of a document of the first upcast's start one of the last one's end, and raises `UpcastError`.

    The document is not changed; what the steps leave alone is shared with it.
    """
    return compile_steps([(one.file, step) for one in upcasts for step in one.steps])


def compile_steps(steps: Iterable[tuple[str, Step]]) -> Callable[[Document], Document]:
    """`compile_upcasts` of single steps, each with the file that it is of."""
    origins: list[tuple[str, Step, Path]] = []
    edits: list[Edit] = []
    for file, step in steps:
        for path, edit in EDITS[step.kind](step.spec):
            edits.append(edit)
            origins.append((file, step, path))

    def fail(at: int, refused: Refused) -> NoReturn:
        file, step, path = origins[at]
        place = path_text(_counted(refused.path or path, refused.indexes))
        raise UpcastError(file, step, place, refused.expected, refused.value)

    return function(edits, fail)


def _counted(path: Path, indexes: list[int]) -> Path:
    """The path with the index of the item in place of each ``[]``."""
    counted = iter(indexes)
    return tuple(next(counted, None) if step is None else step for step in path)
