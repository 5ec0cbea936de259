"""Who is called otherwise by what an event or an entry has done; told when that is done, so that what comes and goes meanwhile is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from operators.called import Called, called, differing
from operators.change_log import ChangeLog
from operators.records import Person


class Callings:
    """``names``: of the namespaces, by their numbers."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._before: dict[bytes, Called | None] = {}
        """How those were called of whose identifiers something may have changed, by key; None: of a profile that is new."""

        self.renamed: dict[bytes, Person] = {}
        """The same people, as long as segments have not been asked about them by that."""

    @property
    def waiting(self) -> bool:
        """Whether anybody has to be looked at."""
        return bool(self._before)

    def changes(self, person: Person, names: Sequence[str] = ()) -> None:
        """Note how somebody is called before the identifiers change. ``names``: of the namespaces where they were other rules'."""
        if person.key not in self._before:
            self._before[person.key] = called(person.identifiers, names or self._names)
        self.renamed[person.key] = person

    def created(self, key: bytes) -> None:
        """A profile is new: that it was created says so of all."""
        self._before[key] = None

    def tell(self, log: ChangeLog, person: Callable[[bytes], Person | None], dirty: dict[bytes, Person]) -> None:
        """Of profiles that were there before and still are: the namespaces in which they are called otherwise."""
        for key, before in sorted(self._before.items()):
            found = None if before is None else person(key)
            if before is None or found is None:
                continue
            namespaces = differing(before, called(found.identifiers, self._names))
            if namespaces:
                dirty[key] = found
                log.append("identity.identifiers", found, namespaces=namespaces, evidence={"namespaces": namespaces})
        self._before.clear()
        self.renamed.clear()
