"""Lists of identifiers as they are kept: personal values as the hashes that snapshots have."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from io import StringIO

import contracts
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from contracts.model.of_identifiers import IdentifierList
from contracts.reading.lists import FOLDER, HEADER
from contracts.text.problems import ContractErrors
from operators.extract import Identifiers
from operators.records import Person
from operators.segments.identified import hash_of
from skep.project.personal_namespaces import personal_namespaces, tagged_paths


def with_hashes(files: dict[str, str], secret: str, spaces: Iterable[str]) -> dict[str, str]:
    """The files of a project with hashes in the place of the personal values of lists, a line for each space. Files that cannot be read
    stay as they are, for what is wrong is said of these."""
    if not any(path.startswith(f"{FOLDER}/") for path in files):
        return files
    try:
        definitions = contracts.load(files, unknown_events_ok=True, contradictions_ok=True)
    except ContractErrors:
        return files
    personal = personal_namespaces(definitions, tagged_paths(definitions)).keys()
    identifiers, hashers = Identifiers(definitions.identity), [Hasher(secret, space) for space in spaces]
    kept = {
        f"{FOLDER}/{name}": _text(_lines(listed, personal, identifiers, hashers))
        for name, listed in definitions.lists.items()
        if any(namespace in personal for namespace, _ in listed.entries)
    }
    return {**files, **kept}


def _lines(listed: IdentifierList, personal: Collection[str], identifiers: Identifiers, hashers: list[Hasher]) -> Iterator[tuple[str, str]]:
    for namespace, text in listed.entries:
        if namespace not in personal or hash_of(text) is not None:
            yield namespace, text
            continue
        found = identifiers.normalize(namespace, text)
        for hasher in hashers:
            yield namespace, hasher.personal(namespace, text if found is None else found[1])


def _text(lines: Iterable[tuple[str, str]]) -> str:
    stream = StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(lines)
    return stream.getvalue()


def with_known_lists(definitions: Definitions, people: Iterable[Person]) -> Definitions:
    """The definitions with the identifiers of people in the place of their hashes in lists; other hashes are nobody's."""
    hashed = {hash_of(text) for listed in definitions.lists.values() for _, text in listed.entries} - {None}
    if not hashed:
        return definitions
    names = [namespace.name for namespace in definitions.identity.namespaces]
    known = {each.hash: (names[each.namespace], each.value) for person in people for each in person.identifiers if each.hash in hashed}
    lists = {name: IdentifierList(name, tuple(_known(listed, known))) for name, listed in definitions.lists.items()}
    return replace(definitions, lists=lists)


def _known(listed: IdentifierList, known: Mapping[bytes, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for namespace, text in listed.entries:
        found = hash_of(text)
        if found is None:
            yield namespace, text
        elif found in known:
            yield known[found]
