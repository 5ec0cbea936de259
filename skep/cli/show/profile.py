"""A profile for people."""

from __future__ import annotations

from typing import Any

from skep.answers.profiles import Profile
from skep.cli.console import cell, headline, json_bytes, out, table
from skep.cli.layout import moment, prose

_GRANTED = {True: "granted", False: "denied"}


def show(profile: Profile) -> None:
    """A profile for people."""
    then = f"version {profile.version}" if profile.at is None else f"as of {cell(profile.at)}"
    headline(profile.id, f"  space {profile.space}  {then}")
    unsure = "" if profile.confidence == 1 else f", one person with a probability of {profile.confidence:g}"
    out.print(f"seen from {profile.first_seen or '–'} to {profile.last_seen or '–'}{unsure}\n")
    table(("identifier", prose("value"), moment("first seen"), moment("last seen")), profile.identifiers)
    granted = {name: _GRANTED[value] for name, value in profile.consents.items()}
    granted |= {name: f"{_GRANTED[value]} (by default: nothing was decided)" for name, value in profile.consent_defaults.items()}
    for title, rows in (("trait", profile.traits), ("consent", granted)):
        if rows:
            out.print()
            table((title, prose("")), [(name, trait_text(value)) for name, value in rows.items()])
    if profile.accounts:
        out.print()
        table((prose("account"), moment("since"), moment("until")), profile.accounts)
    out.print(f"\nsegments: {', '.join(profile.segments) or 'none'}")


def trait_text(value: Any) -> str:
    """A trait's value: texts as they are, the items of a list with commas, all else as in JSON, numbers exact."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        return ", ".join(map(trait_text, value))
    return json_bytes(value).decode()
