"""`skep run`: the flow with activation and the snapshot publisher beside it, or once through the input."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.status import Status

from operators.view import View
from skep import metrics, report, sources
from skep.console import CommandError, err, styled
from skep.late import tell_late
from skep.process import ACTIVATION, FLOW, Child, Supervisor, flow_is_running
from skep.settings import Settings, load_definitions
from skep.snapshots import publish_snapshot
from skep.spaces import open_view, open_views
from skep.status import status, summed, tell_stopped
from skep.views import tell_missing
from state.errors import NoState, StateError

STATE = ("shards", "archive", "control", "definitions", "cursors", "recovery", "skep.duckdb")
POLL_SECONDS = 1.0
STOPPED = 3
"""Exit code of a run that has left a stopped source or file unread."""


def forget(settings: Settings) -> None:
    """Remove all state and what destinations wrote below the data folder; sources stay."""
    if flow_is_running(settings):
        raise CommandError(f"--fresh: a flow is running on {settings.data} → stop it first, or leave --fresh out")
    for name in STATE:
        path = settings.data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for destination in load_definitions(settings).destinations:
        path = (settings.root / destination.path).resolve()
        if path.is_relative_to(settings.data.resolve()) and path.is_file():
            path.unlink()


def once(settings: Settings, environment: dict[str, str], *, quiet: bool = False) -> int:
    """The flow to the end of the input, then destinations, then the snapshot, then a report; the exit code."""
    supervisor = Supervisor()
    supervisor.install_signals()
    before, begun = _received(settings), time.monotonic()
    with Progress(settings, before) as progress:
        code = supervisor.run(Child("the flow", FLOW, {**environment, "SKEP_FOLLOW": "0"}, needed=True), progress.watch)
    seconds = time.monotonic() - begun
    if code or supervisor.stopping:
        return code
    code = supervisor.run(Child("activation", ACTIVATION, {**environment, "SKEP_FOLLOW": "0"}, needed=True))
    if code or supervisor.stopping:
        return code
    published = publish_snapshot(settings)
    tell_missing(published.problems)
    if not quiet:
        found = status(settings)
        report.show(found, found["received"] - before, seconds, published.target, example(settings))
        tell_late(found, settings)
    return _stopped(settings)


def _stopped(settings: Settings) -> int:
    """`STOPPED`, said loudly, if the input was not read to its end because a source or a file is stopped; else 0."""
    found = status(settings)
    sources.tell(found["files"])
    if found["stopped"]:
        tell_stopped(found)
    return STOPPED if found["stopped"] or any(one["state"] == "stopped" for one in found["files"]) else 0


def follow(settings: Settings, environment: dict[str, str]) -> int:
    """Everything side by side until SIGTERM or SIGINT; the exit code."""
    supervisor = Supervisor()
    supervisor.install_signals()
    environment = {**environment, "SKEP_FOLLOW": "1"}
    every = f"{settings.snapshot_interval_us / 1e6:g}"
    return supervisor.keep(
        [
            Child("the flow", FLOW, environment | metrics.environment_of(metrics.FLOW, settings.data), needed=True),
            Child("activation", ACTIVATION, environment | metrics.environment_of(metrics.ACTIVATION, settings.data)),
            Child(
                "the snapshot publisher",
                ("-P", "-m", "skep.cli", "snapshot", "--every", every),
                environment | metrics.environment_of(metrics.PUBLISHER, settings.data),
            ),
        ]
    )


def example(settings: Settings) -> str | None:
    """An identifier worth looking at: user 42 if there is one, else the lead of some profile."""
    with open_views(settings) as views:
        for view in views.values():
            if view.profile("user_id", "42"):
                return "user_id:42"
            for namespace, value, *_ in view.identifiers():
                return f"{namespace}:{value}"
    return None


def _received(settings: Settings) -> int:
    with suppress(NoState), open_views(settings) as views:
        return int(summed([view.status() for view in views.values()])["received"])
    return 0


class Progress:
    """Tells how far the flow has come: a line that changes on a terminal, a line every ten seconds elsewhere."""

    def __init__(self, settings: Settings, before: int) -> None:
        self._settings = settings
        self._before = before
        self._views: dict[str, View] = {}
        self._begun = self._polled = self._told = time.monotonic()
        self._status: Status | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()
        for view in self._views.values():
            view.close()

    def watch(self) -> None:
        """Look at the state, at most once a second."""
        now = time.monotonic()
        if now - self._polled < POLL_SECONDS:
            return
        self._polled = now
        if self._status is None and err.is_terminal:
            # Not before the process has been started: the spinner is a thread.
            self._status = err.status(styled("the flow starts …"))
            self._status.start()
        found = self._look()
        if found:
            self._tell(found, now)

    def _look(self) -> list[dict[str, Any]]:
        found = []
        for space in self._settings.spaces:
            # Before its first commit a space cannot be read; the flow itself says what is wrong with it.
            with suppress(StateError):
                if space not in self._views:
                    self._views[space] = open_view(self._settings, space)
                self._views[space].refresh()
                found.append(self._views[space].status())
        return found

    def _tell(self, found: list[dict[str, Any]], now: float) -> None:
        total = summed(found)
        events = total["received"] - self._before
        line = f"{events:,} events, {events / (now - self._begun):,.0f} a second, {total['people']:,} people, clock {total['clock'] or '–'}"
        if self._status:
            self._status.update(styled(line))
        elif now - self._told >= 10:
            self._told = now
            err.print(line)


def source_environment(settings: Settings, source_path: Path | None) -> dict[str, str]:
    """What the processes that `skep run` starts are told."""
    environment = {"SKEP_PROJECT": str(settings.root), "SKEP_LOG": settings.log}
    return environment | ({"SKEP_SOURCE_PATH": str(source_path.absolute())} if source_path else {})
