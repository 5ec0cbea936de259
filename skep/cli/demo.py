"""`skep demo`: events of a demo shop, as many as asked at once, or live."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from skep.cli import console
from skep.cli.console import out
from skep.project.errors import CommandError

demo_app = typer.Typer()
_OF_A_NEW_ONE = ("people", "events", "seed", "conflicts", "noise", "until")
"""Options that say how a demo is made; one that goes on is what it was made."""


class _NoiseAlone(TyperCommand):
    """``--noise`` may stand without its share."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        behind = args.index("--noise") + 1 if "--noise" in args else 0
        if behind and (behind == len(args) or args[behind].startswith("-")):
            args = [*args[:behind], "0.2", *args[behind:]]
        return super().parse_args(ctx, args)


@demo_app.command(cls=_NoiseAlone)
def demo(
    context: typer.Context,
    *,
    people: Annotated[int, typer.Option(min=1, help="How many people shop.")] = 2_000,
    events: Annotated[int, typer.Option(min=1, help="How many lines to write.")] = 200_000,
    folder: Annotated[Path, typer.Option("--out", help="Where events.jsonl and _truth.jsonl go.")] = Path("data/demo"),
    seed: Annotated[int, typer.Option(help="The same seed and end give the same bytes.")] = 1,
    conflicts: Annotated[float, typer.Option(min=0.0, max=1.0, help="The share of people who share a device or an address.")] = 0.0,
    noise: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="[SHARE]", help="The share of people with errors of each kind (alone: 0.2).")
    ] = 0.0,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="When the last visits end; ISO 8601, the default is now.")] = None,
    live: Annotated[
        float | None, typer.Option(min=0.01, max=10_000, metavar="RATE", help="Go on: append so many events a second until Ctrl-C.")
    ] = None,
) -> None:
    """Write events of a demo shop, and who its people really are.

    Its last visits end now, two months of them. With --live the people of the demo in --out go on shopping: events of this moment are
    appended to its events.jsonl, for `skep run` to follow.

    With --noise: typos, shared devices, recycled addresses, people who come back as guests. Also writes identity.yaml, rules that
    compare people, trains their model beside it, and prints how many of the people it finds.

    Example: skep demo --people 2000 --events 200000 --seed 7 --out data/demo
    """
    if live is not None:
        _goes_on(context, folder, live)
        return
    from contracts.text.times import iso
    from skep.tools.demo.events import write_demo

    end_us = _end_us(until)
    with console.spinner("the demo shop is busy …"):
        written, truth = write_demo(folder, people, events, seed, conflicts, noise, end_us // 1000)
    out.print(f"{events:,} events of {people:,} people until {iso(end_us)}: {written}; who they are: {truth}")
    if noise:
        _noisy(folder / "identity.yaml", written, truth)


def _noisy(rules: Path, events: Path, truth: Path) -> None:
    """How many of the people are found, and the commands that do the same again."""
    from skep.cli.show.training import show_evaluation
    from skep.tools.demo.figures import charted, figures

    told, measures = figures(rules, events, truth, console.spinner)
    show_evaluation(measures)
    out.print(f"rules: {rules}; model: {told.model}; charts: {told.chart}, {charted(rules)}")
    out.print("The same, step by step:")
    out.print(f"  skep identity train --rules {rules} --events {events}", soft_wrap=True)
    out.print(f"  skep identity evaluate --rules {rules} --events {events} --truth {truth}", soft_wrap=True)
    out.print("A flow links these people when both files, identity.yaml and the model, lie in contracts/.")


def _end_us(until: str | None) -> int:
    from contracts.text.times import iso, parse_time

    end_us = time.time_ns() // 1_000_000_000 * 1_000_000 if until is None else parse_time(until)
    if end_us is None or not "1971" <= iso(end_us) < "2100":
        raise CommandError(f"--until: expected a time of the years 1971 to 2099 such as 2026-07-01T00:00:00Z, found {until}")
    return end_us


def _goes_on(context: typer.Context, folder: Path, rate: float) -> None:
    sources = {name: context.get_parameter_source(name) for name in _OF_A_NEW_ONE}
    given = [name for name, source in sources.items() if source is not None and source.name != "DEFAULT"]
    if given:
        raise CommandError(f"--live goes on with the demo in {folder} as it was made → leave --{given[0]} out, or make another demo first")
    from skep.tools.demo.live import found, live

    shop = found(folder)
    stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stop.append(number))
    console.err.print(f"{folder / 'events.jsonl'} gets {rate:g} events a second, of now, until Ctrl-C; `skep run` follows it")
    written = live(folder, shop, rate, lambda: bool(stop))
    out.print(f"{written:,} events appended to {folder / 'events.jsonl'}")
