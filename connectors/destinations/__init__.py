"""How changes go out, and how far each destination has been told."""
