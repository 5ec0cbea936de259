"""`skep identity train` and `evaluate`: what was learned, and what it measures."""

from __future__ import annotations

from msgspec.structs import astuple

from operators.match.scoring import weight
from skep.cli.console import out, table
from skep.cli.layout import number, prose
from skep.tools.training.commands import Told, weights
from skep.tools.training.evaluation import Calibration, Evaluation

_COMPARED = ("trait", "how", prose("level"), number("one person"), number("two people"), number("weight"))


def show_training(told: Told) -> None:
    """The weights as a table, and where the files are."""
    model = told.trained.model
    table(_COMPARED, [(one.trait, one.how, one.level, f"{one.m:.4f}", f"{one.u:.6f}", f"{one.weight:+.2f}") for one in weights(model)])
    out.print(f"prior: {model.prior:.2e}, {weight(model.prior):+.2f} bits; {model.trained['records']:,} records")
    out.print(f"alone: {model.alone:.4f} of the records, so a candidate has {weight(model.chance):+.2f} bits")
    _calibration(told.trained.calibration, "in one cluster")
    out.print(f"trained by: {'; '.join(told.trained.lines) or 'no line: too few pairs'}")
    if told.trained.labels:
        out.print(f"labels: {told.trained.labels:,} records")
    out.print(f"model: {told.model}; chart: {told.chart}")


def _calibration(found: Calibration, one: str) -> None:
    """What was stated beside what is; ``one`` says of whom."""
    columns = (number("probability from"), number("pairs"), number("stated"), number(one))
    table(columns, [(f"{row.least:g}", f"{row.pairs:,}", f"{row.stated:.4f}", f"{row.one_person:.4f}") for row in found.curve])
    out.print(f"calibration error: {found.error:.4f}")


def show_evaluation(told: Evaluation) -> None:
    """The measures by threshold; the row of ``accept`` is marked."""
    columns = ("accept", "", "precision", "recall", "f1", "b³ precision", "b³ recall", "b³ f1", "false merges", "false splits")
    rows = []
    for row in told.thresholds:
        numbers = [*astuple(row.pairwise), *astuple(row.bcubed), row.false_merges, row.false_splits]
        rows.append((f"{row.accept:g}", "←" if row.accept == told.accept else "", *(f"{number:.4f}" for number in numbers)))
    table([number(name) for name in columns], rows)
    _calibration(told.calibration, "one person")
    out.print(f"{told.records:,} records, {told.people:,} people, {told.candidates:,} pairs compared")
    if told.skipped_blocks:
        out.print(f"{told.skipped_blocks:,} blocks are larger than `block_limit` and were skipped")
