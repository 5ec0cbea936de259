"""``identity.yaml``: which identifiers there are, and which links between them may stand."""

from __future__ import annotations

import re
from typing import Any

from contracts.model.definitions import DAY_US, IdentityRules, Namespace
from contracts.model.probabilistic import read_probabilistic
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

FILE = "identity.yaml"
_NAMESPACE_KEYS = ("name", "from", "scope", "unique", "limit", "normalize", "region", "personal", "shared_after")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

DEFAULT_NAMESPACES = (
    Namespace("user_id", ("userId",), unique=True),
    Namespace("email", ("traits.email", "properties.email", "context.traits.email"), limit=5, normalize="email", personal=True),
    Namespace("phone", ("traits.phone",), limit=5, normalize="phone"),
    Namespace("anonymous_id", ("anonymousId", "previousId"), scope="device"),
)
BLOCKED_VALUES = frozenset([
    "", "null", "undefined", "none", "nil", "nan", "-nan", "\\N", "n/a", "n.a.", "#n/a", "unknown", "not set", "not available", "anonymous",
    "guest", "true", "false", "0", "-1", "[object Object]", "[object Undefined]", "[object Null]", "[object HTMLInputElement]",
    "ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffffffffffffffffffffffffffff", "9774d56d682e549c", "02:00:00:00:00:00",
])  # fmt: skip
BLOCKED_PATTERNS = ("^[-0 .,:;_+*/#?!(){}<>]+$",)
"""Nothing but zeros and punctuation, such as the zero UUID."""
DEFAULT_RULES = IdentityRules(1, DEFAULT_NAMESPACES, BLOCKED_VALUES, BLOCKED_PATTERNS)


def read_identity(reader: Reader, at: Tree) -> IdentityRules:
    """The rules of the file; what it leaves out keeps its default."""
    parts = reader.fields(at, ("version", "namespaces", "blocked", "conflict", "limits", "stitching", "probabilistic"))
    blocked = reader.fields(parts["blocked"], ("values", "patterns")) if "blocked" in parts else {}
    limits = reader.fields(parts["limits"], ("identifiers", "links")) if "limits" in parts else {}
    stitching = reader.fields(parts["stitching"], ("session_gap", "backstitch", "owner")) if "stitching" in parts else {}
    conflict: Any = reader.choice(parts.get("conflict"), ("newest", "oldest"), "newest")
    owner: Any = reader.choice(stitching.get("owner"), ("session", "device"), "session")
    return IdentityRules(
        version=reader.integer(parts.get("version"), 1),
        namespaces=_namespaces(reader, parts.get("namespaces")),
        blocked_values=_values(reader, blocked.get("values")),
        blocked_patterns=_patterns(reader, blocked.get("patterns")),
        conflict=conflict,
        limit_identifiers=reader.integer(limits.get("identifiers"), 1000),
        limit_links=reader.integer(limits.get("links"), 1000),
        session_gap_us=reader.duration(stitching.get("session_gap"), DEFAULT_RULES.session_gap_us),
        backstitch_us=reader.duration(stitching.get("backstitch"), 30 * DAY_US),
        owner=owner,
        probabilistic=read_probabilistic(reader, parts["probabilistic"]) if "probabilistic" in parts else None,
    )


def _namespaces(reader: Reader, at: Tree | None) -> tuple[Namespace, ...]:
    if at is None:
        return DEFAULT_NAMESPACES
    found: dict[str, Namespace] = {}
    lines: dict[str, int] = {}
    items = reader.items(at, "a list of namespaces, highest priority first")
    if at.value == []:
        reader.refuse(at, "at least one namespace", "an empty list")
    for item in items:
        parts = reader.fields(item, _NAMESPACE_KEYS)
        name = _name(reader, reader.required(item, parts, "name", "the name of the namespace"))
        paths = _paths(reader, reader.required(item, parts, "from", "a path into the event, or a list of paths"))
        if name in found:
            reader.refuse(parts["name"], "every namespace once", f"{name} again", f"the first one is in line {lines[name]}")
        elif name:
            lines[name] = item.line
            found[name] = _namespace(reader, name, paths, parts)
    return tuple(found.values())


def _namespace(reader: Reader, name: str, paths: tuple[str, ...], parts: dict[str, Tree]) -> Namespace:
    scope: Any = reader.choice(parts.get("scope"), ("person", "device"), "person")
    normalize: Any = reader.choice(parts.get("normalize"), ("trim", "email", "phone"), "trim")
    if "region" in parts and normalize != "phone":
        reader.refuse(parts["region"], "`region` only beside `normalize: phone`")
    if "shared_after" in parts and scope != "device":
        reader.refuse(parts["shared_after"], "`shared_after` only beside `scope: device`")
    return Namespace(
        name=name,
        paths=paths,
        scope=scope,
        unique=reader.boolean(parts.get("unique")),
        limit=reader.integer(parts["limit"], 1) if "limit" in parts else None,
        normalize=normalize,
        region=reader.read(parts.get("region"), "GB", _region),
        personal=reader.boolean(parts.get("personal")),
        shared_after=reader.integer(parts["shared_after"], 1) if "shared_after" in parts else None,
    )


def _name(reader: Reader, at: Tree | None) -> str:
    name = reader.text(at)
    if at is not None and name and not _NAME.fullmatch(name):
        reader.refuse(at, "a name of letters, digits, `_`, `-` and `.`, such as user_id")
    return name


def _paths(reader: Reader, at: Tree | None) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for part in reader.texts(at, "a path such as traits.email, or a list of paths"):
        try:
            parse_path(part.value)
        except ValueError as error:
            reader.refuse(part, "a path such as traits.email", str(error))
        paths[part.value] = None
    return tuple(paths)


def _region(value: object) -> str:
    import phonenumbers  # noqa: PLC0415 - 50 ms that only projects with a region pay

    if value in phonenumbers.SUPPORTED_REGIONS:
        return str(value)
    raise ValueError("a region of two capital letters such as GB")


def _values(reader: Reader, at: Tree | None) -> frozenset[str]:
    if at is None:
        return BLOCKED_VALUES
    values = set()
    for part in reader.items(at, "a list of texts"):
        if isinstance(part.value, str):
            values.add(part.value)
        else:
            reader.refuse(part, "a text", None, "write it in quotes")
    return frozenset(values)


def _patterns(reader: Reader, at: Tree | None) -> tuple[str, ...]:
    if at is None:
        return BLOCKED_PATTERNS
    patterns = []
    for part in reader.items(at, "a list of regular expressions"):
        try:
            if not isinstance(part.value, str):
                raise re.error("not a text")  # noqa: TRY301 - told like any other
            re.compile(part.value)
            patterns.append(part.value)
        except re.error as error:
            reader.refuse(part, "a regular expression", f"{part.value!r}: {error}")
    return tuple(patterns)
