"""`skep contracts …`: what one can do with contracts beside loading them."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import json as jsons
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

contracts_app = typer.Typer(help="Versions of contracts: compared, made, and what hangs on them.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


class Mode(StrEnum):
    """Which way schemas are compared."""

    backward = "backward"
    forward = "forward"
    full = "full"


@contracts_app.command()
def compat(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="OLD.json", help="The schema of before.")],
    new: Annotated[Path, typer.Argument(metavar="NEW.json", help="The schema of now.")],
    mode: Annotated[
        Mode, typer.Option(help="backward: what is valid under OLD is valid under NEW; forward: the other way round; full: both.")
    ] = Mode.backward,
    json: Json = False,
) -> None:
    """Say whether one JSON Schema can replace another, with an example for each reason why not.

    Exit code 0: compatible; 1: not, or undecided; 2: a file is unusable or the call is wrong; 3: any other failure.

    Example: skep contracts compat contracts/events/order_completed/1-0-0.json order_completed.json
    """
    from skep.compat import FAILED, UNUSABLE, Comparison, compare
    from skep.console import fail

    try:
        outcome = compare(Comparison(old, new, mode.value, _asserts_formats(context)))
    except Exception as error:  # noqa: BLE001 - 1 is an answer of this command, so no failure may end with it
        fail(f"{type(error).__name__}: {error}", FAILED)
    if outcome.code in {UNUSABLE, FAILED}:
        fail("\n".join(outcome.errors), outcome.code)
    typer.echo(jsons.dumps(outcome.report) if json else "\n".join(_lines(outcome.report)))
    raise SystemExit(outcome.code)


def _asserts_formats(context: typer.Context) -> bool:
    """Whether the project of the command, if there is one, asserts formats."""
    project = context.find_root().params.get("project") or Path()
    if not (project / "skep.yaml").exists():
        return False
    from skep.settings import Settings

    return Settings.load(project).formats == "assert"


_WAYS = {"backward": ("OLD", "NEW"), "forward": ("NEW", "OLD"), "full": ("one", "the other")}


def _lines(report: dict[str, Any]) -> list[str]:
    first, second = _WAYS[report["mode"]]
    if report["compatible"]:
        return [f"compatible: everything that is valid under {first} is valid under {second}"]
    lines = []
    for reason in report["reasons"]:
        first, second = _WAYS[reason["mode"]]
        if reason["keyword"] == "undecided":
            lines.append(
                f"undecided: whether everything that is valid under {first} is valid under {second} was neither proven nor refuted"
            )
            continue
        change = f"{_short(reason['old'])} → {_short(reason['new'])}"
        lines.append(f"{reason['path'] or '/'}  {reason['keyword']}: {change}")
        if "example" in reason:
            lines.append(f"    valid under {first}, not under {second}: {_short(reason['example'], 2000)}")
    return [f"not compatible ({report['mode']}):", *(f"  {line}" for line in lines)]


def _short(value: Any, length: int = 100) -> str:
    text = "–" if value is None else jsons.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else text[: length - 1] + "…"
