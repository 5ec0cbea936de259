"""The values of Arrow's columns as Python has them, nested ones too: none of them ends with an error.

Times are kept to microseconds, and outside of the years 1 to 9999 become texts such as ``253402300800 s since 1970``.
Bytes are hexadecimal, UUIDs as they are written, maps objects, durations seconds; NaN is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast
from uuid import UUID

import pyarrow as pa
import pyarrow.types as kinds

from connectors.sources.values import text_of

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
_US = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1_000)}
"""Microseconds of a unit, as a fraction."""
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


@dataclass(frozen=True, slots=True)
class Bad:
    """A value that cannot be read, and why."""

    why: str

    def __str__(self) -> str:
        return self.why


def values(column: Any) -> list[Any]:
    """The values of a column; None is missing, and `Bad` what cannot be read."""
    try:
        return _values(column)
    except Exception:  # noqa: BLE001 (one value never stops a file; which one it is is found out below)
        return [_value(column.slice(at, 1)) for at in range(len(column))]


def _value(column: Any) -> Any:
    try:
        return _values(column)[0]
    except UnicodeDecodeError as error:
        return Bad(f"bytes that are no UTF-8 ({error.object.hex()})")
    except Exception as error:  # noqa: BLE001 (as above)
        return Bad(f"a value that cannot be read: {error}")


def _values(column: Any) -> list[Any]:
    kind = column.type
    read = next((read for test, read in _READERS if test(kind)), None)
    return cast(list[Any], column.to_pylist()) if read is None else read(column)


def _is_extension(kind: Any) -> bool:
    return isinstance(kind, pa.BaseExtensionType)


def _extension(column: Any) -> list[Any]:
    if column.type.extension_name == "arrow.uuid":
        return [None if value is None else str(UUID(bytes=value)) for value in column.storage.to_pylist()]
    return _values(column.storage)


def _is_bytes(kind: Any) -> bool:
    return bool(kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_fixed_size_binary(kind) or kinds.is_binary_view(kind))


def _bytes(column: Any) -> list[Any]:
    return [None if value is None else value.hex() for value in column.to_pylist()]


def _floats(column: Any) -> list[Any]:
    return [None if value is None or value != value else _float(value) for value in column.to_pylist()]  # noqa: PLR0124 (NaN)


def _float(value: float) -> float | str:
    return value if abs(value) != float("inf") else "Infinity" if value > 0 else "-Infinity"


def _instants(column: Any) -> list[Any]:
    unit = column.type.unit
    times, by = _US[unit]
    epoch = datetime(1970, 1, 1, tzinfo=None if column.type.tz is None else UTC)

    def instant(number: int) -> datetime | str:
        try:
            return epoch + timedelta(microseconds=number * times // by)
        except OverflowError:
            return f"{number} {unit} since 1970"

    return _each(column.cast(pa.int64()), instant)


def _dates(column: Any) -> list[Any]:
    if kinds.is_date64(column.type):
        return _each(column.cast(pa.int64()), lambda number: _date(number // _DAY_MS))
    return _each(column.cast(pa.int32()), _date)


def _date(day: int) -> date | str:
    try:
        return date.fromordinal(day + _EPOCH_DAY)
    except (ValueError, OverflowError):
        return f"{day} days since 1970"


def _times_of_day(column: Any) -> list[Any]:
    unit = column.type.unit
    times, by = _US[unit]

    def moment(number: int) -> str:
        since = timedelta(microseconds=number * times // by)
        if timedelta() <= since < timedelta(days=1):
            return (datetime(1970, 1, 1, tzinfo=UTC) + since).time().isoformat()
        return f"{number} {unit} since midnight"

    return _each(column.cast(pa.int32() if kinds.is_time32(column.type) else pa.int64()), moment)


def _durations(column: Any) -> list[Any]:
    digits = _DIGITS[column.type.unit]
    return _each(column.cast(pa.int64()), lambda number: Decimal(number).scaleb(-digits))


def _each(numbers: Any, read: Callable[[int], Any]) -> list[Any]:
    return [None if number is None else read(number) for number in numbers.to_pylist()]


def _lists(column: Any) -> list[Any]:
    items = _child(column, column.values)
    return [None if at is None else items[at] for at in _parts(column)]


def _fixed_lists(column: Any) -> list[Any]:
    size = column.type.list_size
    items = _values(column.values.slice(column.offset * size, len(column) * size))
    return [items[at * size : (at + 1) * size] if there else None for at, there in enumerate(column.is_valid().to_pylist())]


def _maps(column: Any) -> list[Any]:
    keys, items = _child(column, column.keys), _child(column, column.items)
    texts = [text_of(key) or "" for key in keys]
    return [None if at is None else dict(zip(texts[at], items[at], strict=True)) for at in _parts(column)]


def _child(column: Any, child: Any) -> list[Any]:
    """The values of what a column's lists hold, and of no more: the child may be that of a whole row group."""
    begin, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
    return _values(child.slice(begin, end - begin))


def _parts(column: Any) -> Iterator[slice | None]:
    offsets = column.offsets.to_pylist()
    for there, (begin, end) in zip(column.is_valid().to_pylist(), pairwise(offsets), strict=True):
        yield slice(begin - offsets[0], end - offsets[0]) if there else None


def _structs(column: Any) -> list[Any]:
    names = [field.name for field in column.type]
    children = [_values(column.field(at)) for at in range(len(names))]
    there = column.is_valid().to_pylist()
    return [{name: child[at] for name, child in zip(names, children, strict=True)} if there[at] else None for at in range(len(column))]


_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], list[Any]]], ...] = (
    (_is_extension, _extension),
    (kinds.is_dictionary, lambda column: _values(column.dictionary_decode())),
    (_is_bytes, _bytes),
    (kinds.is_floating, _floats),
    (kinds.is_timestamp, _instants),
    (kinds.is_date, _dates),
    (kinds.is_time, _times_of_day),
    (kinds.is_duration, _durations),
    (kinds.is_map, _maps),
    (kinds.is_fixed_size_list, _fixed_lists),
    (lambda kind: kinds.is_list(kind) or kinds.is_large_list(kind), _lists),
    (kinds.is_struct, _structs),
)
