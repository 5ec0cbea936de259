"""Which browser, system and device a user agent is."""

from __future__ import annotations

from typing import Any

import orjson
from ua_parser import lazy
from ua_parser.core import Domain
from ua_parser.re2 import Resolver

from contracts.model.lookup import VERSION, Lookup, key_reader
from operators.lookups.found import CACHE_MAX, Found, chosen, found


class Agents:
    """``content`` are the patterns (`connectors.lookups.agent_patterns`); what none of them knows is left out."""

    def __init__(self, lookup: Lookup, version: str, content: bytes) -> None:
        browsers, systems, devices = orjson.loads(content)
        self._resolve = Resolver(
            (
                [lazy.UserAgentMatcher(*one) for one in browsers],
                [lazy.OSMatcher(*one) for one in systems],
                [lazy.DeviceMatcher(*one) for one in devices],
            )
        )
        self._key = key_reader("text")
        self._lookup, self._version = lookup, version
        self._known: dict[str, Found] = {}

    def look(self, value: Any) -> Found | None:
        """What a user agent finds; None if it is no text."""
        key = self._key(value)
        if key is None:
            return None
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            known = self._known[key] = found({**chosen(self._lookup, self._parsed(key)), VERSION: self._version})
        return known

    def _parsed(self, key: str) -> dict[str, Any]:
        result = self._resolve(key, Domain.ALL)
        browser, system, device = result.user_agent, result.os, result.device
        said = {
            "browser": browser and browser.family,
            "browser_version": browser and _version(browser.major, browser.minor, browser.patch),
            "os": system and system.family,
            "os_version": system and _version(system.major, system.minor, system.patch),
            "device": device and device.family,
            "brand": device and device.brand,
            "model": device and device.model,
        }
        return {name: one for name, one in said.items() if one}


def _version(*parts: str | None) -> str:
    """``17.5`` of 17, 5 and nothing."""
    there: list[str] = []
    for part in parts:
        if not part:
            break
        there.append(part)
    return ".".join(there)
