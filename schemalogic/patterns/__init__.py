"""ECMA-262 regular expressions: parsed (syntax), run in linear time (linear), and reasoned about (language, formats)."""

from schemalogic.patterns.language import Budget, Language, Undecided
from schemalogic.patterns.linear import NotLinear, rust
from schemalogic.patterns.nodes import PatternError
from schemalogic.patterns.syntax import parse

__all__ = ["Budget", "Language", "NotLinear", "PatternError", "Undecided", "parse", "rust"]
