"""Units: what is added up must be of one unit, and money is counted to the last digit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contracts.language.claims import values_of
from contracts.meaning.tags import tags_of
from contracts.model.definitions import Where
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.typed import Typed, kind_of

CURRENCIES = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP
    CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
    IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV
    MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW
    ZWG""".split()  # noqa: SIM905 - a list would be a page
)
"""The currencies of ISO 4217 that are or lately were legal tender."""
MONEY = frozenset({"cent", "euro", "dollar", "penny", "pound sterling", "minor", "major"})
"""The units of money that `convert` of an upcast knows."""


def check_unit(
    reader: Reader, at: Tree, path: str, typed: Mapping[str, Typed], *, where: Iterable[Where], units: Mapping[str, Typed]
) -> str:
    """The unit of a sum, empty if it has none; a problem if it adds up values of different units.

    ``typed``: what each event says of the property; ``units``: of the property that names its unit, where there is one.
    """
    fixed = {one.path: value for one in where for value in [_only(one)] if value is not None}
    found: dict[str, str] = {}
    for event, one in typed.items():
        tags = tags_of(one)
        place = next((place.where for place in one.places if isinstance(place.schema, dict) and "x-unit" in place.schema), "")
        place = place or next((place.where for place in one.places), "")
        if not tags.unit_of:
            found.setdefault(tags.unit, f"of {event} {f'in {tags.unit}' if tags.unit else 'without a unit'} ({place})")
            continue
        unit = fixed.get(tags.unit_of) or _single(units.get(event))
        if unit is None:
            hint = f"{place} says that {tags.unit_of} names the unit of {path}"
            reader.refuse(at, f"`where` to choose one {tags.unit_of}: amounts in different units cannot be added", path, hint)
            return ""
        found.setdefault(unit, f"of {event} in {unit} ({place})")
    if len(found) > 1:
        reader.refuse(at, "one unit in all that is added", f"{path} {' and '.join(found.values())}")
    return next(iter(found), "")


def is_money(typed: Typed, named: Typed | None) -> bool:
    """Whether a number is an amount of money, or has a fixed number of places (``multipleOf: 0.01``).

    ``named``: what is known of the property that names its unit; it may be any that the contract does not list.
    """
    tags = tags_of(typed)
    listed = named.values if named is not None else None
    if tags.unit_of:
        return listed is None or all(value in CURRENCIES for value in listed)
    steps = [place.schema.get("multipleOf", 1) for place in typed.places if isinstance(place.schema, dict)]
    return tags.unit in CURRENCIES | MONEY or any(0 < step < 1 for step in steps)


def _only(where: Where) -> str | None:
    """The one text that a filter lets through."""
    for one in where.predicates:
        found = values_of(one) or []
        if len(found) == 1 and kind_of(found[0]) == "text":
            return str(found[0])
    return None


def _single(typed: Typed | None) -> str | None:
    """The one text that a contract lets a property be."""
    values = typed.values if typed is not None else None
    return str(values[0]) if values is not None and len(values) == 1 and isinstance(values[0], str) else None
