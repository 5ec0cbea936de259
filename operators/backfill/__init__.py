"""History in bulk: judged in parts, grouped by who may be whom, folded group by group, and taken in at once."""
