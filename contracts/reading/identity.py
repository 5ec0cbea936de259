"""``identity.yaml``: which identifiers there are, and which links between them may stand."""

from __future__ import annotations

import re
from typing import Any

from contracts.model.definitions import IdentityRules, Namespace
from contracts.model.probabilistic import PROBABILISTIC, read_probabilistic
from contracts.text.keys import Boolean, Choice, Duration, Fields, Integer, Key, Own, Plain, texts_schema
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

FILE = "identity.yaml"
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
    said = IDENTITY.read(reader, at)
    blocked, limits, stitching = said["blocked"], said["limits"], said["stitching"]
    return IdentityRules(
        version=said["version"],
        namespaces=said["namespaces"],
        blocked_values=blocked["values"],
        blocked_patterns=blocked["patterns"],
        conflict=said["conflict"],
        limit_identifiers=limits["identifiers"],
        limit_links=limits["links"],
        session_gap_us=stitching["session_gap"],
        backstitch_us=stitching["backstitch"],
        owner=stitching["owner"],
        probabilistic=said["probabilistic"],
    )


def _namespaces(reader: Reader, at: Tree) -> tuple[Namespace, ...]:
    found: dict[str, Namespace] = {}
    lines: dict[str, int] = {}
    items = reader.items(at, "a list of namespaces, highest priority first")
    if at.value == []:
        reader.refuse(at, "at least one namespace", "an empty list")
    for item in items:
        parts = NAMESPACE.parts(reader, item)
        said = NAMESPACE.values(reader, item, parts)
        name = said["name"]
        if name in found:
            reader.refuse(parts["name"], "every namespace once", f"{name} again", f"the first one is in line {lines[name]}")
        elif name:
            lines[name] = item.line
            found[name] = _namespace(reader, parts, said)
    return tuple(found.values())


def _namespace(reader: Reader, parts: dict[str, Tree], said: dict[str, Any]) -> Namespace:
    if "region" in parts and said["normalize"] != "phone":
        reader.refuse(parts["region"], "`region` only beside `normalize: phone`")
    if "shared_after" in parts and said["scope"] != "device":
        reader.refuse(parts["shared_after"], "`shared_after` only beside `scope: device`")
    return Namespace(paths=said.pop("from"), **said)


def _name(reader: Reader, at: Tree) -> str:
    name = reader.text(at)
    if name and not _NAME.fullmatch(name):
        reader.refuse(at, "a name of letters, digits, `_`, `-` and `.`, such as user_id")
    return name


def _paths(reader: Reader, at: Tree) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for part in reader.texts(at, "a path such as traits.email, or a list of paths"):
        try:
            if parse_path(part.value)[:2] == ("context", "lookup"):
                reader.refuse(part, "what the sender says", part.value, "what a lookup finds identifies nobody")
        except ValueError as error:
            reader.refuse(part, "a path such as traits.email", str(error))
        paths[part.value] = None
    return tuple(paths)


def _region(value: object) -> str:
    import phonenumbers  # noqa: PLC0415 - 50 ms that only projects with a region pay

    if value in phonenumbers.SUPPORTED_REGIONS:
        return str(value)
    raise ValueError("a region of two capital letters such as GB")


def _values(reader: Reader, at: Tree) -> frozenset[str]:
    values = set()
    for part in reader.items(at, "a list of texts"):
        if isinstance(part.value, str):
            values.add(part.value)
        else:
            reader.refuse(part, "a text", None, "write it in quotes")
    return frozenset(values)


def _patterns(reader: Reader, at: Tree) -> tuple[str, ...]:
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


NAMESPACE = Fields(
    (
        Key("name", Own({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$"}, _name), "the name of the namespace",
            required="the name of the namespace", default="", shown=False),
        Key("from", Own(texts_schema(), _paths), "a path into the event such as traits.email, or a list of paths",
            required="a path into the event, or a list of paths", default=(), shown=False),
        Key("scope", Choice(("person", "device")), "what it identifies", default="person"),
        Key("unique", Boolean(), "a profile has at most one", default=False),
        Key("limit", Integer(), "a profile has at most so many"),
        Key("normalize", Choice(("trim", "email", "phone")), "how a value is written before it is compared", default="trim"),
        Key("region", Plain(_region, {"type": "string", "pattern": "^[A-Z]{2}$"}), "where a number without a country code is from",
            default="GB", shown=False),
        Key("personal", Boolean(), "leaves the store only as a keyed hash", default=False),
        Key("shared_after", Integer(), "a device on which so many people were identified is shared"),
    ),
    {
        "dependencies": {
            "region": {"properties": {"normalize": {"const": "phone"}}, "required": ["normalize"]},
            "shared_after": {"properties": {"scope": {"const": "device"}}, "required": ["scope"]},
        }
    },
)  # fmt: skip
_TEXTS = {"type": "array", "items": {"type": "string"}}
BLOCKED = Fields((
    Key("values", Own(_TEXTS, _values), "values that are no identifiers, in any case, in quotation marks or not",
        default=BLOCKED_VALUES, shown=False),
    Key("patterns", Own(_TEXTS, _patterns), "regular expressions of values that are no identifiers, as they came or as compared",
        default=BLOCKED_PATTERNS, shown=False),
))  # fmt: skip
LIMITS = Fields((
    Key("identifiers", Integer(), "identifiers of one profile", default=1000),
    Key("links", Integer(), "links of one identifier", default=1000),
))  # fmt: skip
STITCHING = Fields((
    Key("session_gap", Duration(), "a device's session ends after this much silence", default="30m"),
    Key("backstitch", Duration(), "how much anonymous history a first login may claim", default="30d"),
    Key("owner", Choice(("session", "device")), "whose an anonymous event is", default="session"),
))  # fmt: skip
IDENTITY = Fields((
    Key("version", Integer(), "counts up when you change the file", default=1, shown=False),
    Key("namespaces", NAMESPACE.listed(_namespaces, minItems=1), "kinds of identifiers, the highest priority first",
        default=DEFAULT_NAMESPACES, shown=False),
    Key("blocked", BLOCKED, "what is typed or sent in place of an identifier"),
    Key("conflict", Choice(("newest", "oldest")), "which link wins when two cannot both stand", default="newest"),
    Key("limits", LIMITS, "how large a profile may become"),
    Key("stitching", STITCHING, "how anonymous events find their person"),
    Key("probabilistic", Own(PROBABILISTIC.schema, read_probabilistic),
        "which records are compared, and how alike those of one person are"),
))  # fmt: skip
