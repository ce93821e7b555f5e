"""Ledger: remembers the jobs of this machine."""
