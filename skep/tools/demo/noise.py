"""Errors in the demo shop's people: typos, shared devices, recycled addresses, people who come back as somebody else.

With them the links between identifiers no longer tell everything. What people say of themselves (names, birthday, postcode)
is what is left, with errors of its own; `RULES` compares it.
"""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

from skep.tools.demo.visits import Device, Person, new_device
from skep.tools.starter import shop_contracts

RULES = """
probabilistic:              # people who gave no common identifier, by what they say of themselves
  model: identity_model.json
  accept: 0.95
  review: 0.80
  support: 0.1
  block:
    - [last_name, birthday]
    - [first_name, birthday]
    - [postcode, last_name]
    - [postcode, first_name]
    - [birthday, "postcode[:3]"]
  compare:
    - {trait: first_name, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
    - {trait: last_name, how: jaro_winkler, at: [0.92, 0.80], term_frequency: true}
    - {trait: birthday, how: date_difference, at: [1d, 31d, 1y]}
    - {trait: postcode, how: edit_distance, at: [1, 2]}
    - {trait: email, how: email}
"""
NEW_ACCOUNT = 0.1
"""Of those who come back: so many open another account, the others are guests."""
_AREAS = ("LS", "BS", "CF", "G", "BT", "SE", "NW", "EH")


def noisy(rng: Random, everybody: list[Person], share: float) -> list[Person]:
    """Everybody with a birthday and a postcode; of each kind of error a share of them: typos in what they say, coming back with
    other data (one more entry, of the same name); half as many share a device with somebody, or get the address that was another's."""
    found: list[Person] = []
    for person in everybody:
        person.told = {"birthday": _birthday(rng), "postcode": _postcode(rng)}
        if rng.random() < share:
            _mistype(rng, person)
        if found and rng.random() < share / 2:
            _share_device(person, rng.choice(found))
        if found and rng.random() < share / 2:
            _recycle(person, rng.choice(found))
        found.append(person)
    return found + [_back(rng, person, len(found) + at) for at, person in enumerate(found, 1) if rng.random() < share]


def noisy_rules() -> str:
    """The shop's identity rules with the part that compares people."""
    return shop_contracts()[Path("identity.yaml")].rstrip("\n") + "\n" + RULES


def _mistype(rng: Random, person: Person) -> None:
    """One of the things that a person says has a typo."""
    what = rng.choice(("first_name", "last_name", *person.told))
    if what in person.told:
        person.told[what] = typo(rng, person.told[what])
    else:
        setattr(person, what, typo(rng, getattr(person, what)).title())


def _share_device(person: Person, other: Person) -> None:
    person.logs_in = other.logs_in = True
    person.devices.append(other.devices[0])


def _recycle(person: Person, other: Person) -> None:
    """An address that another person has given up: theirs until this one comes."""
    person.logs_in, person.email = True, other.email
    person.since_ms = max(person.since_ms, other.since_ms)


def _back(rng: Random, person: Person, number: int) -> Person:
    """The same person some time later: as a guest or under another account, on another device, with data that are not quite the same."""
    person.logs_in = True
    told = dict(person.told)
    if rng.random() < 0.25:
        told["postcode"] = _postcode(rng)
    if rng.random() < 0.1:
        del told["birthday"]
    devices: list[Device] = [new_device(rng)]
    again = replace(
        person, user_id=str(number), guest=rng.random() >= NEW_ACCOUNT, email=_address(rng, person), devices=devices, told=told, orders=[],
        phone=None if rng.random() < 0.8 else person.phone,
    )  # fmt: skip
    if rng.random() < 0.5:
        _mistype(rng, again)
    return again


def _address(rng: Random, person: Person) -> str:
    """The same address, one with a typo, the same name elsewhere, or another one."""
    local, host = person.email.split("@")
    chance = rng.random()
    if chance < 0.15:
        return person.email
    if chance < 0.35:
        return f"{typo(rng, local)}@{host}"
    if chance < 0.6:
        return f"{local}@mail.example"
    return f"{person.last_name}{rng.randrange(10_000)}@mail.example".lower()


def typo(rng: Random, text: str) -> str:
    """A text with one letter or digit replaced, left out, doubled, or swapped with the next."""
    at = rng.choice([at for at, char in enumerate(text) if char.isalnum()])
    char, behind = text[at], text[at + 1 :]
    if char.isdigit():
        return text[:at] + rng.choice(string.digits.replace(char, "")) + behind
    other = rng.choice(string.ascii_lowercase.replace(char.lower(), "")) + behind
    swapped = behind[:1] + char + behind[1:] if behind[:1].isalpha() else char + char + behind
    return text[:at] + rng.choice((other, behind, char + char + behind, swapped))


def _birthday(rng: Random) -> str:
    return (date(1940, 1, 1) + timedelta(days=rng.randrange(65 * 365))).isoformat()


def _postcode(rng: Random) -> str:
    letters = "".join(rng.choices("ABDEFGHJLNPQRSTUWXYZ", k=2))
    return f"{rng.choice(_AREAS)}{rng.randrange(1, 20)} {rng.randrange(1, 10)}{letters}"
