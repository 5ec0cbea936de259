"""Strategies: patterns as people write them, and texts that they may or may not match."""

from __future__ import annotations

from hypothesis import strategies as st

TEXTS = st.text("ab1_-é \n{😀", max_size=6)
_ATOMS = st.sampled_from(
    [
        "a", "b", "1", "_", ".", "é", "😀", "-", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\-", "{", "]", "a{,3}", "[ab]", "[^a]",
        r"[\d-x]", "[-a]", "[^]", r"\x61", r"\u0061", r"\uD83D\uDE00", r"\p{L}", r"\P{Lu}", r"[^\w\s]", "^", "$", r"\b", r"\B", r"\n",
    ]
)  # fmt: skip
_TIMES = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "??", "{0}"])


def _repeated(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("(?:{}){}".format, inner, _TIMES)


def _longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("({})".format, inner),
        _repeated(inner),
    )


LINEAR = st.recursive(_ATOMS, _longer, max_leaves=7)
"""Patterns without lookarounds and backreferences."""
ALL = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(_longer(inner), st.builds("{}{})".format, st.sampled_from(["(?=", "(?!", "(?<=", "(?<!"]), inner)),
    max_leaves=7,
)
"""Patterns that may look around."""
