"""Clips: a clip's bytes, from link to place."""
