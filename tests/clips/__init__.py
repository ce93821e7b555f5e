"""Tests of what brings a clip home."""
