"""`skep segments diff`: what is between two definitions of a segment: in words, key by key, and line by line."""

from __future__ import annotations

from difflib import unified_diff

import msgspec

from contracts.model.definitions import Definitions
from contracts.text.problems import choices
from skep.answers.segments.meaning import MeaningChange, SegmentMeanings, between
from skep.project.definitions import declared
from skep.project.errors import CommandError
from skep.project.in_force import in_force
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import bundles, control_path, one_space


class SegmentDiff(msgspec.Struct, frozen=True):
    """A segment by two definitions: ``before`` and ``after`` are digests. ``changes``: what says something else; ``lines``: of its file, as
    `diff -u` has them; both are empty if nothing differs."""

    space: str
    segment: str
    before: str
    after: str
    changes: list[MeaningChange]
    lines: list[str]


def difference(settings: Settings, name: str, since: str | None, to: str | None, space: str | None) -> SegmentDiff:
    """From the definitions in force, or those that ``since`` begins, to the files, or those that ``to`` begins. Raises CommandError."""
    where = one_space(settings, space)
    before = in_force(settings, where) if since is None else _named(settings, where, "--from", since)
    after = load_definitions(settings) if to is None else _named(settings, where, "--to", to)
    names = {one.name for each in (before, after) for one in each.segments}
    if name not in names:
        raise CommandError(f"expected the name of a segment, found {name} → {choices(name, names) or '`skep catalog` lists them'}")
    changes = between(SegmentMeanings(before).of(name), SegmentMeanings(after).of(name))
    return SegmentDiff(where, name, before.digest, after.digest, changes, _lines(before, after, name))


def _named(settings: Settings, space: str, option: str, beginning: str) -> Definitions:
    known = list(dict.fromkeys(entry["digest"] for entry in declared(control_path(settings, space))))
    found = [one for one in known if one.startswith(beginning)]
    if len(found) != 1:
        said = f"{beginning}, with which {' and '.join(found)} begin" if found else beginning
        raise CommandError(f"{option}: expected the beginning of a digest that was in force, found {said} → `skep audit` lists them")
    return bundles(settings)(found[0])


def _lines(before: Definitions, after: Definitions, name: str) -> list[str]:
    path = f"segments/{name}.yaml"
    was, now = ((each.files.get(path, "")).splitlines() for each in (before, after))
    return list(unified_diff(was, now, f"{before.digest}/{path}", f"{after.digest}/{path}", lineterm="", n=2))
