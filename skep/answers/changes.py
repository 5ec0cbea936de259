"""Reading the change log, and following it."""

from __future__ import annotations

import time
from collections.abc import Iterator

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


def changes(settings: Settings, since: str | None, space: str | None, *, follow: bool) -> Iterator[bytes | None]:
    """The lines of JSON behind ``since``; with ``follow``, also what comes, without end. None: there is no more by now."""
    named, number = position(since, settings.spaces)
    with open_views(settings, space or named) as views:
        at = dict.fromkeys(views, number)
        while True:
            told = False
            for name, view in views.items():
                for sequence, line in view.changes(at[name]):
                    yield line
                    at[name], told = sequence, True
            if not follow:
                return
            yield None
            if not told:
                time.sleep(POLL_SECONDS)
            for view in views.values():
                view.refresh()


def wait_for_state(settings: Settings, since: str | None, space: str | None) -> None:
    """Return when the first run has begun to tell what `changes` asks for."""
    named, _ = position(since, settings.spaces)
    while True:
        try:
            with open_views(settings, space or named):
                return
        except NoState:
            time.sleep(1.0)
