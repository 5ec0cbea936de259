"""The project that a command is about: its settings, read when the command begins and not when it is defined."""

# ruff: noqa: PLC0415 - a command starts without the libraries that only others need

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

    from skep.project.settings import Settings


def settings_of(context: typer.Context, **overrides: Any) -> Settings:
    """The settings of the project of ``skep --project``; what is logged from now on is as they want it. Raises `ContractErrors`."""
    return settings_at(folder_of(context), **overrides)


def folder_of(context: typer.Context) -> Path | None:
    """The folder that ``skep --project`` says."""
    said = context.find_root().params.get("project")
    return Path(said) if said else None


def settings_at(project: Path | None, **overrides: Any) -> Settings:
    """The same of a project folder; None as `Settings.load` has it."""
    from skep.project.settings import Settings

    settings = Settings.load(project, **overrides)
    os.environ["SKEP_LOG"] = settings.log
    return settings
