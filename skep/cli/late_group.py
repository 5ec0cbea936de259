"""A group of commands that is imported when one of them is asked for: nobody waits for commands of another group."""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


class LateGroup(TyperGroup):
    """A group whose commands are those of the `typer.Typer` that is called `app` in `module`."""

    module: str
    app: str

    def __init__(self, *args: Any, **attributes: Any) -> None:
        self._loaded: MutableMapping[str, Any] | None = None
        super().__init__(*args, **attributes)

    @property
    def commands(self) -> MutableMapping[str, Any]:
        if self._loaded is None:
            made = getattr(import_module(self.module), self.app)
            made.rich_markup_mode = self.rich_markup_mode
            self._loaded = typer.main.get_group(made).commands
        return self._loaded

    @commands.setter
    def commands(self, _none_yet: Any) -> None:
        """What typer knows of the group when it is made: nothing."""


def late(module: str, app: str, text: str) -> typer.Typer:
    """The group of this module, of which only the help text is known before one of its commands is asked for."""
    return typer.Typer(cls=type("Group", (LateGroup,), {"module": module, "app": app}), help=text, no_args_is_help=True)
