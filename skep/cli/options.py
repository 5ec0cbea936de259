"""Options that many commands have, and how they tell what came of an entry of the control partition."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from skep.cli import console, offered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from skep.project.entries import Submitted
    from skep.project.settings import Settings

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Lines = Annotated[bool, typer.Option("--json", help="JSON lines; this is what it prints anyway.")]
Space = Annotated[str | None, typer.Option("--space", help="Only this space; the default is all of them.", autocompletion=offered.spaces)]
OneSpace = Annotated[str | None, typer.Option("--space", help="The space; needed if there are several.", autocompletion=offered.spaces)]
Why = Annotated[str, typer.Option("--why", help="The reason, for those who read it later.")]


@contextmanager
def waiting(settings: Settings) -> Iterator[None]:
    """Shows that the flow is waited for, if one runs and a person watches."""
    from skep.project.process import flow_is_running

    with console.spinner("waiting for the flow …") if flow_is_running(settings) else nullcontext():
        yield


def answer(found: T, show: Callable[[T], object], *, json: bool) -> None:
    """Print an answer: as JSON for programs, or as ``show`` makes it for people."""
    if json:
        console.json_line(found)
    else:
        show(found)


def answers(found: Sequence[T], show: Callable[[T], object], *, json: bool) -> None:
    """The same of a list, each of which is shown."""
    answer(found, lambda all_of_it: [show(one) for one in all_of_it], json=json)


def tell(submitted: Sequence[Submitted], *, json: bool) -> None:
    """What came of these entries; exit code 1 if the flow has refused one of them."""
    from skep.project.entries import told

    if json:
        console.json_line(submitted)
    for line in [] if json else told(submitted):
        console.out.print(line)
    fail_if_refused(submitted)


def fail_if_refused(submitted: Sequence[Submitted]) -> None:
    """Exit code 1 if the flow has refused one of these entries."""
    if any(one.answer and not one.answer.get("ok", True) for one in submitted):
        raise SystemExit(1)
