"""ECMA-262 regular expressions: parsed (syntax), run in linear time (linear), and reasoned about (language, formats)."""

from contracts.patterns.language import Budget, Language, Undecided
from contracts.patterns.linear import NotLinear, rust
from contracts.patterns.nodes import PatternError
from contracts.patterns.syntax import parse

__all__ = ["Budget", "Language", "NotLinear", "PatternError", "Undecided", "parse", "rust"]
