"""What stands after a backslash in an ECMA-262 pattern."""

from __future__ import annotations

import re

from schemalogic.patterns import charset
from schemalogic.patterns.charset import LAST, CharSet
from schemalogic.patterns.nodes import PatternError
from schemalogic.patterns.properties import code_points

BRACES = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
DECIMAL = re.compile(r"\\([1-9][0-9]{0,5})")
_NAME = re.compile(r"<([^\W\d]|\$)([\w$\u200c\u200d]*)>")
_PROPERTY = re.compile(r"\\[pP]\{([^{}]*)\}")
_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_CODES = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]+)\})")
_OCTAL = re.compile(r"\\([0-3][0-7]{0,2}|[4-7][0-7]?)")
_CONTROL = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_CLASSES = {"d": charset.DIGIT, "w": charset.WORD, "s": charset.SPACE}
_TOKENS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]?|\((?!\?)|\(\?<(?![=!])", re.DOTALL)


def count_groups(text: str) -> tuple[int, bool]:
    """How many capturing groups a pattern has, and whether one of them has a name."""
    signs = [sign for sign in _TOKENS.findall(text) if sign[0] == "("]
    return len(signs), "(?<" in signs


def group_name(text: str, at: int) -> tuple[str, int]:
    """The name of ``(?<name>`` and where it ends."""
    found = _NAME.match(text, at + 2)
    if found is None:
        raise PatternError(f"{text[at : at + 3]} opens no group that ECMA-262 knows", at)
    return found[1] + found[2], found.end()


def reference_name(text: str, at: int) -> tuple[str, int]:
    """The name of ``\\k<name>`` and where it ends."""
    found = _NAME.match(text, at + 2)
    if found is None:
        raise PatternError("\\k without a <name>", at)
    return found[1] + found[2], found.end()


def escape(text: str, at: int, *, in_class: bool) -> tuple[CharSet, int]:
    """The characters that the escape at ``at`` means, and where it ends."""
    sign = text[at + 1 : at + 2]
    if sign.lower() in _CLASSES and sign:
        chars = _CLASSES[sign.lower()]
        return (chars if sign.islower() else ~chars), at + 2
    found = _PROPERTY.match(text, at)
    if found:
        points = code_points(found[1])
        if points is None:
            raise PatternError(f"there is no Unicode property {found[1]}", at)
        return (points if sign == "p" else ~points), found.end()
    point, end = code_point(text, at, in_class=in_class)
    if point is None:
        raise PatternError("a \\ at the end", at)
    return CharSet.of([(point, point)]), end


def code_point(text: str, at: int, *, in_class: bool) -> tuple[int | None, int]:
    """The one code point that the escape at ``at`` means, and where it ends; None if it means a class."""
    sign = text[at + 1 : at + 2]
    if not sign:
        raise PatternError("a \\ at the end", at)
    if sign in "dDwWsS" or _PROPERTY.match(text, at):
        return None, at
    if sign in _CONTROL:
        return _CONTROL[sign], at + 2
    if sign == "b" and in_class:
        return 8, at + 2
    for read in (_coded, _octal, _controlled):
        found = read(text, at, in_class)
        if found is not None:
            return found
    return ord(sign), at + 2


def _coded(text: str, at: int, _in_class: bool) -> tuple[int, int] | None:
    pair = _PAIR.match(text, at)
    if pair:
        high, low = int(pair[1], 16), int(pair[2], 16)
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), pair.end()
    found = _CODES.match(text, at)
    if found is None:
        return None
    point = int(found[1] or found[2] or found[3], 16)
    if point > LAST:
        raise PatternError(f"{found[0]} is no character of Unicode", at)
    return point, found.end()


def _octal(text: str, at: int, _in_class: bool) -> tuple[int, int] | None:
    found = _OCTAL.match(text, at)
    return (int(found[1], 8), found.end()) if found else None


def _controlled(text: str, at: int, in_class: bool) -> tuple[int, int] | None:
    if text[at + 1] != "c":
        return None
    letter = text[at + 2 : at + 3]
    if re.fullmatch(r"[A-Za-z]" if not in_class else r"[A-Za-z0-9_]", letter):
        return ord(letter) % 32, at + 3
    return 0x5C, at + 1  # a lone \c means the backslash; the c after it stands for itself
