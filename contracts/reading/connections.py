"""`connection` of a destination: the keys of its kind, and secrets, which are written as ``${NAME}`` or ``{file: /run/secrets/name}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contracts.model.destinations import Setting, Vendor
from contracts.text.problems import choices, closest, listed
from contracts.text.secrets import EXPECTED, is_file, looks_like_a_secret
from contracts.text.yaml_tree import Reader, Tree

_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s$]+@")
AUTHS = ("bearer", "basic", "header", "query")
BUILT_IN: Mapping[str, Vendor] = {
    "http": Vendor("http", connection=(Setting("url", is_url=True), Setting("auth", optional=True), Setting("headers", optional=True))),
    "webhook": Vendor(
        "webhook",
        connection=(Setting("url", is_url=True), Setting("headers", optional=True), Setting("secret", secret=True, optional=True)),
    ),
    "kafka": Vendor("kafka", connection=(
        Setting("servers"), Setting("topic"), Setting("user", optional=True), Setting("password", secret=True, optional=True),
        Setting("security", optional=True), Setting("mechanism", optional=True),
    )),
    "sql": Vendor("sql", connection=(Setting("url"),)),
    "redis": Vendor("redis", connection=(Setting("url"),)),
    "smtp": Vendor("smtp", identify=("email",), match=("email",), channel="email", connection=(
        Setting("host"), Setting("port", default="587"), Setting("user", optional=True), Setting("password", secret=True, optional=True),
        Setting("from"), Setting("security", choices={"starttls": "starttls", "tls": "tls", "none": "none"}, default="starttls"),
    )),
}  # fmt: skip
"""The kinds that are no file of their own, by what their connections are made of."""


def read_connection(reader: Reader, at: Tree | None, destination: Tree, kind: Vendor) -> dict[str, Any]:
    """The connection as it is written; what a kind needs and is not there is a problem."""
    needed = {one.name: one for one in kind.connection}
    if at is None:
        missing = [one.name for one in kind.connection if one.default is None and not one.optional]
        if missing:
            reader.required(destination, {}, "connection", f"a mapping with {listed(missing, 'and')}")
        return {}
    parts = _fields(reader, at, needed)
    for name, setting in needed.items():
        if setting.default is None and not setting.optional:
            reader.required(at, parts, name, f"{name} of a connection of kind {kind.name}")
    for name, part in parts.items():
        _READERS.get(name if kind.name in BUILT_IN else "", _setting)(reader, part, needed[name])
    return {name: part.plain() for name, part in parts.items()}


def _fields(reader: Reader, at: Tree, needed: Mapping[str, Setting]) -> dict[str, Tree]:
    return reader.fields(at, list(needed)) if needed else dict(reader.mapping(at))


def _setting(reader: Reader, at: Tree, setting: Setting) -> None:
    if setting.secret:
        check_secret(reader, at)
    elif is_file(at.plain()):
        return
    elif setting.choices:
        if str(at.value) not in setting.choices and "${" not in str(at.value):
            reader.refuse(at, listed(setting.choices), None, closest(str(at.value), setting.choices))
    elif isinstance(at.value, int | float) and not isinstance(at.value, bool):
        return
    elif reader.text(at) and setting.is_url:
        check_url(reader, at)
    elif _PASSWORD.search(str(at.value)):
        reader.refuse(at, EXPECTED, "a password in an address", "whoever reads the file would have it")


def check_url(reader: Reader, at: Tree) -> None:
    """A problem if it is no address of http."""
    text = str(at.value)
    if not text.startswith(("https://", "http://", "${")):
        reader.refuse(at, "an address that begins with https:// or http://")


def check_secret(reader: Reader, at: Tree) -> None:
    """A problem if a secret stands in the file, or is no text."""
    plain = at.plain()
    if is_file(plain):
        return
    if looks_like_a_secret(plain):
        reader.refuse(at, EXPECTED, "a text that looks like the secret itself", "whoever reads the file would have it")
    elif not isinstance(plain, str) or not plain:
        reader.refuse(at, EXPECTED)


def _auth(reader: Reader, at: Tree, setting: Setting) -> None:  # noqa: ARG001
    parts = reader.fields(at, AUTHS)
    if len(parts) != 1:
        reader.refuse(at, f"one of {listed(AUTHS)}", listed(parts, "and") or "none", "" if parts else choices("", AUTHS))
    for word, part in parts.items():
        values = auth_values(reader, word, part)
        # Who asks is no secret.
        for one in values[1:2] if word == "basic" else values:
            check_secret(reader, one)


def auth_values(reader: Reader, word: str, at: Tree) -> list[Tree]:
    """The values that one of `AUTHS` is made of."""
    if word in {"header", "query"}:
        return list(reader.mapping(at).values())
    if word != "basic":
        return [at]
    items = reader.items(at, "a list of user and password")
    if isinstance(at.value, list) and len(items) != 2:
        reader.refuse(at, "a list of user and password", f"{len(items)} values")
    return items


def _headers(reader: Reader, at: Tree, setting: Setting) -> None:  # noqa: ARG001
    for part in reader.mapping(at).values():
        if not isinstance(part.value, str | int | float) and not is_file(part.plain()):
            reader.refuse(part, "a text")


_READERS = {"auth": _auth, "headers": _headers}
