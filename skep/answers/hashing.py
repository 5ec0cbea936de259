"""`skep hash`: what the snapshot has in the place of an identifier, so that a list of one's own can be joined to it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from contracts.model.definitions import Definitions
from operators.extract import Identifiers
from skep.answers.profiles import check_namespace, parse
from skep.project.errors import CommandError
from skep.project.personal import hidden
from skep.project.settings import Settings
from state.snapshot.personal import Hider

DELIMITERS = ",;\t|"


class Hashing:
    """Identifiers of one space as table ``identifiers`` shows them: normalised as the flow does it, hashed if they are personal."""

    def __init__(self, settings: Settings, definitions: Definitions, space: str) -> None:
        self._definitions = definitions
        self._identifiers = Identifiers(definitions.identity)
        self._hider = None if settings.snapshot_personal == "clear" else Hider(hidden(settings, definitions), space)

    def of(self, namespace: str, text: str) -> str | None:
        """What stands for a value; None if the flow would drop it. Raises `CommandError` if there is no such namespace."""
        check_namespace([self._definitions], namespace)
        found = self._identifiers.normalize(namespace, text)
        if found is None:
            return None
        return self._hider.identifier(namespace, found[1]) if self._hider else found[1]

    def named(self, identifier: str) -> str:
        """What stands for ``namespace:value``. Raises `CommandError` if that is no identifier."""
        namespace, text = parse(identifier)
        found = self.of(namespace, text)
        if found is None:
            hint = f"`normalize` of {namespace} and `blocked` in contracts/identity.yaml say what counts"
            raise CommandError(f"{identifier}: expected a value of {namespace}, found one that the flow drops → {hint}")
        return found


class HashedColumn:
    """A CSV file in UTF-8, with names in its first line, of which one column is hashed; every other field stays as it is.

    ``dropped``: in how many of the ``rows`` read the field was no identifier; it is empty then.
    """

    def __init__(self, hashing: Hashing, namespace: str, column: str) -> None:
        self._hashing, self._namespace, self._column = hashing, namespace, column
        self.rows = self.dropped = 0

    def of(self, path: Path) -> Iterator[Sequence[str]]:
        """The rows, the names first. Raises `CommandError` for what cannot be read."""
        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                yield from self._hashed(stream, path)
        except FileNotFoundError as error:
            raise CommandError(f"--csv: expected a file, found nothing at {path} → check the path") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise CommandError(f"{path}: expected CSV in UTF-8, found {error} → save it so") from error

    def _hashed(self, stream: TextIO, path: Path) -> Iterator[Sequence[str]]:
        first = stream.readline()
        reader = csv.reader([first], delimiter=(delimiter := max(DELIMITERS, key=first.count)))
        names = next(reader, [])
        if names.count(self._column) != 1:
            found = ", ".join(names) or "nothing"
            raise CommandError(f"{path}:1: expected one column {self._column}, found {found} → name it with --column")
        yield names
        at = names.index(self._column)
        for row in csv.reader(stream, delimiter=delimiter):
            if row:
                whole = [*row, *[""] * (at + 1 - len(row))]
                yield [*whole[:at], self._field(whole[at]), *whole[at + 1 :]]

    def _field(self, text: str) -> str:
        found = self._hashing.of(self._namespace, text)
        self.rows += 1
        self.dropped += found is None
        return found or ""
