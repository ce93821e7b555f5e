"""Ledger: what this machine remembers of jobs."""
