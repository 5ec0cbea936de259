"""`skep run`: the flow with activation and the snapshot publisher beside it, or once through the input."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from contracts.text.problems import ContractErrors
from skep.answers.status import Status, status
from skep.project.definitions import proved
from skep.project.errors import CommandError
from skep.project.exits import Exit
from skep.project.in_force import in_force, standing
from skep.project.permissions import must_write
from skep.project.process import ACTIVATION, FLOW, Child, Supervisor, flow_is_running
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import open_views
from skep.runtime import metrics
from skep.runtime.activation import pending
from skep.runtime.report import Done, Ran, Standing, decided
from skep.runtime.snapshots import publish_snapshot
from skep.runtime.starting import must_be_good
from state.errors import NoState, StateError

STATE = (
    "shards",
    "backfill",
    "archive",
    "control",
    "definitions",
    "lookups",
    "cursors",
    "ledger",
    "orders",
    "recovery",
    "skep.duckdb",
    "snapshot.json",
    "restoring",
    ".restoring",
)


def prepare(settings: Settings, *, strict: bool, fresh: bool) -> None:
    """Before the flow starts: forget all state, if ``fresh``. Raises `ContractErrors` if the files are wrong and that matters, because
    they are to be put in force or the run is ``strict``; a note of the error says what that means for the run."""
    forced = fresh or must_be_good(settings)
    try:
        if strict or forced:
            proved(settings)
    except ContractErrors as error:
        if not forced:
            error.add_note("nothing was read: files are broken; `skep run --once --in-force` goes on with what is in force")
        elif not fresh and (new := sorted(set(settings.spaces) - standing(settings).digests.keys())):
            error.add_note(f"nothing was read: files are broken, and nothing is in force yet in {' and '.join(new)}")
        raise
    if fresh:
        forget(settings)


def forget(settings: Settings) -> None:
    """Remove all state and what destinations wrote below the data folder; sources stay."""
    must_write(settings.data)
    if flow_is_running(settings):
        raise CommandError(f"--fresh: a flow is running on {settings.data} → stop it first, or leave --fresh out")
    written = _written(settings)
    for name in STATE:
        path = settings.data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in written:
        if path.is_relative_to(settings.data.resolve()) and path.is_file():
            path.unlink()


def _written(settings: Settings) -> set[Path]:
    """The files of the destinations, of those in force and of those that will be."""
    found = set()
    for space in settings.spaces:
        # What cannot be read any more is about to be forgotten.
        with suppress(StateError, ContractErrors):
            found |= {one.path for one in in_force(settings, space).destinations}
    found |= {one.path for one in load_definitions(settings).destinations}
    return {(settings.root / path).resolve() for path in found if path}


def once(settings: Settings, environment: dict[str, str]) -> Ran:
    """The flow to the end of the input, then destinations, then the snapshot; what came of it (`skep.project.exits.Exit`)."""
    must_write(settings.data)
    supervisor = Supervisor()
    supervisor.install_signals()
    before, begun = Standing.of(settings), time.monotonic()
    environment = {**environment, "SKEP_FOLLOW": "0"}
    code = supervisor.run(Child("the flow", FLOW, environment, needed=True))
    seconds = time.monotonic() - begun
    if code:
        return Ran(code)
    delivered = Exit.DONE if supervisor.stopping else supervisor.run(Child("activation", ACTIVATION, environment, needed=True))
    if supervisor.stopping:
        return Ran(Exit.INTERRUPTED, before, status=_status(settings))
    published, found, behind = publish_snapshot(settings), status(settings), pending(settings)
    done = Done(seconds, published, example(settings), decided(settings, before), behind)
    return Ran(max(stopped(found), Exit.PENDING if behind else delivered), before, found, done)


def _status(settings: Settings) -> Status | None:
    with suppress(NoState):
        return status(settings)
    return None


def stopped(found: Status) -> int:
    """`STOPPED`, if the input was not read to its end because a source or a file is stopped; else 0."""
    return Exit.STOPPED if found.stopped or any(one.state == "stopped" for one in found.files) else Exit.DONE


def follow(settings: Settings, environment: dict[str, str]) -> int:
    """Everything side by side until SIGTERM or SIGINT; the exit code."""
    must_write(settings.data)
    supervisor = Supervisor()
    supervisor.install_signals()
    environment = {**environment, "SKEP_FOLLOW": "1"}
    every = f"{settings.snapshot_interval_us / 1e6:g}"
    return supervisor.keep(
        [
            Child("the flow", FLOW, environment | metrics.environment_of(metrics.FLOW), needed=True),
            Child("activation", ACTIVATION, environment | metrics.environment_of(metrics.ACTIVATION)),
            Child(
                "the snapshot publisher",
                ("-P", "-m", "skep.cli", "snapshot", "--every", every),
                environment | metrics.environment_of(metrics.PUBLISHER),
            ),
        ]
    )


def example(settings: Settings) -> str | None:
    """An identifier worth looking at: user 42 if there is one, else the lead of some profile."""
    with open_views(settings) as views:
        for view in views.values():
            if view.profiles.held("user_id", "42"):
                return "user_id:42"
            for namespace, value, *_ in view.identity.identifiers():
                return f"{namespace}:{value}"
    return None


def source_environment(settings: Settings, source_path: Path | None) -> dict[str, str]:
    """What the processes that `skep run` starts are told."""
    environment = {"SKEP_PROJECT": str(settings.root), "SKEP_LOG": settings.log}
    return environment | ({"SKEP_SOURCE_PATH": str(source_path.absolute())} if source_path else {})
