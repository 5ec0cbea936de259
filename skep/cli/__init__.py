"""The `skep` command."""
