"""The commands of `skep` in the order in which one comes to need them, under headlines, in its help."""

from __future__ import annotations

from collections.abc import Mapping

import typer
from typer.core import TyperGroup

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Begin": ("init", "demo", "run", "backfill", "status", "health"),
    "Ask": ("sql", "report", "snapshot", "profile", "account", "segments", "identity", "changes", "dump", "hash"),
    "Change definitions": ("check", "plan", "apply", "rollback", "audit", "contracts", "catalog", "schemas"),
    "Keep it in order": ("quarantine", "quality", "sources", "destinations", "deliveries", "lookups", "state"),
}


class Sections(TyperGroup):
    """A group whose help lists its commands by `SECTIONS`."""

    def list_commands(self, _context: typer.Context) -> list[str]:  # type: ignore[override]
        order = [name for names in SECTIONS.values() for name in names]
        return [*order, *sorted(self.commands.keys() - set(order))]

    def format_commands(self, _context: typer.Context, formatter: typer.HelpFormatter) -> None:  # type: ignore[override,name-defined]
        wide = max(map(len, self.commands))
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(wide), self.commands[name].get_short_help_str(formatter.width)) for name in names])
