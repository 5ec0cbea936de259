"""The project that a command is about: its settings, read when the command begins and not when it is defined."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

    from skep.settings import Settings


def settings_of(context: typer.Context, **overrides: Any) -> Settings:
    """The settings of the project of ``skep --project``, and the log as they want it. Raises `ContractErrors`."""
    from skep import log
    from skep.settings import Settings

    settings = Settings.load(context.find_root().params.get("project"), **overrides)
    log.configure(settings.log)
    return settings
