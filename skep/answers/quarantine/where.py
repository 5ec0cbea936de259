"""``--where 'properties.total > 5'``: a condition on the content of a record, in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from contracts.envelope import lost_digits
from contracts.model.definitions import Predicate
from contracts.text.scalars import scalar
from operators.segments.paths import satisfied
from operators.segments.predicates import compiled
from skep.answers.quarantine.framed import parts
from skep.project.errors import CommandError

SIGNS = {"!=": "ne", "<=": "lte", ">=": "gte", "=": "eq", "<": "lt", ">": "gt", "~": "contains"}
WORDS = {"exists": True, "missing": False}
_PATH = r"""(?P<path>(?:[^\s=!<>~\[\]"]|\[\d*\]|\["(?:[^"\\]|\\.)*"\])+)"""
_SIGNED = re.compile(rf"{_PATH}\s*(?P<sign>!=|<=|>=|=|<|>|~)\s*(?P<value>.+)", re.DOTALL)
_WORDED = re.compile(rf"{_PATH}\s+(?P<word>{'|'.join(WORDS)})")
_EXPECTED = "a condition such as 'properties.total > 5', 'properties.currency = EUR', 'userId exists' or 'properties.total missing'"

Test = Callable[[bytes], bool]


def read_where(texts: Iterable[str]) -> Test:
    """All conditions as one test of a record's bytes; what is no JSON object satisfies none. CommandError for other words.

    The value is what it is in YAML (``5`` a number, ``"5"`` a text); the signs mean what they do in segments.
    """
    tests = [_read(text.strip()) for text in texts]

    def test(raw: bytes) -> bool:
        inner = parts(raw)[1]
        try:
            body = json.loads(inner) if lost_digits(inner) else orjson.loads(inner)
        except ValueError:
            return False
        return type(body) is dict and all(one(body) for one in tests)

    return test


def _read(text: str) -> Callable[[Any], bool]:
    worded, signed = _WORDED.fullmatch(text), _SIGNED.fullmatch(text)
    found = worded or signed
    if found is None:
        raise CommandError(f"--where {text}: expected {_EXPECTED}")
    predicate = _exists(worded["word"]) if worded else _comparison(text, found["sign"], found["value"].strip())
    try:
        return satisfied(found["path"], compiled([predicate]))
    except ValueError as error:
        raise CommandError(f"--where {text}: expected a path such as properties.items[].sku, found {error}") from None


def _exists(word: str) -> Predicate:
    return Predicate("exists", WORDS[word])


def _comparison(text: str, sign: str, written: str) -> Predicate:
    quoted = len(written) > 1 and written[0] == written[-1] and written[0] in "\"'"
    value = written[1:-1] if quoted else scalar(written)
    if value is None:
        raise CommandError(f"--where {text}: expected a value, found {written} → `PATH missing` asks for that")
    if sign == "~":
        value = written[1:-1] if quoted else written
    elif isinstance(value, bool) and sign not in {"=", "!="}:
        raise CommandError(f"--where {text}: expected = or != before {written}, found {sign}")
    return Predicate(SIGNS[sign], value)
