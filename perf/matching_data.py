"""Sets of person records with the truth about them: generated historical persons, and CSV files of others."""

from __future__ import annotations

import csv
import io
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

PersonRecord = tuple[dict[str, str], str]
"""The traits of one record, and whose it is."""

_ONSETS = ("b", "br", "c", "ch", "cl", "d", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "r", "s", "st", "t", "th", "w", "wh")
_RIMES = ("a", "an", "ar", "e", "ell", "en", "er", "ey", "i", "il", "in", "o", "on", "or", "ow", "u", "um", "y")
_ENDS = ("ton", "ley", "son", "ham", "ford", "well", "man", "by", "worth", "ard", "ert", "as", "mond", "ia", "beth", "ence")
_JOBS = ("politician", "writer", "painter", "cricketer", "engineer", "botanist", "judge", "actor", "composer", "priest", "officer")

_MISSING = {"first_name": 0.02, "surname": 0.02, "dob": 0.2, "birth_place": 0.15, "postcode_fake": 0.2, "gender": 0.3, "occupation": 0.15}


def words(rng: random.Random, number: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < number:
        middle = rng.choice(("", rng.choice(_ONSETS) + rng.choice(_RIMES)))
        found[rng.choice(_ONSETS) + rng.choice(_RIMES) + middle + rng.choice(_ENDS)] = None
    return list(found)


class Zipf:
    """Words of which the n-th is chosen n times as rarely as the first."""

    def __init__(self, words: list[str], flatness: float) -> None:
        self._words = words
        self._weights = [1 / (at + 1) ** flatness for at in range(len(words))]

    def choice(self, rng: random.Random) -> str:
        return rng.choices(self._words, self._weights)[0]


@dataclass
class _Person:
    """One historical person, with the other ways in which each thing about them is written."""

    first: list[str]
    last: list[str]
    born: date
    place: list[str]
    postcodes: list[str]
    gender: str
    jobs: list[str]


class Historical:
    """Persons of five centuries: families, namesakes, titles, years without days, and five to twenty records of most of them."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._first = Zipf(words(self._rng, 400), 0.9)
        self._last = Zipf(words(self._rng, 4000), 0.65)
        self._places = Zipf(words(self._rng, 300), 0.8)
        self._counties = words(self._rng, 40)
        self._county: dict[str, str] = {}
        self._area: dict[str, str] = {}

    def records(self, number: int) -> list[PersonRecord]:
        """So many records, in random order."""
        rng, found, persons = self._rng, [], 0
        relative: _Person | None = None
        while len(found) < number:
            person = self._person(relative if relative and rng.random() < 0.5 else None)
            relative = person
            persons += 1
            times = rng.choice((1, 2, 3)) if rng.random() < 0.15 else rng.randint(5, 20)
            found += [(self._record(person), f"q{persons}") for _ in range(times)]
        rng.shuffle(found)
        return found[:number]

    def _person(self, relative: _Person | None) -> _Person:
        rng = self._rng
        firsts = [self._first.choice(rng) for _ in range(3)]
        if relative and rng.random() < 0.35:
            firsts[0] = relative.first[0]
        place = relative.place[0] if relative and rng.random() < 0.6 else self._places.choice(rng)
        county = self._county.setdefault(place, rng.choice(self._counties))
        area = self._area.setdefault(place, "".join(rng.choices(string.ascii_lowercase, k=2)) + str(rng.randint(1, 30)))
        born = date(1500, 1, 1) + timedelta(days=rng.randint(0, 170_000))
        if relative:
            born = relative.born + timedelta(days=rng.randint(-3650, 12000))
        if rng.random() < 0.3:
            born = born.replace(month=1, day=1)
        return _Person(
            first=[firsts[0], firsts[0][: rng.randint(3, 4)] + rng.choice(("", "y", "ie")), firsts[1]],
            last=[relative.last[0] if relative else self._last.choice(rng), self._last.choice(rng)],
            born=born,
            place=[place, county],
            postcodes=[f"{area} {rng.randint(1, 9)}{''.join(rng.choices('abdefghjlnpqrstuwxyz', k=2))}" for _ in range(rng.randint(1, 3))],
            gender=rng.choice(("male", "male", "female")),
            jobs=rng.sample(_JOBS, rng.choice((1, 1, 2))),
        )

    def _record(self, person: _Person) -> dict[str, str]:
        rng = self._rng
        found = {
            "first_name": self._typo(rng.choices(person.first, (80, 13, 7))[0], 0.10),
            "surname": self._typo(rng.choices(person.last, (90, 10))[0], 0.12),
            "dob": self._date(person.born),
            "birth_place": self._typo(rng.choices(person.place, (85, 15))[0], 0.04),
            "postcode_fake": self._typo(rng.choice(person.postcodes), 0.12),
            "gender": person.gender,
            "occupation": rng.choice(person.jobs),
        }
        return {name: value for name, value in found.items() if rng.random() >= _MISSING[name]}

    def _date(self, born: date) -> str:
        rng = self._rng
        shape = rng.random()
        if shape < 0.15:
            born = born.replace(month=1, day=1)
        elif shape < 0.22:
            born = born + timedelta(days=rng.choice((-366, -365, -31, -30, -1, 1, 2, 30, 31, 365, 366, 3652)))
        return self._typo(born.isoformat(), 0.05)

    def _typo(self, text: str, chance: float) -> str:
        rng = self._rng
        while text and rng.random() < chance:
            at = rng.randrange(len(text))
            one = rng.choice(string.digits if text[at].isdigit() else string.ascii_lowercase)
            text = text[:at] + rng.choice((one, one + text[at], "", text[at : at + 2][::-1])) + text[at + rng.choice((1, 1, 2)) :]
        return text


def fake_1000(file: Path) -> list[PersonRecord]:
    """The set ``fake_1000`` of Splink."""
    return [(_without(row, "unique_id", "cluster"), row["cluster"]) for row in csv.DictReader(file.read_text().splitlines())]


def febrl(texts: list[str]) -> list[PersonRecord]:
    """Febrl data sets as CSV: ``rec-12-org`` and ``rec-12-dup-0`` are of one person."""
    rows = [row for text in texts for row in csv.DictReader(io.StringIO(text), skipinitialspace=True)]
    return [(_without(row, "rec_id"), row["rec_id"].split("-")[1]) for row in rows]


def _without(row: dict[str, Any], *names: str) -> dict[str, str]:
    return {name: value.strip() for name, value in row.items() if name not in names and value and value.strip()}


def events(records: list[PersonRecord]) -> Iterator[bytes]:
    """One identify call a record, as JSON lines."""
    for at, (traits, _) in enumerate(records):
        body = {"type": "identify", "anonymousId": f"r{at}", "messageId": f"m{at}", "timestamp": "2026-01-01T00:00:00Z", "traits": traits}
        yield orjson.dumps(body) + b"\n"


def truth(records: list[PersonRecord]) -> Iterator[bytes]:
    """Whose each record is, as JSON lines."""
    for at, (_, person) in enumerate(records):
        yield orjson.dumps({"namespace": "anonymous_id", "value": f"r{at}", "person": person}) + b"\n"
