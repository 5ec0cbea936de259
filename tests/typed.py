"""Identifiers as people, forms and programs write them: one value in many spellings, and what stands there in place of one."""

from __future__ import annotations

from random import Random
from typing import Any

UNSEEN = ("\u200b", "\u00ad", "\ufeff", "\u2066", "\ufe0f", "\x00")
BLANKS = ("\u00a0", "\u3000", "\t", "\u2028")
NOBODY = ("Null", "undefined", " NaN\u200b", '"none"', "[object Object]", "(not set)", "00000000-0000-0000-0000-000000000000")
NUMBERS_OF_NOBODY = ("0000000000", "(000) 000-0000", "unknown123", "20260501", "123-456-789", "4.47912E+11", "+44 7712 345678 9999")
BLOCKED: dict[str, Any] = {"values": ["<B@Shop.org>", "020 7946 0959", "NULL"], "patterns": ["^C@Shop", "^0|-0", "^D3$"]}
"""Rules of a project's own, in other spellings than values come in."""


def as_typed(rng: Random, value: str) -> str:
    """The value, now and then with what nobody sees in it, other blanks around it, or in the letters of another keyboard."""
    if rng.random() < 0.8:
        return value
    at = rng.randrange(len(value) + 1)
    hidden = value[:at] + rng.choice(UNSEEN) + value[at:]
    wide = value.replace("@", "\uff20").replace(".", "\uff0e").replace("shop", "\uff33hop")
    return rng.choice(
        [hidden, rng.choice(BLANKS) + hidden, value + rng.choice(BLANKS), wide if "@" in value else value, rng.choice(NOBODY)]
    )


def retype(event: dict[str, Any]) -> None:
    """The identifiers of an event, each as somebody may have written it."""
    rng = Random(f"{event['messageId']}:typed")
    traits = event.get("context", {}).get("traits", {})
    for holder, name in ((event, "anonymousId"), (event, "userId"), (traits, "email")):
        if name in holder:
            holder[name] = as_typed(rng, holder[name])
    if "phone" in traits and rng.random() < 0.3:
        traits["phone"] = rng.choice([as_typed(rng, traits["phone"]), *NUMBERS_OF_NOBODY])
