"""Questions to a project, answered as data."""
