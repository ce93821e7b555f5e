"""Watching: follows a job to its end."""
