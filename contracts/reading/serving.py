"""Whether what a destination's file names may serve the purpose that it is told for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.meaning.inheritance import Inheritance
from contracts.meaning.tags import Tags
from contracts.meaning.withheld import purposes_of, serves
from contracts.model.definitions import Segment
from contracts.model.destinations import Destination
from contracts.reading.events_wanted import is_wanted
from contracts.text.problems import Unexpected, listed
from contracts.text.templates import holes_of
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path, path_text


def check_serving(reader: Reader, at: Tree, destination: Destination, segments: Iterable[Segment], inheritance: Inheritance) -> None:
    """Problems of paths to what may not serve: it would never be there."""
    purposes = purposes_of(destination, segments)
    parts = at.value if isinstance(at.value, dict) else {}
    for key in ("requests", "columns", "key"):
        for text, place in _texts(parts.get(key)):
            for what, tags in _named(text, destination, inheritance):
                _refuse(reader, place, what, tags, purposes)
    chosen = parts.get("traits")
    for name, place in _chosen(chosen):
        _refuse(reader, place, f"the trait {name}", _of_trait(name, inheritance), purposes)


def _refuse(reader: Reader, at: Tree, what: str, tags: Tags, purposes: frozenset[str]) -> None:
    if not serves(tags, purposes):
        served = listed(sorted(tags.purposes or ())) or "no purpose"
        said = f"{' and '.join(tags.limits)} {'says' if len(tags.limits) == 1 else 'say'} so" if tags.limits else ""
        told = f"may serve {listed(sorted(purposes))}" if purposes else "may serve whatever people agreed to"
        reader.refuse(at, f"something that {told}", f"{what}, which may serve only {served}", said)


def _texts(at: Tree | None) -> Iterator[tuple[str, Tree]]:
    """Every path and template below a place."""
    if at is None:
        return
    if isinstance(at.value, str):
        yield at.value, at
    for part in at:
        yield from _texts(part)


def _named(text: str, destination: Destination, inheritance: Inheritance) -> Iterator[tuple[str, Tags]]:
    try:
        paths = holes_of(text) if "{" in text else (text,)
        steps = [parse_path(path) for path in paths]
    except (Unexpected, ValueError):
        return
    for path in steps:
        if path[:2] == ("person", "traits") and len(path) > 2:
            yield path_text(path), _of_trait(str(path[2]), inheritance)
        elif path[:2] in {("event", "properties"), ("event", "traits")} and len(path) > 2:
            judged = [one for one in inheritance.properties.contracts if (one in {"identify", "group"}) is (path[1] == "traits")]
            for event in judged:
                if is_wanted(destination.events, event):
                    yield path_text(path), inheritance.properties.tags(event, path_text(path[2:]))


def _of_trait(name: str, inheritance: Inheritance) -> Tags:
    return inheritance.of("trait", name).joined(inheritance.properties.tags("identify", path_text((name,))))


def _chosen(at: Tree | None) -> Iterator[tuple[str, Tree]]:
    if at is not None and isinstance(at.value, dict):
        yield from at.value.items()
    elif at is not None:
        yield from ((str(part.value), part) for part in at)
