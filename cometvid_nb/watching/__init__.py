"""Watching: one job followed to its end."""
