"""Matches a parsed pattern the slow way: by trying. It shares nothing with the automata and the translation but the tree."""

from __future__ import annotations

from collections.abc import Callable

from schemalogic.patterns.charset import WORD
from schemalogic.patterns.nodes import Back, Boundary, Chars, Choice, End, Group, Look, Node, Repeat, Sequence, Start

Groups = dict[int, str]
Goes = Callable[[int, Groups], bool]


def found(node: Node, text: str) -> bool:
    """Whether the pattern is found anywhere in the text."""
    return any(_try(node, text, at, {}, lambda _at, _groups: True) for at in range(len(text) + 1))


def _try(node: Node, text: str, at: int, groups: Groups, goes: Goes) -> bool:
    match node:
        case Chars(chars):
            return at < len(text) and text[at] in chars and goes(at + 1, groups)
        case Sequence(parts):
            if not parts:
                return goes(at, groups)
            return _try(parts[0], text, at, groups, lambda to, then: _try(Sequence(parts[1:]), text, to, then, goes))
        case Choice(options):
            return any(_try(option, text, at, groups, goes) for option in options)
        case Repeat():
            return _repeat(node, text, at, groups, goes)
        case Group(inner, number):
            return _try(inner, text, at, groups, lambda to, then: goes(to, {**then, number: text[at:to]}))
        case Start():
            return at == 0 and goes(at, groups)
        case End():
            return at == len(text) and goes(at, groups)
        case Boundary(negated):
            before, after = at > 0 and text[at - 1] in WORD, at < len(text) and text[at] in WORD
            return (before != after) != negated and goes(at, groups)
        case Look(inner, True, negated):
            return _try(inner, text, at, groups, lambda _to, _then: True) != negated and goes(at, groups)
        case Look(inner, False, negated):
            behind = any(_try(inner, text, start, groups, lambda to, _then: to == at) for start in range(at + 1))
            return behind != negated and goes(at, groups)
        case Back(number):
            said = groups.get(number, "")
            return text.startswith(said, at) and goes(at + len(said), groups)


def _repeat(node: Repeat, text: str, at: int, groups: Groups, goes: Goes) -> bool:
    if node.high == 0:
        return goes(at, groups)
    rest = Repeat(node.node, max(node.low - 1, 0), None if node.high is None else node.high - 1)

    def again(to: int, then: Groups) -> bool:
        return (to > at or node.low > 0) and _repeat(rest, text, to, then, goes)

    return _try(node.node, text, at, groups, again) or (node.low == 0 and goes(at, groups))
