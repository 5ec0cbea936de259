"""Sessions whose anonymous events went to whoever was identified on the device before: all that depends on who is one person."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import NamedTuple

from operators.people.moments import Moments
from operators.people.store import PeopleStore
from operators.records import Identifier
from operators.stitch.owners import Visit, sessions

WINDOWS_MAX = 200_000
"""Devices and sessions that are held in memory, 200 bytes each; all are forgotten when there are more."""


class Window(NamedTuple):
    """A session with anonymous events and without an identification: ``persons`` were identified in the `backstitch` before it, two or
    more, ``last`` the last of them. If they are one person's, the events are ``last``'s, else nobody's."""

    start: int
    end: int
    persons: frozenset[bytes]
    last: bytes


class _Device:
    __slots__ = ("few", "windows")

    def __init__(self, windows: Iterable[Window]) -> None:
        self.windows: list[Window] = []
        self.few: list[frozenset[bytes]] = []
        """The smallest of their sets: whoever is in several of these is in several of all."""
        for each in windows:
            self.add(each)

    def add(self, window: Window) -> None:
        self.windows.append(window)
        if not any(each <= window.persons for each in self.few):
            self.few = [each for each in self.few if not window.persons <= each] + [window.persons]


class Windows:
    """By device: the windows of all its sessions but the latest. Held from when they are first asked for until something comes out of
    order on the device."""

    def __init__(self, store: PeopleStore, moments: Moments) -> None:
        self._store = store
        self._moments = moments
        self._rules = store.rules
        self._devices: dict[bytes, _Device] = {}
        self._size = 0
        """Devices and their windows, together."""

    def __contains__(self, device: bytes) -> bool:
        return device in self._devices

    def ends(self, held: Identifier) -> None:
        """The latest session of a device is over."""
        known = self._devices.get(held.hash)
        if known is not None:
            window = self.latest(held)
            if window is not None:
                known.add(window)
                self._size += 1
                self._trim()

    def forget(self, device: bytes) -> None:
        """What was known of a device is no longer true."""
        known = self._devices.pop(device, None)
        if known is not None:
            self._size -= 1 + len(known.windows)

    def put(self, device: bytes, visits: list[Visit]) -> None:
        """All visits of a device, in order."""
        self.forget(device)
        self._trim()
        known = self._devices[device] = _Device(each for each in list(self._of(visits))[:-1] if each is not None)
        self._size += 1 + len(known.windows)

    def _trim(self) -> None:
        if self._size > WINDOWS_MAX:
            self._devices, self._size = {}, 0

    def _of(self, visits: list[Visit]) -> Iterable[Window | None]:
        anonymous = sorted(visit.at[0] for visit in visits if visit.anonymous)
        logins: list[tuple[int, bytes]] = []
        for session in sessions(visits, self._rules):
            window = None
            if not session.identified and _any_between(anonymous, session.start, session.end):
                persons = frozenset(person for time, person in logins if time >= session.start - self._rules.backstitch)
                if len(persons) > 1:
                    window = Window(session.start, session.end, persons, logins[-1][1])
            logins += [(at[0], person) for at, person in session.identified]
            yield window

    def latest(self, held: Identifier) -> Window | None:
        """The window of the latest session of a device, if it is one."""
        device = held.device
        if device is None or not device.anonymous or device.runs or device.identified < 2 or not self._rules.by_session:
            return None
        since = device.start - self._rules.backstitch
        known = dict(device.persons)
        if device.identified > len(known):
            known.update(self._store.identified.of(held.hash))
        persons = frozenset(person for person, last in known.items() if last[0] >= since)
        return Window(device.start, device.end, persons, max(known, key=known.__getitem__)) if len(persons) > 1 else None

    def turned(self, held: Identifier, before: Callable[[bytes], bytes], after: Callable[[bytes], bytes]) -> list[tuple[Window, bool]]:
        """The sessions of a device whose events get another owner when clusters change, and whether they are nobody's then."""
        known = self._devices[held.hash]
        found = []
        latest = self.latest(held)
        windows = [] if latest is None else [latest]
        if not all(_several(each, before) and _several(each, after) for each in known.few):
            windows += known.windows
        for window in windows:
            several = _several(window.persons, after)
            if several is not _several(window.persons, before):
                found.append((window, several))
        return found


def _any_between(times: list[int], first: int, last: int) -> bool:
    here = bisect_left(times, first)
    return here < len(times) and times[here] <= last


def _several(persons: Iterable[bytes], cluster: Callable[[bytes], bytes]) -> bool:
    """Whether these are several people."""
    first = None
    for person in persons:
        found = cluster(person)
        if first is not None and found != first:
            return True
        first = found
    return False
