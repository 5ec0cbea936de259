"""What accepted an event and where it came from, under one number: alike for all who take events in at once, and never many."""

from __future__ import annotations

from operators.origins import Origins, number_origins, origin, origin_parts, united


def test_what_may_come_to_be_has_a_number_before() -> None:
    """A call of the source at hand may be a repeat of any that is stored, also of one of which an earlier version kept no source."""
    known = ["order/1-0-0", "identify/1-0-0", origin("identify/1-0-0", ("crm",)), origin("identify/2-0-0", ("crm", "web"))]
    found = ["order/1-0-0", "order/2-0-0", origin("identify/2-0-0", ("pos",))]
    numbered = [*known]
    number_origins(numbered, found)
    assert numbered[: len(known)] == known
    assert len(set(numbered)) == len(numbered)
    stored = [origin_parts(each) for each in known if each.startswith("identify")]
    comes = {united(sources, ("pos",)) for _, sources in stored}
    assert {origin(f"identify/{model}-0-0", sources) for model in (1, 2) for sources in comes} | {"order/2-0-0"} <= set(numbered)
    origins, before = Origins(numbered), len(numbered)
    for sources in comes:
        origins.number("identify/1-0-0", sources)
    assert len(numbered) == before
    number_origins(numbered, found)
    assert len(numbered) == before


def test_many_sources_are_not_all_put_together() -> None:
    known = [origin("identify/1-0-0", (f"s{number:02}",)) for number in range(40)]
    number_origins(known, [origin("identify/1-0-0", ("new",))])
    assert len(known) == 40 + 1 + 40
