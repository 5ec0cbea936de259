"""Persons of whom ten records were copied with errors: names by other names, other dates, other addresses, or hardly more than a name.

A stand-in for Splink's 50,578 historical persons. How often each thing is missing, is shared by strangers and is the same in two
records of one person is as there, as far as it is published; everything else is generated. Of `BLOCKS`, 0.75 of the pairs of one
person share one, and 0.90 hang together by such pairs.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from datetime import date, timedelta

from perf.matching_data import PersonRecord, Zipf, words

BLOCKS = """
  block:
    - ["first_name[:3]", "surname[:4]"]
    - [surname, dob]
    - [first_name, dob]
    - [postcode_fake, first_name]
    - [postcode_fake, surname]
    - [dob, birth_place]
    - ["postcode_fake[:3]", dob]
    - ["postcode_fake[:3]", first_name]
    - ["postcode_fake[:3]", surname]
    - ["first_name[:2]", "surname[:2]", "dob[:4]"]
    - [dob, postcode_fake]
    - [dob, occupation]
"""


def compared(dates: str, postcodes: str) -> str:
    """The blocks, and comparisons of which two are these."""
    return f"""{BLOCKS}
  compare:
    - {{trait: first_name, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}}
    - {{trait: surname, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}}
    - {{trait: dob, how: {dates}}}
    - {{trait: postcode_fake, how: {postcodes}}}
    - {{trait: birth_place, how: jaro_winkler, at: [0.92], term_frequency: true}}
    - {{trait: occupation, how: exact, term_frequency: true}}
"""


COMPARED = {
    "dates and similarity": compared("date_difference, at: [1d, 31d, 1y]", "jaro_winkler, at: [0.92, 0.80]"),
    "edits": compared("edit_distance, at: [1, 2]", "edit_distance, at: [1, 2]"),
}
_JOBS = 200
_YEARS, _SPREAD = 1850, 45
"""When persons were born: the middle, and the standard deviation."""
_MISSING = {"first_name": 0.001, "surname": 0.115, "dob": 0.03, "birth_place": 0.05, "postcode_fake": 0.03, "occupation": 0.35}
_BARE = {"first_name": 0.001, "surname": 0.02, "dob": 0.7, "birth_place": 0.35, "postcode_fake": 0.7, "occupation": 0.85}
"""How often something is missing; a bare record is hardly more than a name."""


@dataclass
class _Person:
    firsts: list[str]
    lasts: list[str]
    born: date
    place: list[str]
    postcodes: list[str]
    jobs: list[str]
    other_last: float
    """How often the other surname is written: of a maiden name or a title, as often as not."""
    other_born: date
    doubt: float
    """How badly this person's records are kept: 1 as most."""


class Copies:
    """``errors``: how often a record is wrong, 1.0 as described."""

    def __init__(self, seed: int, errors: float = 1.0) -> None:
        self._rng = rng = random.Random(seed)
        self._errors = errors
        self._first = Zipf(words(rng, 700), 0.85)
        self._last = Zipf(words(rng, 7000), 0.5)
        self._places = Zipf(words(rng, 2000), 0.75)
        self._jobs = Zipf(words(rng, _JOBS), 1.1)
        self._area: dict[str, str] = {}

    def records(self, persons: int) -> list[PersonRecord]:
        """The records of so many persons, in random order."""
        rng, found = self._rng, []
        before: _Person | None = None
        for number in range(persons):
            person = self._person(before if before and rng.random() < 0.03 else None)
            before = person
            times = max(1, round(rng.gauss(10, 5.6)))
            found += [(self._record(person), f"q{number}") for _ in range(times)]
        rng.shuffle(found)
        return found

    def _person(self, relative: _Person | None) -> _Person:
        """Somebody, or a relative: of the same name and place, often even by the first name."""
        rng = self._rng
        firsts = [self._first.choice(rng) for _ in range(2)]
        if relative and rng.random() < 0.2:
            firsts[0] = relative.firsts[0]
        first = firsts[0]
        place = relative.place[0] if relative and rng.random() < 0.5 else self._places.choice(rng)
        area = self._area.setdefault(place, self._district())
        born = date(1, 1, 1) + timedelta(days=int((min(max(rng.gauss(_YEARS, _SPREAD), 1500), 1980)) * 365.24))
        if relative:
            born = relative.born + timedelta(days=rng.choice((rng.randint(-3650, 3650), rng.randint(7000, 14000))))
        if rng.random() < 0.45:
            born = born.replace(month=1, day=1)
        titled = rng.random() < 0.08
        return _Person(
            firsts=[first, first[:3] + rng.choice(("", "y", "ie")), first[0], "sir" if titled else firsts[1], firsts[1]],
            lasts=[
                relative.lasts[0] if relative else self._last.choice(rng),
                "baronet" if titled and rng.random() < 0.5 else self._last.choice(rng),
            ],
            born=born,
            place=[place, self._places.choice(rng)],
            postcodes=[self._postcode(area if rng.random() < 0.5 else self._district()) for _ in range(5)],
            jobs=[self._jobs.choice(rng) for _ in range(2)],
            other_last=rng.choice((0.3, 0.5)) if titled or rng.random() < 0.08 else 0.02,
            other_born=born.replace(month=1, day=1) if rng.random() < 0.5 else born,
            doubt=rng.choice((0.48, 0.84, 1.2, 1.56, 1.92)),
        )

    def _district(self) -> str:
        return "".join(self._rng.choices(string.ascii_lowercase, k=2)) + str(self._rng.randint(1, 30))

    def _postcode(self, area: str) -> str:
        rng = self._rng
        return f"{area} {rng.randint(1, 9)}{''.join(rng.choices('abdefghjlnpqrstuwxyz', k=2))}"

    def _record(self, person: _Person) -> dict[str, str]:
        rng = self._rng
        bad = self._errors * person.doubt * rng.choice((0.2, 0.8, 2.6))
        found = {
            "first_name": self._typo(self._one(person.firsts, (0.22, 0.01, 0.01, 0.01), bad), 0.04 * bad),
            "surname": self._typo(self._one(person.lasts, (person.other_last,), 1.0), 0.06 * bad),
            "dob": self._date(person.other_born if rng.random() < 0.4 else person.born, bad),
            "birth_place": self._typo(self._one(person.place, (0.05,), bad), 0.01 * bad),
            "postcode_fake": self._typo(self._one(person.postcodes, (0.09, 0.07, 0.05, 0.03), bad), 0.04 * bad),
            "occupation": self._one(person.jobs, (0.08,), bad),
        }
        missing = _BARE if rng.random() < 0.3 else _MISSING
        return {name: value for name, value in found.items() if value and rng.random() >= missing[name]}

    def _one(self, values: list[str], shares: tuple[float, ...], bad: float) -> str:
        """The first of the values, or another one: each as often as its share says."""
        others = [share * bad for share in shares]
        return self._rng.choices(values, [max(1 - sum(others), 0.2), *others])[0]

    def _date(self, born: date, bad: float) -> str:
        """A date of birth as it was written down: with day and month exchanged, a year or a decade off."""
        rng, drawn = self._rng, self._rng.random() / bad
        if drawn < 0.06:
            born = born.replace(day=born.month, month=min(born.day, 12))
        elif drawn < 0.14:
            born = born.replace(day=min(born.day, 28), year=born.year + rng.choice((-10, -2, -1, -1, 1, 1, 2, 10)))
        elif drawn < 0.20:
            born = born + timedelta(days=rng.choice((-30, -10, -2, -1, 1, 2, 10, 30)))
        return self._typo(born.isoformat(), 0.04 * bad)

    def _typo(self, text: str, chance: float) -> str:
        rng = self._rng
        while text and rng.random() < chance:
            at = rng.randrange(len(text))
            one = rng.choice(string.digits if text[at].isdigit() else string.ascii_lowercase)
            text = text[:at] + rng.choice((one + text[at + 1 :], one + text[at:], text[at + 1 :], text[at : at + 2][::-1] + text[at + 2 :]))
        return text
