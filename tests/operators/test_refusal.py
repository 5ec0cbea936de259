"""What people are told of a link that does not stand: every rule, of one link and of several alike."""

from __future__ import annotations

from typing import get_args

from operators.refusal import UNLINKED, Refusal, Rule, state

SAID = [
    (UNLINKED, "unlinked by hand", "unlinked by hand"),
    (
        Refusal("shared_after", "device", 3),
        "shared_after: 3 persons or more were identified on device:{k}",
        "shared_after: too many persons were identified on the device",
    ),
    (
        Refusal("limits.links", limit=5000, by="newest"),
        "limits.links: not among the 5000 newest links of device:{k} and of user:1",
        "limits.links: an identifier has more than 5,000",
    ),
    (
        Refusal("limits.links", limit=5000),
        "limits.links: one of the two has 5000 links that come before",
        "limits.links: an identifier has more than 5,000",
    ),
    (
        Refusal("limits.identifiers", limit=1000),
        "limits.identifiers: the profile would have more than 1000 identifiers",
        "limits.identifiers: the profile would have more than 1,000",
    ),
    (Refusal("unique", "user", 1), "unique: the profile would have two values of user", "unique: it would have two values of user"),
    (
        Refusal("limit", "email", 5),
        "limit: the profile would have more than 5 values of email",
        "limit: it would have more than 5 values of email",
    ),
    (
        Refusal("support", limit=0.1, figure=0.04321),
        "support: the mean probability over all pairs between the two clusters is 0.0432, below 0.1",
        None,
    ),
    (
        Refusal("support", limit=0.95, figure=0.5, by="together"),
        "support: all pairs between the two clusters come to a probability of 0.5000, below accept, 0.95",
        None,
    ),
    (Refusal("accept", figure=0.91), "probability 0.9100: below accept", None),
]


def test_every_rule_has_its_words() -> None:
    """Values stand as they are, braces included; of what refuses links by likeness only single links are told."""
    assert {refusal.rule for refusal, _, _ in SAID} == set(get_args(Rule))
    for refusal, of_one, alike in SAID:
        assert refusal.words("device:{k}", "user:1") == of_one
        assert alike is None or refusal.in_general() == alike


def test_what_became_of_a_link() -> None:
    assert [state(None), *(state(refusal) for refusal, _, _ in SAID)] == ["accepted", *["rejected"] * 9, "candidate"]
