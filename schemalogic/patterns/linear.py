"""A pattern for an engine that takes linear time: the same language, with every set of characters spelled out."""

from __future__ import annotations

from functools import lru_cache

import jsonschema_rs

from schemalogic.patterns.charset import ANYTHING, LAST, WORD, CharSet
from schemalogic.patterns.nodes import Back, Boundary, Chars, Choice, End, Group, Look, Node, PatternError, Repeat, Sequence, Start
from schemalogic.patterns.syntax import parse

BACKTRACKS_MAX = 1_000_000
"""Steps back that an engine with backtracking may take for one text."""
_TOO_BIG = "too big: its repetitions multiply; minLength and maxLength bound a text at no cost"
_UNKNOWN = "too big, or a lookaround of a kind that no engine here knows"
_ANY, _NONE = "[\\u{0}-\\u{10ffff}]", "[^\\u{0}-\\u{10ffff}]"
_BOUNDARIES = {False: "(?-u:\\b)", True: "(?-u:\\B)"}


class NotLinear(PatternError):  # noqa: N818 (named for what the pattern is)
    """A pattern that no linear-time engine runs."""


@lru_cache(maxsize=4096)
def rust(pattern: str) -> str:
    """An ECMA-262 pattern as one of Rust's regex crate.

    PatternError if it is no pattern, NotLinear if it looks around, refers back, or is too big.
    """
    return _compiled(_Writer(lookarounds=False).write(parse(pattern)), jsonschema_rs.RegexOptions(), _TOO_BIG)


@lru_cache(maxsize=4096)
def fancy(pattern: str) -> str:
    """The same for an engine that backtracks (Rust's fancy-regex), which knows lookarounds and backreferences."""
    return _compiled(
        _Writer(lookarounds=True).write(parse(pattern)), jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS_MAX), _UNKNOWN
    )


def has_boundary(node: Node) -> bool:
    """Whether a pattern has ``\\b`` or ``\\B``."""
    match node:
        case Boundary():
            return True
        case Sequence(parts) | Choice(parts):
            return any(map(has_boundary, parts))
        case Repeat(inner) | Group(inner) | Look(inner):
            return has_boundary(inner)
        case _:
            return False


def _compiled(text: str, options: jsonschema_rs.RegexOptions | jsonschema_rs.FancyRegexOptions, refusal: str) -> str:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": text}, pattern_options=options)
    except jsonschema_rs.ValidationError as error:
        raise NotLinear(refusal) from error
    return text


class _Writer:
    def __init__(self, *, lookarounds: bool) -> None:
        self._lookarounds = lookarounds

    def write(self, node: Node) -> str:
        match node:
            case Chars(chars):
                return characters(chars)
            case Sequence(parts):
                return "".join(f"(?:{self.write(part)})" if isinstance(part, Choice) else self.write(part) for part in parts)
            case Choice(options):
                return "|".join(map(self.write, options))
            case Repeat():
                return self._repeat(node)
            case Group(inner, _):
                return f"({self.write(inner)})" if self._lookarounds else f"(?:{self.write(inner)})"
            case Start():
                return "^"
            case End():
                return "$"
            case Boundary(negated):
                return self._boundary(negated)
            case Look() | Back():
                return self._beyond(node)

    def _repeat(self, node: Repeat) -> str:
        if isinstance(node.node, Look):
            return self.write(node.node) if node.low else ""
        high = "" if node.high is None else str(node.high)
        sign = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((node.low, node.high), f"{{{node.low},{high}}}")
        return f"(?:{self.write(node.node)}){sign}{'?' if node.lazy else ''}"

    def _boundary(self, negated: bool) -> str:
        if not self._lookarounds:
            return _BOUNDARIES[negated]
        word = characters(WORD)
        return f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))" if negated else f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"

    def _beyond(self, node: Look | Back) -> str:
        if not self._lookarounds:
            raise NotLinear("a backreference" if isinstance(node, Back) else f"a look{'ahead' if node.ahead else 'behind'}")
        if isinstance(node, Back):
            return f"(?:\\{node.number})"
        return f"(?{'' if node.ahead else '<'}{'!' if node.negated else '='}{self.write(node.node)})"


def characters(chars: CharSet) -> str:
    """A set as a class that Rust and ECMA-262 with the ``u`` flag read alike."""
    if not chars or chars == ANYTHING:
        return _ANY if chars else _NONE
    if len(chars) == 1:
        return _character(chars.ranges[0][0])
    negated = chars.ranges[0][0] == 0 and chars.ranges[-1][1] == LAST and len(chars.ranges) > 1
    ranges = (~chars).ranges if negated else chars.ranges
    inside = "".join(_character(low) if low == high else f"{_character(low)}-{_character(high)}" for low, high in ranges)
    return f"[{'^' if negated else ''}{inside}]"


def _character(point: int) -> str:
    return chr(point) if point < 128 and chr(point).isalnum() else f"\\u{{{point:x}}}"
