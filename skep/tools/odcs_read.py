"""Documents of the Open Data Contract Standard 3.x as contracts: Skep's own come back as they were, others as drafts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.text.names import event_name
from contracts.text.problems import Problem
from contracts.text.times import parse_time
from contracts.text.yaml_tree import Reader, Tree
from skep.project.errors import CommandError
from skep.tools.odcs_words import Left, Part, custom, maps, root_schema

MARK = "skepContract"
"""The custom property of documents that Skep wrote."""
_END = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
}
_DOCUMENT = frozenset(["apiVersion", "kind", "id", "name", "version", "status", "schema", "team", "slaProperties", "customProperties"])
_PROMISES = ("freshness", "completeness", "endOfSupport")


@dataclass(frozen=True, slots=True)
class Imported:
    """A contract that a document gives: its place below ``contracts/``, its content, and what could not be carried over."""

    event: str
    file: str
    schema: Any
    left: tuple[str, ...]

    @property
    def text(self) -> str:
        return json.dumps(self.schema, indent=2, ensure_ascii=False) + "\n"


def read(file: str, text: str) -> list[Imported]:
    """The contracts of a file of one or several ODCS documents. Raises `CommandError` for what is no such document."""
    problems: list[Problem] = []
    found: list[Imported] = []
    for line, part in _documents(text):
        tree = Reader(problems).parse(file, "\n" * line + part)
        if tree is not None:
            found += _contracts(tree, problems)
    if not found and not problems:
        problems.append(Problem(file, 1, "schema", "an ODCS document with a schema", "none"))
    if problems:
        # The file is none of contracts/, where problems place what they name.
        raise CommandError("\n".join(str(problem).removeprefix("contracts/") for problem in sorted(problems)))
    return found


def write(found: list[Imported], folder: Path, *, force: bool = False) -> list[Path]:
    """Write the contracts below a ``contracts`` folder. Raises `CommandError`, and writes nothing, if a file is there already."""
    paths = [folder / one.file for one in found]
    taken = [path for path in paths if path.exists()]
    if taken and not force:
        raise CommandError(f"{', '.join(map(str, taken))}: expected no such file, found one → --force overwrites")
    for path, one in zip(paths, found, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one.text, encoding="utf-8")
    return paths


def _documents(text: str) -> Iterator[tuple[int, str]]:
    """Each document that says something, and how many lines stand before it."""
    start = 0
    for end in [*_END.finditer(text), None]:
        part = text[start : end.start() if end else len(text)]
        if any(line.strip() and not line.lstrip().startswith(("#", "%")) for line in part.splitlines()):
            yield text.count("\n", 0, start), part
        start = end.end() if end else start


def _contracts(tree: Tree, problems: list[Problem]) -> Iterator[Imported]:
    made, file = tree.plain(), tree.file
    line = tree.value.get("apiVersion", tree).line
    if made.get("kind") != "DataContract" or not str(made.get("apiVersion")).startswith("v3."):
        found = f"{made.get('kind')} {made.get('apiVersion')}"
        problems.append(Problem(file, line, "apiVersion", "a document of kind DataContract, apiVersion v3.…", found))
        return
    for number, part in enumerate(maps(made.get("schema"))):
        event = event_name(str(part.get("name") or ""))
        if not event:
            problems.append(Problem(file, line, f"schema[{number}].name", "a name of letters and digits", repr(part.get("name"))))
            continue
        left = Left()
        words = document_words(made, left)
        version = _version(made, left)
        left.words(made, _DOCUMENT, "")
        yield Imported(event, f"events/{event}/{version}.json", root_schema(part, words, left), tuple(left.lines()))


def document_words(made: Part, left: Left) -> Part:
    """``owner``, ``sla`` and ``status`` of a document; without Skep's mark it is a draft, whatever it says."""
    own = MARK in custom(made)
    words: Part = {}
    owner = _owner(made.get("team"), left)
    if owner:
        words["owner"] = owner
    promises = {str(one.get("property")): one for one in maps(made.get("slaProperties"))}
    sla = _sla(promises, left)
    if sla:
        words["sla"] = sla
    for name in promises:
        if name not in _PROMISES:
            left.add(f"slaProperties.{name}", "")
    for name in custom(made):
        if name != MARK:
            left.add(f"customProperties.{name}", "")
    words["status"] = _status(str(made.get("status")), promises) if own else "draft"
    return words


def _status(status: str, promises: dict[str, Part]) -> Any:
    until = promises.get("endOfSupport", {}).get("value")
    if status == "deprecated" and isinstance(until, str) and parse_time(until) is not None:
        return {"deprecated": until}
    return "draft" if status == "draft" else "live"


def _owner(team: Any, left: Left) -> str:
    """The team's name (3.1 on), else who of its members owns it."""
    members = maps(team.get("members") if isinstance(team, dict) else team)
    if isinstance(team, dict) and isinstance(team.get("name"), str) and team["name"].strip():
        if members:
            left.add("team.members", "")
        return str(team["name"])
    owners = [str(one.get("username") or one.get("name")) for one in members if str(one.get("role")).lower() == "owner"]
    if members:
        left.add("team members other than the owner", "")
    return owners[0] if owners else ""


def _sla(promises: dict[str, Part], left: Left) -> Part:
    sla: Part = {}
    if "freshness" in promises:
        value, unit = promises["freshness"].get("value"), _UNITS.get(str(promises["freshness"].get("unit")))
        if unit and isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            sla["freshness"] = f"{value}{unit}"
        else:
            left.add("slaProperties.freshness", "")
    if "completeness" in promises:
        share = promises["completeness"].get("value")
        if isinstance(share, (int, float)) and not isinstance(share, bool) and 0 <= share <= 1:
            sla["completeness"] = share
        else:
            left.add("slaProperties.completeness", "")
    return sla


def _version(made: Part, left: Left) -> str:
    found = _VERSION.match(str(made.get("version")))
    if found is None or found.end() < len(str(made.get("version"))):
        left.add(f"version {made.get('version')}", "")
    return "-".join(part or "0" for part in found.groups()) if found else "1-0-0"
