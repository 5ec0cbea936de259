"""What becomes of demo data with errors: rules that compare people, their model, and how many of the people it finds."""

from __future__ import annotations

from pathlib import Path

from skep.cli.console import out, spinner
from skep.tools.demo.noise import noisy_rules
from skep.tools.training.commands import evaluate_file, show_evaluation, train_file


def show_figures(rules: Path, events: Path, truth: Path) -> None:
    """Write the rules, train their model beside them, print the measures and the commands that do the same again.

    Raises `CommandError` if there are too few people to learn from.
    """
    rules.write_text(noisy_rules(), encoding="utf-8")
    with spinner("learning what errors look like …"):
        told = train_file(rules, events, None, None)
    with spinner("comparing people …"):
        measures = evaluate_file(rules, events, truth, rules.with_name("thresholds.svg"))
    show_evaluation(measures)
    out.print(f"rules: {rules}; model: {told.model}; charts: {told.chart}, {rules.with_name('thresholds.svg')}")
    out.print("The same, step by step:")
    out.print(f"  skep identity train --rules {rules} --events {events}", soft_wrap=True)
    out.print(f"  skep identity evaluate --rules {rules} --events {events} --truth {truth}", soft_wrap=True)
    out.print("A flow links these people when both files, identity.yaml and the model, lie in contracts/.")
