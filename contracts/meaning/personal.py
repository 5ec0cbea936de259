"""Where the values that a contract tags as personal stand in an event, so that they leave the store as hashes only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from contracts.envelope import judged_part
from contracts.meaning.properties import Properties
from contracts.meaning.reach import Reach, Spot, reach_of
from contracts.model.upcast_steps import Step as UpcastStep
from contracts.model.upcast_steps import Upcast
from contracts.model.versions import newest, way
from schemalogic.document import Document, Place
from schemalogic.paths import Step, parse_path

DEPTH_MAX = 12
"""What lies deeper is hidden whole."""
PATHS_MAX = 500
"""Personal paths of one contract that are told apart."""
Path = tuple[Step, ...]
Hidden = tuple[str, Path]
"""The namespace whose identifier a value is, empty if it is none, and its path in the body of the event; None is every item
of a list, and every member of an object."""


def personal_paths(properties: Properties) -> dict[str, list[Hidden]]:
    """By event, what some version of its contract tags as personal; stored events may be of any version."""
    found: dict[str, dict[Path, str]] = {}
    for event, versions in properties.contracts.items():
        root = judged_part(event)
        paths = found.setdefault(event, {})
        for contract in versions:
            upcasts = way(contract.version, properties.upcasts.get(event, ()), newest(versions).version)
            for steps, identifier in _carried(tagged_paths(properties.document(contract)), upcasts):
                paths[root, *steps] = paths.get((root, *steps)) or identifier
    return {event: [(namespace, path) for path, namespace in paths.items()] for event, paths in found.items() if paths}


def tagged_paths(document: Document) -> list[tuple[Path, str]]:
    """What is tagged below the root, with its namespace; each of its properties whole if that is too much to tell apart."""
    walk = _Walk(reach_of(document))
    found = list(islice(walk.top(), PATHS_MAX + 1))
    return found if len(found) <= PATHS_MAX else list(walk.whole())


def _carried(paths: list[tuple[Path, str]], upcasts: Iterable[Upcast]) -> list[tuple[Path, str]]:
    """The paths, and where upcasts put what stands there: stored documents are shown as they are read now."""
    for upcast in upcasts:
        for step in upcast.steps:
            pairs = _led(step)
            paths = [*paths, *((now, name) for path, name in paths for source, target in pairs for now in _moved(path, source, target))]
    return paths


def _led(step: UpcastStep) -> list[tuple[Path, Path]]:
    """From where to where a step of an upcast takes values."""
    spec = step.spec
    if step.kind == "rename":
        return [(parse_path(old), (*parse_path(old)[:-1], *parse_path(new))) for old, new in spec.items()]
    if step.kind == "move":
        sources, targets = [spec["from"]], [spec["to"]]
    elif step.kind == "split":
        sources, targets = [spec["path"]], spec["into"]
    elif step.kind == "join":
        sources, targets = spec["paths"], [spec["into"]]
    else:
        return []
    return [(parse_path(source), parse_path(target)) for source in sources for target in targets]


def _moved(path: Path, source: Path, target: Path) -> list[Path]:
    """Where a personal path leads to after the value at ``source`` has gone to ``target``; nowhere if neither holds the other."""
    alike = all(a == b or not (isinstance(a, str) and isinstance(b, str)) for a, b in zip(path, source, strict=False))
    return [(*target, *path[len(source) :])] if alike else []


class _Walk:
    """Goes where a tag is, and nowhere else."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def top(self) -> Iterator[tuple[Path, str]]:
        """What is tagged below the root; a tag of the root itself means each of its members."""
        root = self._reach.root
        if self._is_tagged(root):
            yield from (((name,), self._identifier(self._reach.below(root, name))) for name in self._reach.names(root))
            yield (None,), ""
        else:
            yield from self._tagged(root, (), frozenset())

    def whole(self) -> Iterator[tuple[Path, str]]:
        """The properties in which something is tagged."""
        root = self._reach.root
        yield from (((name,), "") for name in self._reach.names(root) if self._leads(self._reach.below(root, name)))

    def _tagged(self, spot: Spot, steps: Path, seen: frozenset[Place]) -> Iterator[tuple[Path, str]]:
        if not self._leads(spot):
            return
        # What contains itself is hidden whole where it comes again.
        again = len(steps) >= DEPTH_MAX or not seen.isdisjoint(spot)
        if again or self._is_tagged(spot) or self._leads(self._reach.wild(spot)):
            yield steps, self._identifier(spot)
            return
        for step in (*filter(_is_text, self._reach.names(spot)), *([None] if self._reach.has_items(spot) else [])):
            yield from self._tagged(self._reach.below(spot, step), (*steps, step), seen | {*spot})

    def _leads(self, spot: Spot) -> bool:
        return not self._reach.leading.isdisjoint(spot)

    def _is_tagged(self, spot: Spot) -> bool:
        return any(place in self._reach.tagged for place in spot)

    def _identifier(self, spot: Spot) -> str:
        said = (place.schema.get("x-identifier") for place in spot)
        return next((one for one in said if isinstance(one, str)), "")


def _is_text(name: str) -> bool:
    """Half a character cannot be sent: no record has such a name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
