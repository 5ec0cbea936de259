"""`skep identity train`, `evaluate`: probabilistic links, learned from records and measured beside the truth."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skep.cli import offered
from skep.cli.console import json_line, spinner
from skep.cli.context import settings_of
from skep.cli.options import Json, answer

matching_app = typer.Typer()

Rules = Annotated[Path, typer.Option(metavar="RULES.yaml", help="The rules: a file like contracts/identity.yaml, with `probabilistic`.")]


@matching_app.command("train")
def train(
    context: typer.Context,
    *,
    rules: Rules,
    events: Annotated[Path | None, typer.Option(metavar="EVENTS.jsonl", help="Events; the default is the people of the project.")] = None,
    target: Annotated[Path | None, typer.Option("--out", metavar="MODEL.json", help="The model (default: what the rules name).")] = None,
    labels: Annotated[Path | None, typer.Option(metavar="TRUTH.jsonl", help="Whose identifiers are, as far as it is known.")] = None,
    space: Annotated[
        str | None, typer.Option("--space", help="The space of the people; needed if there are several.", autocompletion=offered.spaces)
    ] = None,
    json: Json = False,
) -> None:
    """Learn from records how much each comparison says.

    Write the model, and a chart of its weights beside it.

    Example: skep identity train --rules contracts/identity.yaml --events events.jsonl --out contracts/identity_model.json
    """
    from skep.cli.show.training import show_training
    from skep.tools.training import commands

    with spinner("comparing records …"):
        if events is None:
            told = commands.train_project(settings_of(context), space, rules, target, labels)
        else:
            told = commands.train_file(rules, events, target, labels)
    if json:
        json_line(told.row())
    else:
        show_training(told)


@matching_app.command("evaluate")
def evaluate(
    rules: Rules,
    events: Annotated[Path, typer.Option(metavar="EVENTS.jsonl", help="Events, manual links and unlinks among them, in any order.")],
    truth: Annotated[Path, typer.Option(metavar="TRUTH.jsonl", help="Lines of {namespace, value, person}.")],
    chart: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="A picture of the measures by threshold.")] = None,
    json: Json = False,
) -> None:
    """Measure whom rules and their model find in a file of events. Identifiers without truth are left out.

    Example: skep identity evaluate --rules identity.yaml --events events.jsonl --truth _truth.jsonl --chart thresholds.svg
    """
    from skep.cli.show.training import show_evaluation
    from skep.tools.training import commands

    with spinner("comparing records …"):
        told = commands.evaluate_file(rules, events, truth, chart)
    answer(told, show_evaluation, json=json)
