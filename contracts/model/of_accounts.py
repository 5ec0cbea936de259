"""What definitions say of accounts."""

from __future__ import annotations

from dataclasses import replace

from contracts.model.definitions import Definitions, Segment


def of_accounts(definitions: Definitions, segments: tuple[Segment, ...] = ()) -> Definitions:
    """What they say of accounts in the place of what they say of people; ``segments`` are those of accounts."""
    traits, features = definitions.account_traits, definitions.account_features
    return replace(definitions, traits=traits, features=features, segments=segments, account_traits=(), account_features={})
