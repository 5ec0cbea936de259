"""``events/<event>/<MODEL-REVISION-ADDITION>.json`` and ``types/<name>.json``: what the properties of an event must be."""

from __future__ import annotations

from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any
from unicodedata import normalize

from contracts.model.definitions import Contract, Version
from contracts.model.registered import read_registered
from contracts.model.versions import VERSION, version_text
from contracts.reading.ownership import read_ownership
from contracts.text.names import event_name
from contracts.text.problems import Problem
from contracts.text.schema_files import key_of, read_schema
from schemalogic.lines import line_at
from schemalogic.patterns.nodes import PatternError
from schemalogic.references import check_references
from schemalogic.validation import compile_schema

Files = dict[str, str]


def read_types(files: Files, problems: list[Problem]) -> dict[str, Any]:
    """The schemas below ``types/`` by name."""
    before = len(problems)
    types = {PurePosixPath(file).stem: read_schema(file, text, problems) for file, text in sorted(files.items())}
    found = {name: schema for name, schema in types.items() if schema is not None}
    if len(problems) == before:
        for file, text in sorted(files.items()):
            check_schema(file, text, found[PurePosixPath(file).stem], found, problems)
    return found


def read_contracts(files: Files, types: dict[str, Any], problems: list[Problem]) -> dict[str, tuple[Contract, ...]]:
    """The contracts of the JSON files below ``events/``, by event, oldest version first."""
    found: dict[str, dict[Version, Contract]] = {}
    for file, text in sorted(files.items()):
        event, version = _place(file, problems)
        schema = read_schema(file, text, problems)
        if schema is None or not check_schema(file, text, schema, types, problems) or version is None:
            continue
        versions = found.setdefault(event, {})
        if version in versions:
            expected = f"one file for version {version_text(version)}"
            problems.append(Problem(file, 1, "", expected, f"{versions[version].file} as well", "delete one of them"))
        else:
            said = read_ownership(file, text, schema, problems)
            versions[version] = Contract(event, version, schema, file, *said, read_registered(file, text, schema, problems))
    for versions in found.values():
        _gaps(sorted(versions), versions, problems)
    return {event: tuple(contract for _, contract in sorted(versions.items())) for event, versions in sorted(found.items())}


def _place(file: str, problems: list[Problem]) -> tuple[str, Version | None]:
    """The event and the version that a file's folder and name say."""
    folder, name = file.split("/")[1:]
    # Some file systems give names decomposed.
    folder = normalize("NFC", folder)
    version = VERSION.fullmatch(name.removesuffix(".json"))
    if folder != event_name(folder):
        expected = event_name(folder) or "a name of letters and digits"
        problems.append(Problem(file, 1, "", f"the folder to be named {expected}", folder, "rename the folder"))
    if version is None:
        expected = "a file named MODEL-REVISION-ADDITION.json such as 1-0-0.json"
        problems.append(Problem(file, 1, "", expected, name, "rename the file"))
        return folder, None
    return folder, (int(version[1]), int(version[2]), int(version[3]))


def check_schema(file: str, text: str, schema: dict[str, Any], types: dict[str, Any], problems: list[Problem]) -> bool:
    """Whether a schema can be used: what the meta-schema does not see, references and patterns."""
    before = len(problems)
    for place, message in check_references(schema, types):
        expected = "a $ref to a place in this file or in contracts/types/ that can be reached"
        problems.append(Problem(file, line_at(text, place), key_of(list(place)), expected, message))
    if len(problems) == before:
        try:
            compile_schema(schema, types)
        except PatternError as error:
            path = list(error.path)
            problems.append(Problem(file, line_at(text, path), key_of(path), "a pattern that runs in linear time", str(error)))
        except Exception as error:  # noqa: BLE001 - the library raises several types, all of them about the schema
            path = list(getattr(error, "instance_path", ()))
            found = str(error).splitlines()[0]
            problems.append(Problem(file, line_at(text, path), key_of(path), "a JSON Schema that can be used", found))
    return len(problems) == before


def _gaps(ordered: list[Version], versions: dict[Version, Contract], problems: list[Problem]) -> None:
    """A version that is missing between two others was promised to somebody, or is a slip of the pen."""
    for before, after in pairwise(ordered):
        model, revision, addition = before
        following = {(model, revision, addition + 1), (model, revision + 1, 0), (model + 1, 0, 0)}
        if after not in following:
            wanted = (
                (model + 1, 0, 0)
                if after[0] > model
                else (model, revision + 1, 0)
                if after[1] > revision
                else (model, revision, addition + 1)
            )
            problems.append(
                Problem(
                    versions[after].file,
                    1,
                    "",
                    f"{version_text(wanted)} after {version_text(before)}, without a gap",
                    version_text(after),
                    f"rename the file, or put {version_text(wanted)}.json back",
                )
            )
