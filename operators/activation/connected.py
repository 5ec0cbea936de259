"""Where a destination is and how a request proves who asks: the address, headers and query that all its requests have."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from contracts.model.destinations import BUILT_IN, Destination
from contracts.text.secrets import NAMED, revealed
from operators.activation.applied import text_of
from operators.activation.saying import AS_IT_IS, SECRET, compiled, template

Reveal = Callable[[str], str]
"""Gives the secret of a name as `contracts.text.secrets.named` has them."""


def hide(_name: str) -> str:
    """Stands for each secret where nothing is sent."""
    return SECRET


@dataclass(slots=True)
class Connected:
    """``open`` is what requests may name of the connection; ``hidden`` are the texts that nobody may see."""

    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    signs: bool = False


def connected(destination: Destination, reveal: Reveal) -> Connected:
    """The connection of a destination with its secrets."""
    found, everything = Connected(), dict[str, str]()
    vendor, connection = destination.vendor, destination.connection
    for setting in vendor.connection:
        said = connection.get(setting.name, setting.default)
        if said is None or (setting.name in {"auth", "headers"} and destination.kind in BUILT_IN):
            continue
        text = _revealed(said, reveal, found)
        everything[setting.name] = text
        if setting.secret:
            found.hidden.append(text)
        else:
            found.open[setting.name] = text
        if setting.is_url or (setting.choices and setting.choices.get(text, "").startswith("http")):
            found.url = setting.choices.get(text, text)
    if vendor.url:
        found.url = template(vendor.url)({"connection": everything})
    found.url = found.url.rstrip("/")
    scope = {"connection": everything}
    for name, spec in vendor.headers.items():
        value = compiled(spec)(scope)
        if value is not None:
            found.headers[name] = text_of(value)
    _prove(found, vendor.auth, lambda spec: _text(compiled(spec)(scope)))
    if destination.kind in BUILT_IN:
        for name, said in (connection.get("headers") or {}).items():
            found.headers[name] = _revealed(said, reveal, found)
        _prove(found, connection.get("auth") or {}, lambda said: _revealed(said, reveal, found))
        found.signs = "secret" in connection
    found.hidden = sorted({text for text in found.hidden if text and text != SECRET}, key=len, reverse=True)
    return found


def is_own(value: Any) -> bool:
    """Whether a value of ``auth`` is a secret that is written in the destination's own file, and no path of its kind's."""
    return isinstance(value, str) and not value.startswith("connection.") and NAMED.search(value) is None


def _text(value: Any) -> str:
    return "" if value is None else text_of(value)


def _revealed(said: Any, reveal: Reveal, found: Connected) -> str:
    text, secrets = revealed(said, reveal)
    found.hidden += secrets
    return text


def _prove(found: Connected, auth: Mapping[str, Any], read: Callable[[Any], str]) -> None:
    for word, said in auth.items():
        if word == "bearer":
            token = read(said)
            found.headers["Authorization"] = f"Bearer {token}"
            found.hidden.append(token)
        elif word == "basic":
            user, password = map(read, said)
            both = base64.b64encode(f"{user}:{password}".encode()).decode()
            found.headers["Authorization"] = f"Basic {SECRET if SECRET in {user, password} else both}"
            found.hidden += [both, password]
        else:
            for name, one in said.items():
                text = read(one)
                (found.headers if word == "header" else found.query)[name] = text
                # What a vendor's file says beside a secret, such as the word before a key, is none.
                if word == "query" or is_own(one):
                    found.hidden += [text, quote(text, safe=AS_IT_IS)]
