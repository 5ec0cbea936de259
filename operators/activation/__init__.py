"""Who is told of what: pure, on plain data."""
