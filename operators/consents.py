"""What an event says about consent: decisions about the declared purposes, in any of the spellings that say yes or no."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from operators.normalize import visible

GRANTS = frozenset({
    "1", "1.0", "true", "t", "yes", "y", "on", "granted", "grant", "allowed", "allow", "accepted", "accept", "agreed", "agree", "approved",
    "consented", "enabled", "optin", "optedin", "subscribed", "subscribe",
})  # fmt: skip
"""Texts that grant: in any case and width, without what nobody sees and what stands between their words."""
DENIALS = frozenset({
    "0", "0.0", "false", "f", "no", "n", "off", "denied", "deny", "disallowed", "disallow", "declined", "decline", "rejected", "reject",
    "refused", "refuse", "revoked", "revoke", "withdrawn", "withdraw", "disagreed", "disagree", "disabled", "objected", "optout",
    "optedout", "unsubscribed", "unsubscribe",
})  # fmt: skip
"""Texts that deny, likewise."""
PREFERENCES = "categoryPreferences"

_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_])[\s_\u2010-\u2015-]+(?=[^\W\d_])")

Said = tuple[dict[str, bool] | None, tuple[str, ...]]
"""Decisions by purpose, None if there are none; and the purposes among them whose decision could not be read."""
NOTHING: Said = (None, ())


def consents(body: dict[str, Any], properties: dict[str, Any] | None, purposes: frozenset[str]) -> Said:
    """What an event says of declared purposes: its context, then ``properties`` (of an event that is about consent), which win."""
    context = body.get("context")
    consent = context.get("consent") if type(context) is dict else None
    said: dict[str, bool] = {}
    for holder in (consent, properties):
        preferences = holder.get(PREFERENCES) if type(holder) is dict else holder
        if type(preferences) is dict:
            for purpose, told in preferences.items():
                if purpose in purposes:
                    if type(told) is bool:
                        said[purpose] = told
                    elif told is not None:
                        return _spelled(consent, properties, purposes)
        elif preferences is not None:
            return _spelled(consent, properties, purposes)
    return (said, ()) if said else NOTHING


def decision(value: object) -> bool | None:
    """Whether a value grants or denies; None if it says neither."""
    if type(value) is bool:
        return value
    if type(value) is str:
        word = _BETWEEN_WORDS.sub("", visible(unicodedata.normalize("NFKC", visible(value)).casefold()))
        return True if word in GRANTS else False if word in DENIALS else None
    if (type(value) is int or type(value) is float) and value in {0, 1}:
        return value == 1
    return None


def _spelled(consent: object, properties: object, purposes: frozenset[str]) -> Said:
    """The long way: what says neither yes nor no is a denial, and told as one that could not be read."""
    said: dict[str, bool] = {}
    unread: dict[str, None] = {}
    for holder in (consent, properties):
        for purpose, told in _preferences(holder, purposes).items():
            if told is None or purpose not in purposes:
                continue
            read = decision(told)
            said[purpose] = read is True
            unread.pop(purpose, None)
            if read is None:
                unread[purpose] = None
    return (said, tuple(unread)) if said else NOTHING


def _preferences(holder: object, purposes: frozenset[str]) -> dict[str, Any]:
    """Values by purpose. In the place of the mapping, nothing and a grant name no purpose; anything else is said of every one."""
    preferences = holder.get(PREFERENCES) if type(holder) is dict else holder
    if type(preferences) is dict:
        return preferences
    empty = preferences is None or (type(preferences) in {str, list} and not preferences)
    return {} if empty or decision(preferences) is True else dict.fromkeys(sorted(purposes), preferences)
