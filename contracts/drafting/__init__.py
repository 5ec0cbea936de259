"""Contracts and mappings drafted from what was seen."""
