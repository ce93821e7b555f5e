"""Editing: what is made of finished clips: frames, sheets, loops, reels, copies."""
