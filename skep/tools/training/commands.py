"""What `skep identity train` and `evaluate` do with their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from contracts.model.definitions import IdentityRules
from contracts.model.probabilistic import Probabilistic
from operators.match.comparisons import levels
from operators.match.model import Model, UnusableModel, dump, load
from skep.answers.simulation.run import read_rules
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import one_space, open_views
from skep.tools.training.charts import thresholds_chart, weights_chart
from skep.tools.training.evaluation import Evaluation, evaluate, read_truth, with_truth
from skep.tools.training.fit import Trained, train
from skep.tools.training.linked import Linked
from skep.tools.training.records import Records, read_records, records_of_people
from skep.tools.training.splink_training import TrainingImpossible


@dataclass(frozen=True, slots=True)
class Told:
    """A training, with the files that it wrote."""

    trained: Trained
    model: Path
    chart: Path

    def row(self) -> Training:
        """The training for programs."""
        model = self.trained.model
        return Training(str(self.model), str(self.chart), model.prior, model.alone, weights(model), model.trained)


class Weight(msgspec.Struct, frozen=True):
    """What a level of a comparison says: its shares among pairs of one person (``m``) and of two (``u``), and its weight in bits."""

    trait: str
    how: str
    level: str
    m: float
    u: float
    weight: float


class Training(msgspec.Struct, frozen=True):
    """What was learned (``prior`` and ``alone`` as in `Model`), and the files that were written; ``trained``: from what."""

    model: str
    chart: str
    prior: float
    alone: float
    weights: list[Weight]
    trained: dict[str, Any]


def train_file(rules_file: Path, events: Path, target: Path | None, labels: Path | None) -> Told:
    """Train with the records of a file of events."""
    rules = read_rules(rules_file).identity
    return _train(rules_file, rules, _records(events, rules), target, labels)


def train_project(project: Settings, space: str | None, rules_file: Path, target: Path | None, labels: Path | None) -> Told:
    """Train with the people of a project's space, whose personal values the snapshot does not hold in the clear."""
    rules = read_rules(rules_file).identity
    only = one_space(project, space)
    with open_views(project, only) as views:
        records = records_of_people(views[only], rules)
    return _train(rules_file, rules, records, target, labels)


def _train(rules_file: Path, rules: IdentityRules, records: Records, target: Path | None, labels: Path | None) -> Told:
    settings = _settings(rules_file, rules)
    target = target or rules_file.parent / settings.model
    people = None if labels is None else with_truth(_truth(labels, rules), records)
    try:
        trained = train(records, rules, settings, people)
    except TrainingImpossible as error:
        raise CommandError(str(error)) from None
    chart = target.with_suffix(".svg")
    try:
        target.write_bytes(dump(trained.model))
        chart.write_text(weights_chart(trained.model), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{target}: expected a file that can be written: {error.strerror}") from None
    return Told(trained, target, chart)


def evaluate_file(rules_file: Path, events: Path, truth: Path, chart: Path | None) -> Evaluation:
    """The measures of the clusters that the rules and their model make of a file of events."""
    if chart is not None and chart.suffix != ".svg":
        raise CommandError(f"--chart: expected a file that ends in .svg, found {chart} → name one")
    rules = read_rules(rules_file).identity
    settings = _settings(rules_file, rules)
    model = read_model(rules_file, settings)
    known = _truth(truth, rules)
    records = _records(events, rules)
    told = evaluate(Linked(records, rules, settings, model), records, known)
    if not told.known:
        raise CommandError(f"{truth}: expected persons of identifiers of {events}, found none of them → nothing can be measured")
    if chart is not None:
        try:
            chart.write_text(thresholds_chart(told.thresholds, told.accept), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"--chart: {chart} cannot be written: {error.strerror} → name a file in a folder that is there") from None
    return told


def read_model(rules_file: Path, settings: Probabilistic) -> Model:
    """The model that the rules name. Raises `CommandError` if it is not there or cannot be used."""
    file = rules_file.parent / settings.model
    try:
        return load(file.read_bytes(), settings.compare, str(file))
    except FileNotFoundError:
        raise CommandError(
            f"{file}: expected the model that {rules_file} names, found nothing "
            f"→ `skep identity train --rules {rules_file} --events EVENTS.jsonl` writes it"
        ) from None
    except (OSError, UnusableModel) as error:
        raise CommandError(str(error)) from None


def _settings(file: Path, rules: IdentityRules) -> Probabilistic:
    if rules.probabilistic is None:
        raise CommandError(f"{file}: expected a `probabilistic` part with `block` and `compare`, found none")
    return rules.probabilistic


def _records(file: Path, rules: IdentityRules) -> Records:
    try:
        return read_records(file, rules)
    except OSError as error:
        raise CommandError(f"{file}: expected a file of events: {error.strerror}") from None


def _truth(file: Path, rules: IdentityRules) -> dict[tuple[str, str], str]:
    try:
        return read_truth(file, rules)
    except OSError as error:
        raise CommandError(f"{file}: expected lines of {{namespace, value, person}}: {error.strerror}") from None


def weights(model: Model) -> list[Weight]:
    """What a model says of each level of each comparison."""
    return [
        Weight(each.compare.trait, each.compare.how, level.label, m, u, bits)
        for each in model.comparisons
        for level, m, u, bits in zip(levels(each.compare), each.m, each.u, each.bits, strict=True)
    ]
