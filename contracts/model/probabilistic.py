"""The ``probabilistic`` part of ``identity.yaml``: which records are compared, by what, and from which probability on they are linked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from contracts.text.durations import duration_us
from contracts.text.keys import Boolean, Choice, Duration, Fields, Integer, Key, Names, Own, Plain, Schema, text_schema, texts_schema
from contracts.text.problems import Unexpected, listed
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

How = Literal["exact", "jaro_winkler", "edit_distance", "date_difference", "email"]

MODEL_FILE = "identity_model.json"
_HOW = ("exact", "jaro_winkler", "edit_distance", "date_difference", "email")
_AT: dict[str, tuple[float, ...]] = {"jaro_winkler": (0.92, 0.80), "edit_distance": (1, 2), "date_difference": ()}
"""The kinds of comparison that have thresholds, with their defaults (a date has those of `_DATES`)."""
_AT_MAX = 8
_FIELD = re.compile(r"(?P<path>.+?)(?:\[:(?P<first>[1-9][0-9]?)\])?")
_YEARS = re.compile(r"(\d+)\s*y")
DAY_S = 86_400
_DATES = (31 * DAY_S, 366 * DAY_S)


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison. ``trait`` is a path into the traits. ``at``, in the order of the levels: least similarities (0 to 1),
    most edits, or most seconds between two dates."""

    trait: str
    how: How = "exact"
    at: tuple[float, ...] = ()
    term_frequency: bool = False


@dataclass(frozen=True, slots=True)
class BlockField:
    """A path into the traits (of a windowed line: into the event), and how many of the value's first characters count (None: all)."""

    path: str
    first: int | None = None


@dataclass(frozen=True, slots=True)
class BlockLine:
    """Records are compared that share all ``fields``; of a windowed line, in events at most ``within_us`` apart."""

    fields: tuple[BlockField, ...]
    within_us: int | None = None

    @property
    def text(self) -> str:
        return ", ".join(field.path if field.first is None else f"{field.path}[:{field.first}]" for field in self.fields)


@dataclass(frozen=True, slots=True)
class Probabilistic:
    """The whole part. ``accept``, ``review`` and ``support`` are match probabilities; ``model`` is a file beside identity.yaml."""

    block: tuple[BlockLine, ...]
    compare: tuple[Compare, ...]
    model: str = MODEL_FILE
    accept: float = 0.95
    review: float = 0.80
    support: float = 0.1
    block_limit: int = 1000


def read_probabilistic(reader: Reader, at: Tree) -> Probabilistic:
    """The part with its defaults filled in; ``block`` and ``compare`` have none."""
    parts = PROBABILISTIC.parts(reader, at)
    said = PROBABILISTIC.values(reader, at, parts)
    accept = said["accept"]
    if "review" not in parts:
        said["review"] = min(said["review"], accept)
    elif said["review"] > accept:
        reader.refuse(parts["review"], f"a probability of at most `accept`, {accept:g}")
    return Probabilistic(**said)


def _lines(reader: Reader, at: Tree) -> tuple[BlockLine, ...]:
    items = reader.items(at, "a list of lines such as [last_name, birth_date]")
    if at.value == []:
        reader.refuse(at, "at least one line", "an empty list")
    return tuple(_line(reader, item) for item in items)


def _line(reader: Reader, at: Tree) -> BlockLine:
    if not isinstance(at.value, dict):
        return BlockLine(_fields(reader, at, traits=True))
    said = WINDOWED.read(reader, at)
    return BlockLine(said["same"], said["within"])


def _fields(reader: Reader, at: Tree, *, traits: bool) -> tuple[BlockField, ...]:
    found: dict[BlockField, None] = {}
    expected = 'a list of traits such as [last_name, "first_name[:2]"]' if traits else "a list of paths such as [context.ip]"
    for part in reader.texts(at, expected):
        field = reader.read(part, None, _field)
        if field is not None:
            found[field] = None
    return tuple(found)


def _field(value: str) -> BlockField:
    parts = _FIELD.fullmatch(value.strip())
    if parts is None:
        raise ValueError("a path such as last_name or first_name[:2]")
    _path(parts["path"])
    return BlockField(parts["path"], int(parts["first"]) if parts["first"] else None)


def _comparisons(reader: Reader, at: Tree) -> tuple[Compare, ...]:
    found: dict[tuple[str, str], Compare] = {}
    lines: dict[tuple[str, str], int] = {}
    if at.value == []:
        reader.refuse(at, "at least one comparison", "an empty list")
    for item in reader.items(at, "a list of comparisons such as {trait: last_name, how: jaro_winkler}"):
        said = COMPARE.read(reader, item)
        trait, how = said["trait"], said["how"]
        if (trait, how) in found:
            reader.refuse(item, "every comparison once", f"{how} of {trait} again", f"the first one is in line {lines[trait, how]}")
            continue
        lines[trait, how] = item.line
        found[trait, how] = Compare(trait, how, _thresholds(reader, said["at"], how), said["term_frequency"])
    return tuple(found.values())


def _thresholds(reader: Reader, at: Tree | None, how: str) -> tuple[float, ...]:
    if at is None:
        return _DATES if how == "date_difference" else _AT.get(how, ())
    if how not in _AT:
        reader.refuse(at, f"`at` only beside `how: {listed(_AT)}`")
        return ()
    read = _READ[how]
    items = at.value if isinstance(at.value, list) else [at]
    found = [reader.read(item, None, read) for item in items]
    if len(found) > _AT_MAX:
        reader.refuse(at, f"at most {_AT_MAX} thresholds", str(len(found)))
    return tuple(sorted({number for number in found if number is not None}, reverse=how == "jaro_winkler"))


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a path such as address.city")
    try:
        parse_path(value)
    except ValueError as error:
        raise ValueError(f"a path such as address.city; {error}") from None
    return value


def _model(value: object) -> str:
    if isinstance(value, str) and value.endswith(".json"):
        return value.removeprefix("./")
    raise ValueError("the path of a .json file, relative to this one")


def _probability(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
        return float(value)
    raise ValueError("a probability between 0 and 1, such as 0.95")


def _share(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError("a probability from 0 to 1, such as 0.1")


def _edits(value: object) -> float:
    if type(value) is int and 1 <= value <= 20:
        return float(value)
    raise ValueError("a whole number of edits from 1 to 20")


def seconds(value: object) -> float:
    """Seconds of ``31d`` or ``1y``; a year is 366 days, ten are 3,653, so that the same day of another year is always within."""
    years = _YEARS.fullmatch(value.strip()) if isinstance(value, str) else None
    if years:
        return float(math.ceil(int(years[1]) * 365.25) * DAY_S)
    expected = "a duration such as 12h, 31d, 2w or 1y"
    try:
        found = duration_us(value) // 1_000_000
    except Unexpected as error:
        raise Unexpected(expected, error.hint) from error
    if found < 1:
        raise Unexpected(expected)
    return float(found)


_READ: dict[str, Callable[[object], float]] = {"jaro_winkler": _probability, "edit_distance": _edits, "date_difference": seconds}

_NEAR: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_THRESHOLDS: dict[str, Schema] = {
    "jaro_winkler": _NEAR,
    "edit_distance": {"type": "integer", "minimum": 1, "maximum": 20},
    "date_difference": {"anyOf": [{"type": "string", "pattern": "^\\s*[0-9]+\\s*y\\s*$"}, Duration().schema({}, "between two dates")]},
}
_ONE_OR_SEVERAL: Schema = {
    "anyOf": [one for kind in _THRESHOLDS.values() for one in (kind, {"type": "array", "items": kind, "maxItems": _AT_MAX})]
}

WINDOWED = Fields((
    Key("same", Own(texts_schema(), partial(_fields, traits=False)), "paths into the event",
        required="a list of paths into the event such as context.ip", default=(), shown=False),
    Key("within", Duration(), "how far apart the events may be", required="a duration such as 1h", default=1, shown=False),
))  # fmt: skip
COMPARE = Fields(
    (
        Key("trait", Plain(_path, text_schema()), "a path into the traits", required="the trait that is compared", default="", shown=False),
        Key("how", Choice(_HOW), "how two values are compared", default="exact"),
        Key("at", Own(_ONE_OR_SEVERAL), "the thresholds between the levels"),
        Key("term_frequency", Boolean(), "equal values that are rare say more", default=False),
    ),
    {"dependencies": {"at": {"properties": {"how": {"enum": list(_AT)}}, "required": ["how"]}}},
)


def _block_schema(names: Names) -> Schema:
    line = {"anyOf": [texts_schema("traits that candidates share"), WINDOWED.schema(names)]}
    return {"type": "array", "items": line, "minItems": 1}


PROBABILISTIC = Fields((
    Key("accept", Plain(_probability, _NEAR), "the match probability at which a link is accepted", default=0.95),
    Key("review", Plain(_probability, _NEAR), "from here to accept, a link is a candidate", default=0.8),
    Key("block", Own(_block_schema, _lines), "candidates share all fields of one line",
        required="the lines of fields that candidates share", default=(), shown=False),
    Key("compare", COMPARE.listed(_comparisons, minItems=1), "what is compared", required="a list of comparisons",
        default=(), shown=False),
    Key("model", Plain(_model, text_schema()), "the file that `skep identity train` writes", default=MODEL_FILE),
    Key("support", Plain(_share, {"type": "number", "minimum": 0, "maximum": 1}),
        "the least mean match probability between two clusters that are joined", default=0.1),
    Key("block_limit", Integer(2), "records in one block; larger ones are skipped", default=1000),
))  # fmt: skip
