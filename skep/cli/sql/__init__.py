"""`skep sql`: questions to the snapshot."""

CHARTS = ("auto", "bar", "line", "spark")
"""The kinds of drawings that one can ask for."""
