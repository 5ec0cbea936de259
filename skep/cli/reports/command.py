"""`skep report`: a command for every macro of the snapshot, with an option for each of its parameters."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from skep.cli.context import settings_of
from skep.cli.options import Json, answer
from skep.cli.reports.titles import TITLES

if TYPE_CHECKING:
    from state.snapshot.questions import Macro, Parameter


class _Reports(TyperGroup):
    """A group whose commands are the macros."""

    @property
    def commands(self) -> MutableMapping[str, Any]:
        from state.snapshot.questions import macros

        return {one.name: _Report(one) for one in sorted(macros(), key=lambda one: one.name)}

    @commands.setter
    def commands(self, _none: Any) -> None:
        """What typer knows of the group when it is made: nothing."""


class _Report(TyperCommand):
    """One macro as a command."""

    def __init__(self, macro: Macro) -> None:
        self._macro = macro
        how = [
            TyperOption(param_decls=["--json"], is_flag=True, default=False, help="Print JSON for programs: a list of objects."),
            TyperOption(param_decls=["--png"], type=Path, metavar="FILE", help="Draw it into a PNG file."),
            TyperOption(param_decls=["--html"], type=Path, metavar="FILE", help="Write one page that loads nothing."),
        ]
        parameters: list[Any] = [*map(_option, macro.parameters), *how]
        super().__init__(macro.name, params=parameters, help=f"{macro.comment}.", short_help=TITLES[macro.name], rich_markup_mode=None)

    def invoke(self, ctx: Any) -> None:
        from skep.cli.reports.shown import Shown, report

        given = dict(ctx.params)
        wanted = Shown(json=given.pop("json"), png=given.pop("png"), html=given.pop("html"))
        report(settings_of(ctx), self._macro, {name: text for name, text in given.items() if text is not None}, wanted)


reports_app = typer.Typer(cls=_Reports, invoke_without_command=True)


@reports_app.callback()
def reports(context: typer.Context, *, json: Json = False) -> None:
    """What analysts ask, as a table and a drawing.

    Alone it lists what can be asked, with an example on your own events.

    Example: skep report funnel --steps product_viewed,order_completed
    """
    if context.invoked_subcommand is None:
        from skep.cli.reports.examples import offered, print_offered

        answer(offered(settings_of(context)), print_offered, json=json)


def _option(one: Parameter) -> TyperOption:
    from skep.cli.reports.asked import kind, option

    said = "Needed." if not one.default else "" if one.default == "NULL" else f"The default is {one.default}."
    return TyperOption(param_decls=[option(one.name)], type=str, required=not one.default, metavar=kind(one.name), help=said)
