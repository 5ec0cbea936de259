"""Money in decimals: every typed column of amounts is as wide as its values need, so that none of them is rounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import duckdb

from state.snapshot.fields import Field
from state.snapshot.typed import TypedView, typed_views

DECIMAL = "DECIMAL"
PLACES_MIN = 2
WHOLE_MIN = 9
WIDTHS = (18, 38)
"""What DuckDB adds up as one machine word, and the widest that it has."""
_PLAIN = r"-?\d{1,9}(\.\d{1,2})?"
"""What has no more digits than the least that a column is made for."""
_NUMBER = r"-?\d+(\.\d+)?([eE][+-]?\d+)?"


def settle(con: duckdb.DuckDBPyConnection, fields: Sequence[Field]) -> Iterator[TypedView]:
    """The typed views, with the width and scale of each DECIMAL column chosen by the values that stand in it."""
    for view, rows in zip(typed_views(fields), typed_views(fields, owned=False), strict=True):
        kinds = iter(_kinds(con, rows))
        yield replace(view, fields=tuple(replace(one, type=next(kinds)) if one.type == DECIMAL else one for one in view.fields))


def _kinds(con: duckdb.DuckDBPyConnection, view: TypedView) -> list[str]:
    money = [one for one in view.fields if one.type == DECIMAL]
    if not money:
        return []
    texts = ", ".join(f"{view.written(one)} AS t{at}" for at, one in enumerate(money))
    sizes = ", ".join(f"{_most(_places(f't{at}'), f't{at}')}, {_most(_whole(f't{at}'), f't{at}')}" for at in range(len(money)))
    row = con.execute(f"SELECT {sizes} FROM (SELECT {texts} FROM {view.source})").fetchone() or ()
    return [decimal_type(places or 0, whole or 0) for places, whole in zip(row[::2], row[1::2], strict=True)]


def decimal_type(places: int, whole: int) -> str:
    """The type for values of up to so many digits behind the point and before it; JSON, to the digit, if no DECIMAL is as wide."""
    scale = max(places, PLACES_MIN)
    width = next((width for width in WIDTHS if scale + max(whole, WHOLE_MIN) <= width), None)
    return "JSON" if width is None else f"{DECIMAL}({width},{scale})"


def _most(size: str, text: str) -> str:
    """The largest size of all values that are not so small as most amounts are."""
    return f"max(CASE WHEN NOT regexp_full_match({text}, '{_PLAIN}') AND regexp_full_match({text}, '{_NUMBER}') THEN {size} END)"


def _places(text: str) -> str:
    """Digits behind the point: ``12.5`` has one, ``1e-7`` seven."""
    return rf"greatest(0, length(regexp_extract({text}, '\.(\d*?)0*([eE]|$)', 1)) - {_exponent(text)})"


def _whole(text: str) -> str:
    """Digits before the point: ``12.5`` has two, ``1e300`` has 301."""
    return rf"greatest(0, length(regexp_extract({text}, '^-?0*(\d*)', 1)) + {_exponent(text)})"


def _exponent(text: str) -> str:
    return rf"coalesce(TRY_CAST(regexp_extract({text}, '[eE]([+-]?\d+)$', 1) AS INTEGER), 0)"
