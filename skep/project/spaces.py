"""The living state of a project's spaces, read beside the flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson

import contracts
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.view.space import View
from skep.project.errors import CommandError
from skep.project.settings import Settings
from state.errors import NoState, StateError


def shard_path(settings: Settings, space: str) -> Path:
    return settings.data / "shards" / space


def ledger_path(settings: Settings, space: str) -> Path:
    """Where it is kept what destinations hold of a space."""
    return settings.data / "ledger" / space


def orders_path(settings: Settings, space: str) -> Path:
    """What commands want activation to do, one entry a line."""
    return settings.data / "orders" / f"{space}.jsonl"


def archive_path(settings: Settings, space: str) -> Path:
    return settings.data / "archive" / space


def control_path(settings: Settings, space: str) -> Path:
    return settings.data / "control" / f"{space}.jsonl"


def backfill_path(settings: Settings, space: str) -> Path:
    """Where a backfill prepares what it takes in; gone when it is done."""
    return settings.data / "backfill" / space


def snapshot_path(settings: Settings) -> Path:
    return settings.data / "skep.duckdb"


def definitions_path(settings: Settings, digest: str) -> Path:
    """Where the files of definitions that have been in force are kept."""
    return settings.data / "definitions" / f"{digest}.json"


def lookup_folder(settings: Settings, name: str) -> Path:
    """Where the versions of a lookup are kept that have been in force."""
    return settings.data / "lookups" / name


def bundles(settings: Settings) -> Callable[[str], Definitions]:
    """Finds definitions that were in force, by digest, among those that flows have kept."""

    def load_bundle(digest: str) -> Definitions:
        path = definitions_path(settings, digest)
        try:
            return contracts.load(orjson.loads(path.read_bytes()), unknown_events_ok=True, contradictions_ok=True)
        except FileNotFoundError as error:
            cure = f"restore it from a backup of {settings.data}, or contracts/ as it was then"
            raise StateError(f"the definitions {digest} are in force but {path} is not there: {cure}") from error

    return load_bundle


def open_view(settings: Settings, space: str) -> View:
    """One space as it was committed last; raises `NoState` before the first run."""
    return View.open(shard_path(settings, space), space, Hasher(settings.secret, space), bundles(settings))


@contextmanager
def open_views(settings: Settings, only: str | None = None) -> Iterator[dict[str, View]]:
    """All spaces that have state, or the one named; raises `NoState` if there is none."""
    with ExitStack() as stack:
        views: dict[str, View] = {}
        missing: NoState | None = None
        for space in chosen(settings, only):
            try:
                views[space] = open_view(settings, space)
            except NoState as error:
                missing = error
                continue
            stack.callback(views[space].close)
        if not views and missing:
            raise missing
        yield views


def chosen(settings: Settings, only: str | None) -> tuple[str, ...]:
    """The spaces that a command is about."""
    if only is not None and only not in settings.spaces:
        raise CommandError(f"--space: expected one of {', '.join(settings.spaces)}, found {only} → name one of them")
    return (only,) if only else settings.spaces


def one_space(settings: Settings, only: str | None) -> str:
    """The space that a command changes: the one named, or the only one."""
    spaces = chosen(settings, only)
    if len(spaces) > 1:
        raise CommandError(f"expected one space, found {', '.join(spaces)} in skep.yaml → say which: --space {spaces[0]}")
    return spaces[0]
