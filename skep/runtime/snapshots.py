"""Publishing the DuckDB snapshot from the state of all spaces."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import msgspec
import orjson

from contracts import ContractErrors
from operators.meta import encode as encode_meta
from operators.quality.scores import HOUR_US
from operators.view.snapshot import SnapshotRows
from operators.view.space import View
from skep.project import audited
from skep.project.defined import defined
from skep.project.log import logger
from skep.project.personal import hidden
from skep.project.settings import Settings
from skep.project.spaces import archive_path, ledger_path, open_views, snapshot_path
from skep.project.usage import members_over
from skep.project.views import own_views
from skep.runtime import metrics
from state.errors import NoState, StateError
from state.files import replace
from state.ledger import COMMITS, LedgerReader
from state.snapshot.publish import SnapshotReport, publish

FIRST_SECONDS = 2.0
"""How soon it is looked again whether there is something to publish at all: who has just begun wants to ask."""


def publish_if_new(settings: Settings) -> SnapshotReport | None:
    """Publish what is committed now; None if the snapshot that is there was made of the very same."""
    with open_views(settings) as views:
        made_of = _made_of(settings, views)
        return None if made_of == _known(settings) else _publish(settings, views, made_of)


def publish_snapshot(settings: Settings) -> SnapshotReport:
    """Publish what is committed now; the report tells which of the project's own views are missing, and why."""
    with open_views(settings) as views:
        return _publish(settings, views, _made_of(settings, views))


def _publish(settings: Settings, views: Mapping[str, View], made_of: str) -> SnapshotReport:
    """``made_of`` was asked before anything is read: what is committed meanwhile is new for the next one."""
    metrics.over_budget({space: members_over(view) for space, view in views.items() if view.meta.digest})
    clear = settings.snapshot_personal == "clear"
    # Each space by what its rows were computed by, whatever the files are by now.
    in_force = {space: view.program.definitions for space, view in views.items()}
    different = {one.digest: one for one in in_force.values()}
    hiding = {} if clear else {digest: hidden(settings, one) for digest, one in different.items()}
    with ExitStack() as stack:
        report = publish(
            snapshot_path(settings),
            archives={space: archive_path(settings, space) for space in views},
            rows={space: SnapshotRows(view, ledger=stack.enter_context(_ledger(settings, space))) for space, view in views.items()},
            personal=None if clear else {space: hiding[one.digest] for space, one in in_force.items()},
            defined=defined(different.values(), own_views(settings)),
            storage=settings.snapshot_storage,
        )
    replace(known_path(settings), orjson.dumps({"of": made_of, "file": _file(settings)}))
    return report


@contextmanager
def _ledger(settings: Settings, space: str) -> Iterator[LedgerReader | None]:
    """The ledger of a space, None if nothing of it is told by requests."""
    try:
        reader = LedgerReader(ledger_path(settings, space))
    except NoState:
        yield None
        return
    try:
        yield reader
    finally:
        reader.close()


def _told(settings: Settings, space: str) -> str:
    """What the ledger was made of."""
    with _ledger(settings, space) as ledger:
        return ((ledger and ledger.row("meta", COMMITS)) or b"").decode()


def known_path(settings: Settings) -> Path:
    """Where it is noted what the snapshot was made of."""
    return settings.data / "snapshot.json"


def _made_of(settings: Settings, views: Mapping[str, View]) -> str:
    """A digest of all that a snapshot is made of. The clock alone is something new once an hour: windows end there, and while
    following it moves with every breath."""
    spaces = {}
    for space, view in views.items():
        meta = view.meta
        hour = None if meta.clock is None else meta.clock // HOUR_US
        still = msgspec.structs.replace(meta, clock=hour, clocks={}, finished=[])
        archived = archive_path(settings, space) / "positions.json"
        spaces[space] = [encode_meta(still).hex(), archived.read_text() if archived.exists() else "", _told(settings, space)]
    own = [(view.file, view.text) for view in own_views(settings)]
    shown = [settings.snapshot_personal, settings.snapshot_storage, settings.secret, settings.formats]
    told = [*shown, version("skep"), own]
    return blake2b(orjson.dumps([told, spaces]), digest_size=16).hexdigest()


def _file(settings: Settings) -> list[int]:
    """Which file the snapshot is: another one in its place is not what was published."""
    found = snapshot_path(settings).stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns]


def _known(settings: Settings) -> str | None:
    """What the snapshot that is there was made of; None if there is none, or nobody knows."""
    try:
        noted = orjson.loads(known_path(settings).read_bytes())
        return str(noted["of"]) if noted["file"] == _file(settings) else None
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError):
        return None


def publish_every(settings: Settings, seconds: float, stopping: Callable[[], bool]) -> None:
    """Publish again and again until ``stopping``; what goes wrong is told and tried again the next time."""
    log = logger()
    metrics.serve()
    while not stopping():
        begun, again = time.monotonic(), seconds
        metrics.audited(audited.last(settings))
        try:
            report = publish_if_new(settings)
            if report is None:
                log.debug("nothing is new: the last snapshot stays")
            else:
                metrics.published(time.time(), report.seconds, report.bytes)
                for problem in report.problems:
                    log.error("a view is missing in the snapshot", file=problem.file, line=problem.line, because=problem.words)
                log.info("snapshot published", path=str(report.target), mb=round(report.bytes / 1e6, 1), seconds=round(report.seconds, 2))
        except NoState:
            log.debug("nothing to publish yet")
            again = min(seconds, FIRST_SECONDS)
        except (StateError, ContractErrors) as error:
            log.warning("snapshot not published", because=str(error))
        # After a long build the pause is as long as the build was: the flow needs the processor, too.
        pause = max(again, time.monotonic() - begun)
        while not stopping() and time.monotonic() < begun + pause:
            time.sleep(0.1)
