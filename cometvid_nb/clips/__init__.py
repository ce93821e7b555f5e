"""Clips: the bytes of a clip, from its link to where they are kept."""
