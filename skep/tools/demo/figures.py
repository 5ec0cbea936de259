"""What becomes of demo data with errors: rules that compare people, their model, and how many of the people it finds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from skep.tools.demo.noise import noisy_rules
from skep.tools.training.commands import Told, evaluate_file, train_file
from skep.tools.training.evaluation import Evaluation


def figures(rules: Path, events: Path, truth: Path, busy: Callable[[str], AbstractContextManager[None]]) -> tuple[Told, Evaluation]:
    """Write the rules, train their model beside them, and measure it; ``busy`` shows what is waited for.

    Raises `CommandError` if there are too few people to learn from.
    """
    rules.write_text(noisy_rules(), encoding="utf-8")
    with busy("learning what errors look like …"):
        told = train_file(rules, events, None, None)
    with busy("comparing people …"):
        return told, evaluate_file(rules, events, truth, charted(rules))


def charted(rules: Path) -> Path:
    """Where the picture of the measures goes."""
    return rules.with_name("thresholds.svg")
