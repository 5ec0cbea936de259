"""The DuckDB snapshot for analysts."""
