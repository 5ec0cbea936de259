"""What an event's links do to people, the short way; the numbers are those of "What many share" in docs/architecture.md."""
