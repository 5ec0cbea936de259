"""How a visit came: from UTM parameters and the referrer to a channel, by rules of which the first counts that holds."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import orjson

from contracts.model.event import Event
from contracts.model.lookup import KEY_MAX_BYTES, VERSION, Lookup
from operators.lookups.found import CACHE_MAX, Found, chosen, found

CLICKS = (
    "gclid", "gbraid", "wbraid", "dclid", "msclkid", "yclid", "fbclid", "ttclid", "twclid", "li_fat_id", "rdt_cid", "epik", "sccid",
)  # fmt: skip
"""Parameters by which an advertiser knows a click again; the first that is there is the visit's."""
_URL_MAX = 8_000
"""A longer address says nothing."""


class Arrival(NamedTuple):
    """What an event says of how the visit came; ``""`` is nothing said."""

    source: str
    medium: str
    campaign: str
    click: str


def arrival_of(event: Event) -> Arrival | None:
    """The visit that an event tells of; None if it has neither an address, a referrer nor a campaign.

    ``context.campaign`` stands before the parameters of the address. Without a source it is the host of the referrer, unless that is the
    address's own. Address and referrer are those of ``context.page``, else of the properties.
    """
    context = event.body.get("context")
    context = context if type(context) is dict else {}
    page = context.get("page")
    page = page if type(page) is dict else {}
    campaign = context.get("campaign")
    campaign = campaign if type(campaign) is dict else {}
    url = _text(page.get("url")) or _text(event.properties.get("url"))
    referrer = _text(page.get("referrer")) or _text(event.properties.get("referrer"))
    return arrival(url, referrer, campaign) if url or referrer or campaign else None


def arrival(url: str, referrer: str, campaign: dict[str, Any]) -> Arrival:
    """The visit to a page at an address, from a referrer, by a campaign."""
    asked = _asked(url)
    host = _host(referrer)
    source = _text(campaign.get("source")) or asked.get("utm_source", "")
    if not source and host != _host(url):
        source = host
    return Arrival(
        source.lower(),
        (_text(campaign.get("medium")) or asked.get("utm_medium", "")).lower(),
        (_text(campaign.get("name")) or asked.get("utm_campaign", "")).lower(),
        next((name for name in CLICKS if name in asked), ""),
    )


def _text(value: Any) -> str:
    return value.strip() if type(value) is str and len(value) <= _URL_MAX else ""


def _asked(url: str) -> dict[str, str]:
    """The parameters of an address; of several of one name the first."""
    query = url.partition("?")[2].partition("#")[0]
    found: dict[str, str] = {}
    for name, value in parse_qsl(query) if query else ():
        found.setdefault(name.lower(), value.strip()[:KEY_MAX_BYTES])
    return found


def _host(url: str) -> str:
    """The host of an address, without www; ``""`` of what is none."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


class Channels:
    """``content`` are the rules (`connectors.lookups.channel_rules`)."""

    def __init__(self, lookup: Lookup, version: str, content: bytes) -> None:
        self._rules: list[tuple[str, dict[str, list[str]]]] = [(name, clauses) for name, clauses in orjson.loads(content)]
        self._lookup, self._version = lookup, version
        self._known: dict[Arrival, Found] = {}

    def look(self, value: Any) -> Found | None:
        """What a `Arrival` finds."""
        known = self._known.get(value)
        if known is None:
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            known = self._known[value] = self._look(value)
        return known

    def _look(self, visit: Arrival) -> Found:
        channel = next((name for name, clauses in self._rules if _all_hold(clauses, visit)), "")
        said = {"channel": channel, "source": visit.source, "medium": visit.medium, "campaign": visit.campaign}
        return found({**chosen(self._lookup, {name: one for name, one in said.items() if one}), VERSION: self._version})


def _all_hold(clauses: dict[str, list[str]], visit: Arrival) -> bool:
    return all(_holds(clause, texts, visit) for clause, texts in clauses.items())


def _holds(clause: str, texts: list[str], visit: Arrival) -> bool:
    said: str = getattr(visit, clause)
    return any(_matches(text, said, clause == "source") for text in texts)


def _matches(text: str, said: str, host: bool) -> bool:
    """Whether a text of a rule is meant: ``none`` of nothing said; ``*`` at its ends of anything; of a host (``host``) also a part between
    dots, or of one with a dot its end."""
    if text == "none" or not said:
        return text == "none" and not said
    if text.startswith("*") or text.endswith("*"):
        inner = text.strip("*")
        if text.startswith("*") and text.endswith("*"):
            return inner in said
        return said.endswith(inner) if text.startswith("*") else said.startswith(inner)
    if said == text:
        return True
    return host and "." in said and (said.endswith("." + text) if "." in text else text in said.split("."))
