"""Training and measuring probabilistic identity, over a file of events."""
