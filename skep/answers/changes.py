"""`skep changes`: reading the change log, and following it."""

from __future__ import annotations

import time
from contextlib import suppress

from skep.cli.console import flush, print_bytes, spinner
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import open_views
from state.errors import NoState

POLL_SECONDS = 0.05


def position(since: str | None, spaces: tuple[str, ...]) -> tuple[str | None, int]:
    """``shop-0-17`` → ``("shop", 17)``, ``17`` → ``(None, 17)``, None → ``(None, -1)``, the beginning."""
    if since is None:
        return None, -1
    head, _, last = since.rpartition("-")
    space = head.rpartition("-")[0]
    if not last.isdecimal() or (head and space not in spaces):
        raise CommandError(
            f"--since: expected the id of a change such as {spaces[0]}-0-17, or its number, found {since} → `skep changes` shows them"
        )
    return space or None, int(last)


def print_changes(settings: Settings, since: str | None, space: str | None, *, follow: bool) -> None:
    """Print what lies behind ``since``; with ``follow``, also what comes, until interrupted."""
    named, number = position(since, settings.spaces)
    space = space or named
    if follow:
        _wait_for_state(settings, space)
    with open_views(settings, space) as views, suppress(KeyboardInterrupt):
        at = dict.fromkeys(views, number)
        while True:
            told = False
            for name, view in views.items():
                for sequence, line in view.changes(at[name]):
                    print_bytes(line)
                    at[name], told = sequence, True
            if not follow:
                return
            flush()
            if not told:
                time.sleep(POLL_SECONDS)
            for view in views.values():
                view.refresh()


def _wait_for_state(settings: Settings, space: str | None) -> None:
    with spinner("waiting for the first run …"):
        while True:
            try:
                with open_views(settings, space):
                    return
            except NoState:
                time.sleep(1.0)
