"""Which records are one person's though no identifier says so: comparisons, weights, candidates, clusters. Pure functions."""
