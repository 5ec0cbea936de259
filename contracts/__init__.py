"""Contracts: the YAML and JSON that people edit, and the code that loads, checks and types it."""

from contracts.loading import digest, load, read_files
from contracts.problems import ContractErrors, Problem

__all__ = ["ContractErrors", "Problem", "digest", "load", "read_files"]
