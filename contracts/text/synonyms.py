"""Words that people write for a word of the language, because other tools say so."""

from __future__ import annotations

from contracts.text.names import event_name

_SIGNS = {
    "=": "eq", "==": "eq", "===": "eq", "!=": "ne", "<>": "ne", ">": "gt", ">=": "gte", "≥": "gte", "<": "lt", "<=": "lte", "≤": "lte",
    "&&": "all", "&": "all", "||": "any", "|": "any", "!": "not", "~": "contains", "€": "EUR", "$": "USD", "£": "GBP",
}  # fmt: skip
_FOR: dict[str, str] = {
    # the forms of a condition
    "all": "and all_of every must match_all",
    "any": "or any_of some one_of either should match_any",
    "not": "none none_of no except exclude without nor must_not",
    "did": "event events action performed has_done has_performed activity behavior behaviour",
    "trait": "attribute user profile field user_property person property",
    "segment": "name id in_segment member member_of audience cohort group",
    "consent": "consents opt_in permission granted purpose",
    # beside `did`
    "where": "filter filters with having properties props when condition",
    "within": "in_last last in_the_last in_past past since window during timeframe time_window period lookback newer_than",
    "times": "count frequency occurrences at_least how_often number number_of_times",
    "sum": "total amount sum_of",
    "distinct": "unique count_distinct distinct_count nunique cardinality number_of_different",
    # the operators
    "eq": "equals equal equal_to is_equal_to is value matches_exactly exactly",
    "ne": "not_equal not_equals not_equal_to does_not_equal is_not neq not_eq",
    "in": "one_of any_of is_in is_one_of is_any_of among",
    "not_in": "nin none_of is_not_in is_none_of not_one_of",
    "gt": "greater greater_than more_than more above over is_greater_than",
    "gte": "ge greater_or_equal greater_than_or_equal greater_than_or_equal_to at_least min minimum from",
    "lt": "less less_than fewer_than below under is_less_than",
    "lte": "le less_or_equal less_than_or_equal less_than_or_equal_to at_most max maximum to",
    "between": "range is_between in_range",
    "exists": "exist is_set has present is_present is_not_null known required defined has_any_value",
    "is": "type kind is_type",
    "contains": "like has_text substring ilike",
    "not_contains": "does_not_contain not_like",
    "starts_with": "begins_with prefix startswith",
    "ends_with": "suffix endswith",
    # computed traits
    "count": "times frequency occurrences number_of_events",
    "first": "earliest oldest first_value initial",
    "last": "latest newest most_recent last_value",
    "set": "list values unique distinct collect array",
    "emit": "publish announce tell notify",
    # the keys of files
    "name": "id key title label",
    "title": "name label description display_name summary",
    "who": "conditions condition rules rule filter filters where criteria definition query members",
    "activate": "destinations destination send_to sync_to channels targets outputs",
    "purpose": "consent consents requires_consent legal_basis",
    "timezone": "tz zone time_zone",
    "from": "path paths source sources fields field keys",
    "scope": "type level",
    "limit": "max maximum max_items cap",
    "unique": "distinct one_per_profile",
    "normalize": "normalise normalization normalisation clean",
    "namespaces": "identifiers ids keys",
    "purposes": "consents consent categories",
    "traits": "computed_traits attributes computed",
    "path": "file location filename glob",
    "kind": "type format",
    "mapping": "map schema columns",
    # choices
    "granted": "true yes allow allowed accept accepted on grant given",
    "denied": "false no deny refuse refused reject rejected off disallow declined",
    "email": "mail e_mail lowercase lower",
    "phone": "telephone tel mobile msisdn e164 e_164",
    "newest": "latest last recent most_recent",
    "oldest": "first earliest",
    "person": "user customer people",
    "device": "browser anonymous cookie",
    "text": "string str varchar char",
    "number": "numeric int integer float double decimal",
    "boolean": "bool",
    "list": "array",
    "empty": "null missing blank none absent",
    "jsonl": "json ndjson jsonlines json_lines",
    "quarantined": "errors error failed rejected refused invalid failures",
    "warn": "warning alert info",
    "stop-source": "error stop block fail critical fatal",
}  # fmt: skip


def _by_word() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for meant, written in _FOR.items():
        for word in written.split():
            found.setdefault(word, []).append(meant)
    return found


_WORDS = _by_word()


def meanings(word: str) -> list[str]:
    """The words of the language that somebody may mean by another, in whatever case and with whatever between its words."""
    sign = _SIGNS.get(word.strip())
    return [sign] if sign else _WORDS.get(event_name(word), [])
