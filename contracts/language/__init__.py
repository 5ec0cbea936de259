"""The language of segments and traits: predicates, conditions, measures, and what can be true."""
